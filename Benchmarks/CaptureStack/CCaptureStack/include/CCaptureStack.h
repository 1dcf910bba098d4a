/* SPDX-License-Identifier: Apache-2.0 */
/* Captures one interrupted stack again and again, by our handler and by libunwind.  */
#pragma once

#include <stdint.h>

struct capture_result {
    uint32_t depth;       /* of the stack that was interrupted, as libunwind sees it */
    uint32_t sonde_depth; /* as our handler sees it, stack verified */
    uint32_t guarded_depth;
    uint32_t stack_bytes; /* from the interrupted stack pointer to the root's frame */
    double empty_ns;      /* the handler with nothing to do: a signal of somebody else */
    double sonde_ns;      /* the whole handler; stack verified, plain loads */
    double guarded_ns;    /* the whole handler; stack not verified, process_vm_readv */
    double libunwind_ns;  /* unw_init_local2 and unw_step to the root, its caches warm */
    double backtrace_ns;  /* unw_backtrace, which caches whole frames and sees less */
};

/* Recurses DEPTH times, is interrupted by a timer of the sampler, and measures ROUNDS captures of
   each kind in that signal's handler; the best of REPEATS is taken. Returns 0, or a number that
   says which step failed.  */
int capture_compare(uint32_t depth, uint32_t rounds, uint32_t repeats,
                    struct capture_result *result);
