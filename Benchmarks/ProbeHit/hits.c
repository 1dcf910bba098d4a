/* SPDX-License-Identifier: Apache-2.0 */
/* What a hit costs, against a bare SIGTRAP in the same run.  */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "patch.h"

#define ROUNDS 15

/* A function with room for a jump at its start and none at its second instruction, because a
   branch goes to the third.  */
extern const char bench_subject[], bench_subject_trap[], bench_subject_end[], bench_int3[];
__asm__(".text\n.balign 16\n"
        ".globl bench_subject\n"
        "bench_subject:\n"
        "leaq 16(%rdi,%rsi), %rax\n"
        "bench_subject_trap:\n"
        "nop\n"
        "1: incq %rax\n"
        "testq %rdi, %rdi\n"
        "js 1b\n"
        "ret\n"
        "bench_subject_end:\n"
        ".balign 16\n"
        "bench_int3: int3\n"
        "ret\n");

static double cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* The best of several rounds of COUNT calls.  */
static double measure(const char *code, int count)
{
    long (*volatile function)(long, long) = (long (*)(long, long))code;
    double best = 1e18;
    for (int round = 0; round < ROUNDS; round++) {
        double before = cpu_ns();
        for (int i = 0; i < count; i++)
            function(i, i);
        double each = (cpu_ns() - before) / count;
        best = each < best ? each : best;
    }
    return best;
}

static void run_nothing(void *context, struct sonde_hit_registers *registers)
{
    (void)context;
    (void)registers;
}

static void return_at_once(int signal)
{
    (void)signal;
}

static int measure_site(const char *address, enum sonde_patch_form form, int count, double *ns)
{
    struct sonde_patch_outcome outcome;
    struct sonde_patch_request request = {
        .address = (uint64_t)address,
        .function_start = (uint64_t)bench_subject,
        .function_end = (uint64_t)bench_subject_end,
        .run = run_nothing,
    };
    if (sonde_patch_install(&request, 1, &outcome) != SONDE_PATCH_OK || outcome.form != form) {
        fprintf(stderr, "cannot install: %s, form %d\n", sonde_patch_words(outcome.status),
                outcome.form);
        return -1;
    }
    *ns = measure(bench_subject, count);
    sonde_patch_remove(&request, 1);
    return 0;
}

int bench_hits(struct bench_hits *hits)
{
    signal(SIGTRAP, return_at_once);
    hits->call_ns = measure(bench_subject, 1000000);
    hits->bare_trap_ns = measure(bench_int3, 50000) - hits->call_ns;
    if (measure_site(bench_subject, SONDE_PATCH_JUMP, 1000000, &hits->jump_ns) != 0 ||
        measure_site(bench_subject_trap, SONDE_PATCH_TRAP, 50000, &hits->trap_ns) != 0)
        return -1;
    hits->jump_ns -= hits->call_ns;
    hits->trap_ns -= hits->call_ns;
    return 0;
}
