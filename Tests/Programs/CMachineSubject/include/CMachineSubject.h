/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the probe machine need of its insides and Swift cannot do: buckets with a given
   clock, threads that end in the middle of a record, forks.  */
#pragma once

#include <stdint.h>

/* Takes one event of a bucket at each of COUNT ascending TIMES; TAKEN[I] tells whether it passed.  */
void subject_take(uint64_t interval, uint64_t tolerance, const uint64_t *times, uint32_t count,
                  uint8_t *taken);

/* Starts a thread that takes a ring for a record and ends without giving it. Waits for its end.
   Returns 1 when it got a ring.  */
int subject_abandon_ring(void);

/* Calls RUN in a child of fork and returns what it returned, or -1 when the child ended otherwise.  */
int subject_in_child(int (*run)(void *context), void *context);

/* Calls RUN on a new thread with a stack of STACK_BYTES and waits for its end.  */
void subject_on_thread(uint64_t stack_bytes, void (*run)(void *context), void *context);

/* The calling thread's number, as the kernel counts it.  */
uint32_t subject_thread_number(void);

/* Loads a byte at ADDRESS, whatever is there.  */
int subject_touch(uint64_t address);

/* Installs a handler for SIGNAL that ends the process with STATUS; or, where STATUS is 0, one that
   calls the handler that was there before.  */
void subject_handle(int signal, int status);

/* Blocks SIGNAL on the calling thread.  */
void subject_block(int signal);

/* Sends SIGNAL to the calling thread.  */
void subject_send(int signal);

/* Lets a filter forbid process_vm_readv from now on: by killing the process (KILL 1) or by EPERM (0).
   Returns 1 when the kernel took it.  */
int subject_forbid_reads(int kill);
