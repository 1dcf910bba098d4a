/* SPDX-License-Identifier: Apache-2.0 */
/* System calls without libc, for hits and for what patches: no errno, no PLT, nothing that a probe
   could have been set on.  */
#pragma once

#include <stdint.h>

#include "hit.h"

#if !defined(__x86_64__) || !defined(__linux__)
#error "CSondeProbe knows Linux on x86-64; want a port of its pads, relocation and system calls"
#endif

/* HIT CONTEXT. One system call; returns what the kernel returns: -errno on failure.  */
SONDE_HIT_CONTEXT
static inline long sonde_hit_syscall6(long number, long a, long b, long c, long d, long e, long f)
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

/* HIT CONTEXT. The same with up to four arguments.  */
SONDE_HIT_CONTEXT
static inline long sonde_hit_syscall(long number, long a, long b, long c, long d)
{
    return sonde_hit_syscall6(number, a, b, c, d, 0, 0);
}
