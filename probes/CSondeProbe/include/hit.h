/* SPDX-License-Identifier: Apache-2.0 */
/* What a hit is: the registers of the interrupted code, and what may run on its thread.  */
#pragma once

#include <stdint.h>

/* Marks what runs at a hit: on the user's thread, maybe under the user's locks. No canary, no
   instrumentation, no instruction of AVX (the pads save XMM0-15 but not what lies above them, and
   instructions of SSE leave that alone), and a section of its own, in which no probe is set.
   Floats may be computed; MXCSR is the caller's, so set it to 0x1f80 before and restore it after:
   the program may have unmasked exceptions.  */
#if defined(__clang__)
#define SONDE_HIT_CONTEXT                                                                          \
    __attribute__((no_stack_protector, disable_sanitizer_instrumentation, target("no-avx"),       \
                   no_sanitize("undefined"), section("sonde_text")))
#else
#define SONDE_HIT_CONTEXT                                                                          \
    __attribute__((no_stack_protector, target("no-avx"), section("sonde_text")))
#endif

/* The interrupted code's registers, before the instruction at the site is executed. GPR is in
   DWARF's order: rax rdx rcx rbx rsi rdi rbp rsp r8...r15. RIP is the site's own address, RSP the
   program's stack pointer, below which 128 bytes belong to the program. 400 bytes. Must not be
   changed: what stands here is loaded again afterwards.  */
struct sonde_hit_registers {
    uint64_t gpr[16];
    uint64_t rip, rflags;
    uint64_t xmm[16][2];
};

/* HIT CONTEXT. What is called at a hit. May use a bounded part of the user's stack; takes no lock,
   calls no libc and no Swift, keeps errno.  */
typedef void (*sonde_hit_run)(void *context, struct sonde_hit_registers *registers);

/* Why a hit ran nothing.  */
enum sonde_hit_skip {
    SONDE_HIT_REENTERED = 0, /* inside another hit of the same thread */
    SONDE_HIT_MUTED = 1,     /* on a thread that is muted */
    SONDE_HIT_FORKED = 2,    /* in a child of fork, which has its parent's text */
    SONDE_HIT_FOREIGN = 3,   /* on a thread without libc's thread block */
    SONDE_HIT_SKIPS = 4,
};

/* Hits that ran nothing since the process started, by reason.  */
uint64_t sonde_hits_skipped(enum sonde_hit_skip reason);

/* Lets every hit of the calling thread run nothing (MUTED 1), or run again (0).  */
void sonde_mute_thread(int muted);

/* Waits until every hit that is running now has ended, at most TIMEOUT_NS. Returns 1 then: what
   was removed before may be freed. Returns 0 when it took longer, as when a hit was left by a jump
   out of a signal handler: keep it, and ask again later. One thread at a time; not at a hit.  */
int sonde_hits_settle(int64_t timeout_ns);
