/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that misbehave on purpose, for the sampler's tests. Times are in nanoseconds.  */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Three functions that burn CPU; each stands in a section of its own.  */
uint64_t subject_burn_one(uint64_t rounds);
uint64_t subject_burn_two(uint64_t rounds);
uint64_t subject_burn_three(uint64_t rounds);

/* The text of burn function 1, 2 or 3 as [*start, *limit).  */
void subject_burn_range(int which, uint64_t *start, uint64_t *limit);

/* CPU time of the calling thread.  */
int64_t subject_thread_cpu(void);

/* Burns CPU of the calling thread for a time, in ordinary code.  */
void subject_burn_for(int64_t nanoseconds);

/* Burns CPU for a time with the frame pointer register holding FRAME_POINTER all along.  */
void subject_burn_with_frame_pointer(uint64_t frame_pointer, int64_t nanoseconds);

/* Recurses DEPTH times with a frame pointer in each call, then burns for a time.  */
void subject_burn_deep(uint32_t depth, int64_t nanoseconds);

/* Pages: a readable one, then one that cannot be accessed. Returns the limit between them.  */
uint64_t subject_page_end(void);
/* A page that is mapped without any access, and one that was unmapped.  */
uint64_t subject_forbidden_page(void);
uint64_t subject_unmapped_page(void);

/* Runs the burning for a time on COUNT fibers (makecontext) of STACK_BYTES each, whose stacks are
   mapped and unmapped all the time. Returns how many fibers ran.  */
uint32_t subject_burn_on_fibers(uint32_t count, size_t stack_bytes, int64_t nanoseconds);

/* Starts a thread with a stack of STACK_BYTES, guarded or not, that burns for a time; waits for
   it. Returns 0, or errno.  */
int subject_burn_on_small_stack(size_t stack_bytes, int guarded, int64_t nanoseconds);

/* Burns while the calling thread has a painted alternate signal stack. Returns the bytes of it
   that a handler touched, and the bytes that the kernel needs for its frame in *KERNEL_BYTES.  */
size_t subject_painted_alternate_stack(int64_t nanoseconds, size_t *kernel_bytes);

/* Burns in a signal handler on an alternate stack, so that our handler nests into it.  */
void subject_burn_in_handler_on_alternate_stack(int64_t nanoseconds);

/* Sets errno, burns, and counts how often errno changed.  */
uint32_t subject_errno_changes(int64_t nanoseconds);

/* Reads from a pipe that a busy writer fills slowly, burning CPU in between, and counts EINTR.  */
uint32_t subject_interrupted_reads(int64_t nanoseconds);

/* Installs a handler for a signal that counts its calls. Returns 0 or errno.  */
int subject_take_signal(int signal);
uint64_t subject_taken_signals(void);
/* Whether that handler is still the one of the signal: 1 or 0; 2 when it is the default.  */
int subject_signal_owner(int signal);
/* Sets the default action of a signal.  */
void subject_drop_signal(int signal);

/* Blocks or unblocks a signal in the calling thread.  */
void subject_mask_signal(int signal, int block);

/* Forks; the child calls CHILD, whose result is its exit status. Returns the child's status as
   waitpid does, or -1.  */
int subject_fork(int (*child)(void *context), void *context);

/* The number of POSIX timers of this process (/proc/self/timers), or -1.  */
int subject_timers(void);

/* Forbids process_vm_readv to this process from now on: with an error, or by killing the caller.
   Returns 0 or errno.  */
int subject_forbid_guarded_reads(int kill);

/* Starts COUNT threads, eight at a time, that burn for a time each; waits for them. Returns 0, or
   errno.  */
int subject_run_threads(uint32_t count, int64_t nanoseconds_each);

/* Lets every signal through: a test runner's children inherit what its threads block.  */
void subject_unblock_signals(void);

/* Limits this process's queued signals (each timer is one) or its open files.  */
void subject_limit_signals(uint64_t count);
void subject_limit_files(uint64_t count);

/* Makes standard output appear line by line, also in a pipe.  */
void subject_buffer_lines(void);

/* An address inside the calling thread's stack, 8-aligned.  */
uint64_t subject_stack_address(void);
