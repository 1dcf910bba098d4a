/* SPDX-License-Identifier: Apache-2.0 */
/* The processor and the kernel without libc: a call through the PLT may run the dynamic linker on
   the interrupted stack, and libc's wrappers set errno.  */
#pragma once

#include <stdint.h>

#if !defined(__x86_64__) || !defined(__linux__)
#error "CSondeSignal knows Linux on x86-64; want a port of this file and of unwind.c"
#endif

/* SIGNAL CONTEXT. One system call; returns what the kernel returns: -errno on failure.  */
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
static inline long sonde_sig_syscall(long number, long a, long b, long c, long d)
{
    return sonde_sig_syscall6(number, a, b, c, d, 0, 0);
}

/* SIGNAL CONTEXT. The time stamp counter: 20 cycles, no stack, no vdso.  */
static inline uint64_t sonde_sig_ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}
