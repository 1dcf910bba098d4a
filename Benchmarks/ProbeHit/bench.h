/* SPDX-License-Identifier: Apache-2.0 */
/* The measurements of this benchmark.  */
#pragma once

#include <stdint.h>

/* Prints what becomes of the addresses that STATEMENTS lists, one in hexadecimal a line, of the ELF
   file IMAGE. Sets the share that gets a jump, one site at a time, of those that can be patched.
   Returns 0 or -1.  */
int bench_share(const char *image, const char *statements, double *share_of_jumps);

/* Nanoseconds of CPU time for a hit that runs nothing, by jump and by trap, and for an int3 whose
   handler only returns.  */
struct bench_hits {
    double call_ns, jump_ns, trap_ns, bare_trap_ns;
};

/* Nanoseconds of CPU time for a hit of a kernel uprobe that counts. Returns 0, or -1 and says why the
   machine has none.  */
int bench_uprobe(double *ns);

/* Prints this process's number, and then for each line of input what a call of a function takes on
   which other tools have their probes. Returns 0 at the end of the input.  */
int bench_serve(void);

/* Measures them, the best of several rounds. Returns 0, or -1 when nothing could be installed.  */
int bench_hits(struct bench_hits *hits);
