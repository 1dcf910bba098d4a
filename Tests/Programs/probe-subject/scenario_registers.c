/* SPDX-License-Identifier: Apache-2.0 */
/* Registers, flags and the stack: the program's come through, and a hit sees them.  */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "scenarios.h"
#include "subject.h"

/* All that a function may read or write: gpr in DWARF's order without rsp, flags, xmm, and the
   upper halves of ymm.  */
struct machine {
    uint64_t gpr[16];
    uint64_t flags;
    uint64_t function;
    unsigned char ymm[16][32];
};

/* Loads MACHINE's registers, calls its function, and stores them again. Keeps its own caller's
   registers; the red zone is not used.  */
void subject_execute(struct machine *machine, uint64_t with_ymm);

#define EACH(m)                                                                                    \
    m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15)
#define LOAD_YMM(n) "vmovdqu 144+32*" #n "(%r15), %ymm" #n "\n"
#define STORE_YMM(n) "vmovdqu %ymm" #n ", 144+32*" #n "(%r15)\n"
#define LOAD_XMM(n) "movdqu 144+32*" #n "(%r15), %xmm" #n "\n"
#define STORE_XMM(n) "movdqu %xmm" #n ", 144+32*" #n "(%r15)\n"

__asm__(".text\n"
        ".globl subject_execute\n"
        "subject_execute:\n"
        "pushq %rbx\npushq %rbp\npushq %r12\npushq %r13\npushq %r14\npushq %r15\n"
        "pushq %rsi\n"
        "pushq %rdi\n"
        "movq %rdi, %r15\n"
        "testq %rsi, %rsi\n"
        "jz 1f\n" EACH(LOAD_YMM) "jmp 2f\n"
        "1:\n" EACH(LOAD_XMM) "2:\n"
        "pushq 136(%r15)\n" /* the function */
        "pushq 128(%r15)\n" /* the flags */
        "movq 0(%r15), %rax\nmovq 8(%r15), %rdx\nmovq 16(%r15), %rcx\nmovq 24(%r15), %rbx\n"
        "movq 32(%r15), %rsi\nmovq 40(%r15), %rdi\nmovq 48(%r15), %rbp\n"
        "movq 64(%r15), %r8\nmovq 72(%r15), %r9\nmovq 80(%r15), %r10\nmovq 88(%r15), %r11\n"
        "movq 96(%r15), %r12\nmovq 104(%r15), %r13\nmovq 112(%r15), %r14\nmovq 120(%r15), %r15\n"
        "popfq\n"
        "call *(%rsp)\n"
        "pushq %r15\n"
        "pushfq\n"
        "movq 24(%rsp), %r15\n" /* the machine: above flags, r15, function */
        "popq 128(%r15)\n"
        "popq 120(%r15)\n"
        "cld\n"
        "movq %rax, 0(%r15)\nmovq %rdx, 8(%r15)\nmovq %rcx, 16(%r15)\nmovq %rbx, 24(%r15)\n"
        "movq %rsi, 32(%r15)\nmovq %rdi, 40(%r15)\nmovq %rbp, 48(%r15)\n"
        "movq %r8, 64(%r15)\nmovq %r9, 72(%r15)\nmovq %r10, 80(%r15)\nmovq %r11, 88(%r15)\n"
        "movq %r12, 96(%r15)\nmovq %r13, 104(%r15)\nmovq %r14, 112(%r15)\n"
        "addq $8, %rsp\n"
        "popq %rdi\n"
        "popq %rsi\n"
        "testq %rsi, %rsi\n"
        "jz 3f\n" EACH(STORE_YMM) "vzeroupper\njmp 4f\n"
        "3:\n" EACH(STORE_XMM) "4:\n"
        "popq %r15\npopq %r14\npopq %r13\npopq %r12\npopq %rbp\npopq %rbx\n"
        "ret\n");

/* The flags that a program may have set without further ado: CF PF AF ZF SF DF OF.  */
#define FLAGS 0xcd5u

static void fill(struct machine *machine, uint64_t *random)
{
    for (uint32_t i = 0; i < sizeof *machine / 8; i++)
        ((uint64_t *)machine)[i] = next_random(random);
    machine->flags = (machine->flags & FLAGS) | 2;
    machine->gpr[7] = 0;
}

/* Each register and flag passes each site unchanged, and the hit sees what is in it.  */
int scenario_registers(void)
{
    struct code code = code_registers();
    struct sonde_patch_request requests[16];
    uint64_t random = 88172645463325252u;
    uint32_t count = requests_for(code, requests, 16);
    int with_ymm = __builtin_cpu_supports("avx");
    EXPECT(count >= 6, "got %u sites", count);
    for (uint32_t i = 0; i < count; i++) {
        struct sonde_patch_outcome outcome;
        struct sonde_hit_registers seen;
        requests[i].run = keep_registers;
        requests[i].context = &seen;
        EXPECT(sonde_patch_install(&requests[i], 1, &outcome) == SONDE_PATCH_OK, "refused");
        for (int round = 0; round < 200; round++) {
            struct machine before, after;
            fill(&before, &random);
            before.function = code.start;
            after = before;
            hit_count = 0;
            memset(&seen, 0, sizeof seen);
            subject_execute(&after, (uint64_t)with_ymm);
            after.flags &= FLAGS | 2; /* there are others that the kernel sets */
            EXPECT(hit_count == 1, "site %u: %lu hits", i, hit_count);
            EXPECT(memcmp(&before, &after, sizeof before) == 0, "site %u: not the same after", i);
            seen.gpr[7] = 0;
            EXPECT(memcmp(seen.gpr, before.gpr, sizeof seen.gpr) == 0, "site %u: gpr", i);
            EXPECT((seen.rflags & FLAGS) == (before.flags & FLAGS), "site %u: flags", i);
            EXPECT(seen.rip == requests[i].address, "site %u: rip", i);
            for (int n = 0; n < 16; n++)
                EXPECT(memcmp(seen.xmm[n], before.ymm[n], 16) == 0, "site %u: xmm%d", i, n);
        }
        sonde_patch_remove(&requests[i], 1);
    }
    return 0;
}

/* Instructions that may stand anywhere in a sequence. Where an operand is relative to rip, its
   offset; it gets the distance to some of the data. Branches go over the next instruction.  */
struct snippet {
    uint8_t size, rip_offset; /* 0: none */
    uint8_t bytes[12];
};

static const struct snippet snippets[] = {
    { 3, 0, { 0x48, 0x01, 0xf0 } },                               /* add rax, rsi */
    { 3, 0, { 0x48, 0x19, 0xd1 } },                               /* sbb rcx, rdx */
    { 4, 0, { 0x48, 0x0f, 0xaf, 0xc7 } },                         /* imul rax, rdi */
    { 7, 3, { 0x48, 0x8b, 0x15 } },                               /* mov rdx, [rip+d] */
    { 7, 3, { 0x4c, 0x31, 0x05 } },                               /* xor [rip+d], r8 */
    { 7, 3, { 0x48, 0x8d, 0x0d } },                               /* lea rcx, [rip+d] */
    { 10, 2, { 0x81, 0x05, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44 } }, /* add dword [rip+d], imm */
    { 7, 2, { 0x80, 0x35, 0, 0, 0, 0, 0x5a } },                   /* xor byte [rip+d], imm */
    { 8, 4, { 0xf3, 0x0f, 0x58, 0x0d } },                         /* addss xmm1, [rip+d] */
    { 8, 4, { 0x66, 0x0f, 0xef, 0x1d } },                         /* pxor xmm3, [rip+d] */
    { 1, 0, { 0xf9 } },                                           /* stc */
    { 1, 0, { 0xf5 } },                                           /* cmc */
    { 1, 0, { 0xfc } },                                           /* cld */
    { 2, 0, { 0x70, 0xff } },                                     /* jo over the next */
    { 2, 0, { 0x75, 0xff } },                                     /* jnz over the next */
    { 2, 0, { 0x7c, 0xff } },                                     /* jl over the next */
    { 2, 0, { 0xe3, 0xff } },                                     /* jrcxz over the next */
    { 3, 0, { 0x67, 0xe3, 0xff } },                               /* jecxz over the next */
    { 2, 0, { 0xe2, 0xff } },                                     /* loop over the next */
    { 2, 0, { 0xe0, 0xff } },                                     /* loopne over the next */
    { 2, 0, { 0xeb, 0xff } },                                     /* jmp over the next */
    { 3, 0, { 0x0f, 0x92, 0xc3 } },                               /* setb bl */
    { 4, 0, { 0x4c, 0x0f, 0x4c, 0xca } },                         /* cmovl r9, rdx */
    { 5, 0, { 0xb8, 1, 2, 3, 4 } },                               /* mov eax, imm */
    { 10, 0, { 0x48, 0xbb, 1, 2, 3, 4, 5, 6, 7, 8 } },            /* mov rbx, imm64 */
};
enum { FIRST_BRANCH = 13, LAST_BRANCH = 20 };

#define CODE_AT 64
#define DATA_AT 2048
#define PAD_AT 8192

/* Writes a random sequence and its ret at CODE; sets the length of what a jump displaces.  */
static uint32_t write_sequence(uint8_t *code, uint8_t *data, uint64_t *random,
                               uint32_t *displaced_count)
{
    uint32_t sizes[8], at = 0, count = 5, covered = 0;
    int over = -1;
    *displaced_count = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t which = (uint32_t)(next_random(random) % (sizeof snippets / sizeof snippets[0]));
        const struct snippet *snippet = &snippets[which];
        memcpy(code + at, snippet->bytes, snippet->size);
        if (snippet->rip_offset != 0) {
            uint32_t slot = (uint32_t)(next_random(random) % 8) * 16;
            int32_t distance = (int32_t)(data + slot - (code + at + snippet->size));
            memcpy(code + at + snippet->rip_offset, &distance, 4);
        }
        if (over >= 0)
            code[over] = snippet->size;
        over = which >= FIRST_BRANCH && which <= LAST_BRANCH ? (int)(at + snippet->size - 1) : -1;
        sizes[i] = snippet->size;
        at += snippet->size;
        if (covered < 5) {
            covered += sizes[i];
            *displaced_count += 1;
        }
    }
    if (over >= 0)
        code[over] = 0;
    code[at] = 0xc3;
    return at + 1;
}

/* Moves random sequences and executes both: registers, flags and memory must be the same.  */
int scenario_relocation(void)
{
    uint8_t *memory = mmap(0, 16384, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t random = 0x2545f4914f6cdd1dull;
    int with_ymm = __builtin_cpu_supports("avx");
    EXPECT(memory != MAP_FAILED && sonde_decoder_load(), "no memory or no decoder");
    for (int round = 0; round < 20000; round++) {
        struct sonde_pad_plan plan = { .start = (uint64_t)(memory + CODE_AT) };
        uint64_t entries[SONDE_REGION_INSTRUCTIONS], address = plan.start;
        struct machine start, original, moved;
        uint8_t before[128], data_original[128], *data = memory + DATA_AT;
        write_sequence(memory + CODE_AT, data, &random, &plan.count);
        plan.bytes = memory + CODE_AT;
        for (uint32_t i = 0; i < plan.count; i++) {
            EXPECT(sonde_decode((const uint8_t *)address, 32, address, &plan.instructions[i]),
                   "round %d: not decoded", round);
            address += plan.instructions[i].length;
        }
        for (uint32_t i = 0; i < sizeof before / 8; i++)
            ((uint64_t *)before)[i] = next_random(&random) & 0x3fffffff3fffffff;
        EXPECT(sonde_pad_build(&plan, (uint64_t)(memory + PAD_AT), memory + PAD_AT, entries) > 0,
               "round %d: not moved", round);
        fill(&start, &random);
        if (round & 1)
            start.gpr[2] = (uint64_t)(round >> 1 & 1); /* rcx, for loops */
        memcpy(data, before, sizeof before);
        original = start;
        original.function = plan.start;
        subject_execute(&original, (uint64_t)with_ymm);
        memcpy(data_original, data, sizeof before);
        memcpy(data, before, sizeof before);
        moved = start;
        moved.function = entries[0];
        subject_execute(&moved, (uint64_t)with_ymm);
        moved.function = original.function;
        EXPECT(memcmp(&moved, &original, sizeof moved) == 0, "round %d: registers", round);
        EXPECT(memcmp(data, data_original, sizeof before) == 0, "round %d: memory", round);
    }
    munmap(memory, 16384);
    return 0;
}

static void *call_once(void *context)
{
    (void)context;
    return (void *)call_code(code_red_zone(), 5, 7);
}

/* A hit by jump needs no more than 2 KiB of a thread's stack, beyond what the thread uses.  */
int scenario_small_stack(void)
{
    struct code code = code_red_zone();
    struct sonde_patch_request request = request_at(code, code.start);
    struct sonde_patch_outcome outcome;
    pthread_attr_t attributes;
    pthread_t thread;
    void *result = 0;
    EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_OK, "refused");
    EXPECT(outcome.form == SONDE_PATCH_JUMP, "want a jump");
    pthread_attr_init(&attributes);
    EXPECT(pthread_attr_setstacksize(&attributes, 16384) == 0, "stack size");
    EXPECT(pthread_create(&thread, &attributes, call_once, 0) == 0, "thread");
    pthread_join(thread, &result);
    EXPECT((uint64_t)result == 22 && hit_count == 1, "got %lu, %lu hits", (uint64_t)result,
           hit_count);
    /* The same on 2 KiB that end at a page that cannot be touched.  */
    static uint64_t (*volatile function)(uint64_t, uint64_t);
    function = (uint64_t(*)(uint64_t, uint64_t))code.start;
    char *stack = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT(stack != MAP_FAILED && mprotect(stack, 4096, PROT_NONE) == 0, "no stack");
    uint64_t got, top = (uint64_t)stack + 4096 + 2048;
    __asm__ volatile("movq %%rsp, %%rbx\n\tmovq %[top], %%rsp\n\tcall *%[function]\n\t"
                     "movq %%rbx, %%rsp"
                     : "=a"(got)
                     : [top] "r"(top), [function] "r"(function), "D"(5ull), "S"(7ull)
                     : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "memory", "cc");
    sonde_patch_remove(&request, 1);
    EXPECT(got == 22 && hit_count == 2, "got %lu, %lu hits", got, hit_count);
    return 0;
}
