/* SPDX-License-Identifier: Apache-2.0 */
/* Code that is hard to patch, in assembly so that no compiler makes it easier.  */
#include "subject.h"

#define BEGIN(name) ".balign 16\n.globl subject_" #name "\nsubject_" #name ":\n"
#define END(name) ".globl subject_" #name "_end\nsubject_" #name "_end:\n.balign 16, 0x90\n"

__asm__(".text\n"
        /* A leaf that keeps its variables below the stack pointer.  */
        BEGIN(red_zone)
        "movq %rdi, -8(%rsp)\n"
        "movq %rsi, -128(%rsp)\n"
        "movq -8(%rsp), %rax\n"
        "imulq $3, %rax, %rax\n"
        "addq -128(%rsp), %rax\n"
        "ret\n"
        END(red_zone)

        /* One-byte instructions.  */
        BEGIN(bytes)
        "pushq %rbx\n"
        "pushq %rbp\n"
        "nop\n"
        "cld\n"
        "stc\n"
        "cmc\n"
        "leaq (%rdi,%rsi), %rax\n"
        "adcq $0, %rax\n"
        "popq %rbp\n"
        "popq %rbx\n"
        "ret\n"
        END(bytes)

        /* A loop whose head is inside what a jump at the first instruction would cover.  */
        BEGIN(loop_inside)
        "xorl %eax, %eax\n"
        "1: addq %rdi, %rax\n"
        "decq %rsi\n"
        "jnz 1b\n"
        "ret\n"
        END(loop_inside)

        /* A loop to the first instruction, from inside what a jump there covers; and a loop
           instruction that goes to itself.  */
        BEGIN(loop_first)
        "1: decl %edi\n"
        "jnz 1b\n"
        "movl %esi, %ecx\n"
        "2: loop 2b\n"
        "leaq 7(%rdi,%rsi), %rax\n"
        "jrcxz 3f\n"
        "xorl %eax, %eax\n"
        "3: ret\n"
        END(loop_first)

        /* A jump table, with two-byte instructions around its targets.  */
        BEGIN(table)
        "andl $3, %edi\n"
        "leaq subject_table_targets(%rip), %rdx\n"
        "movslq (%rdx,%rdi,4), %rcx\n"
        "addq %rdx, %rcx\n"
        "xorl %eax, %eax\n"
        "jmp *%rcx\n"
        "subject_case_0: incl %eax\n"
        "subject_case_1: addl %esi, %eax\n"
        "subject_case_2: addl %eax, %eax\n"
        "subject_case_3: notl %eax\n"
        "ret\n"
        END(table)

        /* Every kind of call, in the middle and at the end of what a jump would cover; rbx and rbp
           are the ABI's.  */
        BEGIN(calls)
        "pushq %rbx\n"
        "movq %rdi, %rbx\n"
        "leaq subject_calls_callee(%rip), %rax\n"
        "call subject_calls_callee\n"
        "leaq subject_calls_callee(%rip), %rax\n"
        "call *%rax\n"
        "call *subject_calls_pointer(%rip)\n"
        "subq $16, %rsp\n"
        "leaq subject_calls_callee(%rip), %rax\n"
        "movq %rax, (%rsp)\n"
        "movq %rax, 8(%rsp)\n"
        "call *(%rsp)\n"
        "call *8(%rsp)\n"
        "addq $16, %rsp\n"
        "pushq %r12\n"
        "leaq subject_calls_callee(%rip), %r12\n"
        "call *%r12\n"
        "popq %r12\n"
        "leaq (%rbx,%rsi), %rax\n"
        "popq %rbx\n"
        "ret\n"
        /* Adds its own return address's distance from the function, so that a wrong one shows.  */
        "subject_calls_callee: movq (%rsp), %rdx\n"
        "leaq subject_calls(%rip), %rcx\n"
        "subq %rcx, %rdx\n"
        "imulq $31, %rbx, %rbx\n"
        "addq %rdx, %rbx\n"
        "ret\n"
        END(calls)

        /* Nothing but gaps: every register has to come through.  */
        BEGIN(registers)
        "nop\n"
        "nopl 0(%rax)\n"
        "nopl 0(%rax,%rax)\n"
        "xchgw %ax, %ax\n"
        "nop\n"
        "nop\n"
        "ret\n"
        END(registers)

        /* Branches of every kind over short distances.  */
        BEGIN(targets)
        "xorl %eax, %eax\n"
        "testq %rdi, %rdi\n"
        "js 1f\n"
        "jz 2f\n"
        "cmpq %rsi, %rdi\n"
        "ja 3f\n"
        "incl %eax\n"
        "1: incl %eax\n"
        "2: addl $5, %eax\n"
        "jmp 4f\n"
        "3: leal 9(%rax,%rdi), %eax\n"
        "4: cmovol %edi, %eax\n"
        "setc %dl\n"
        "movzbl %dl, %edx\n"
        "addl %edx, %eax\n"
        "ret\n"
        END(targets)

        /* What cannot be moved, and somebody's breakpoint.  */
        BEGIN(fixed)
        "ret\n"
        "ud2\n"
        "int3\n"
        "hlt\n"
        "ret\n"
        END(fixed)

        /* The sum of 1...rdi by recursion.  */
        BEGIN(recursive)
        "testq %rdi, %rdi\n"
        "jz 1f\n"
        "pushq %rdi\n"
        "decq %rdi\n"
        "call subject_recursive\n"
        "popq %rdi\n"
        "addq %rdi, %rax\n"
        "ret\n"
        "1: xorl %eax, %eax\n"
        "ret\n"
        END(recursive)

        /* Ends directly before another function.  */
        BEGIN(returns)
        "leaq (%rdi,%rsi), %rax\n"
        "ret\n"
        ".globl subject_returns_end\n"
        "subject_returns_end:\n"
        "movl $77, %eax\n"
        "ret\n"
        ".balign 16\n"

        ".section .data.rel,\"aw\"\n"
        "subject_calls_pointer: .quad subject_calls_callee\n"
        ".section .rodata\n"
        ".balign 4\n"
        "subject_table_targets:\n"
        ".long subject_case_0 - subject_table_targets\n"
        ".long subject_case_1 - subject_table_targets\n"
        ".long subject_case_2 - subject_table_targets\n"
        ".long subject_case_3 - subject_table_targets\n"
        ".text\n");
