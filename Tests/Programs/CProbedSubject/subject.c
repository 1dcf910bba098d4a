/* SPDX-License-Identifier: Apache-2.0 */
/* Functions in assembly, so that their addresses are known; see CProbedSubject.h.  */
#include "CProbedSubject.h"

#include <unistd.h>

__asm__(".pushsection .text\n"
        ".balign 16\n"
        ".globl subject_settle\n"
        ".type subject_settle, @function\n"
        "subject_settle:\n"
        "    push %rbp\n"
        "    mov %rsp, %rbp\n"
        "subject_line:\n"
        "    lea (%rdi,%rdi,2), %rax\n"
        "    add %rsi, %rax\n"
        "    pop %rbp\n"
        "    ret\n"
        "subject_end:\n"
        ".size subject_settle, . - subject_settle\n"
        ".balign 16\n"
        ".globl subject_read\n"
        ".type subject_read, @function\n"
        "subject_read:\n"
        "    push %rbp\n"
        "    mov %rsp, %rbp\n"
        "subject_text_line:\n"
        "    movzbl (%rdi), %eax\n"
        "    mov %rax, %rdx\n"
        "    mov %rdx, %rax\n"
        "    pop %rbp\n"
        "    ret\n"
        "subject_text_end:\n"
        ".size subject_read, . - subject_read\n"
        ".popsection\n");

extern const char subject_line[], subject_end[], subject_text_line[], subject_text_end[];

uint64_t subject_address(enum subject_place place) {
    switch (place) {
    case SUBJECT_START: return (uint64_t)subject_settle;
    case SUBJECT_LINE: return (uint64_t)subject_line;
    case SUBJECT_END: return (uint64_t)subject_end;
    case SUBJECT_TEXT_START: return (uint64_t)subject_read;
    case SUBJECT_TEXT_LINE: return (uint64_t)subject_text_line;
    case SUBJECT_TEXT_END: return (uint64_t)subject_text_end;
    }
    return 0;
}

uint32_t subject_thread(void) { return (uint32_t)gettid(); }
