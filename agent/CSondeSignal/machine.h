/* SPDX-License-Identifier: Apache-2.0 */
/* The processor and the kernel without libc: a call through the PLT may run the dynamic linker on
   the interrupted stack, and libc's wrappers set errno.  */
#pragma once

#include <stdint.h>

#if !defined(__x86_64__) || !defined(__linux__)
#error "CSondeSignal knows Linux on x86-64; want a port of this file and of unwind.c"
#endif

/* Marks what may run in the handler: no canary, and no instrumentation when the host is built with
   a sanitizer, whose runtime takes locks and would report our reads of others' stacks.  */
#if defined(__clang__)
#define SONDE_SIGNAL_CONTEXT                                                                       \
    __attribute__((no_stack_protector, disable_sanitizer_instrumentation,                         \
                   no_sanitize("undefined")))
#else
#define SONDE_SIGNAL_CONTEXT __attribute__((no_stack_protector))
#endif

/* SIGNAL CONTEXT. One system call; returns what the kernel returns: -errno on failure.  */
SONDE_SIGNAL_CONTEXT
static inline long sonde_sig_syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* SIGNAL CONTEXT. The same with up to four arguments.  */
SONDE_SIGNAL_CONTEXT
static inline long sonde_sig_syscall(long number, long a, long b, long c, long d)
{
    return sonde_sig_syscall6(number, a, b, c, d, 0, 0);
}

/* SIGNAL CONTEXT. The time stamp counter: 20 cycles, no stack, no vdso.  */
SONDE_SIGNAL_CONTEXT
static inline uint64_t sonde_sig_ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
