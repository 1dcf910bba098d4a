/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent needs of the process around it and Swift's view of glibc does not offer: threads
   with a name and without signals, waits by the monotonic clock, forks.
   Ordinary context throughout: none of this runs in a signal handler.  */
#pragma once
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Starts a thread with every signal but faults blocked and a stack of STACK_SIZE_BYTES, and names
   it NAME (at most 15 bytes). It runs BODY(CONTEXT). The caller's own signal mask is as before on return.
   Returns 0 or an error number; *THREAD is set on success only.  */
int sonde_agent_thread_start(pthread_t *thread, const char *name, size_t stack_size_bytes,
                       void (*body)(void *context), void *context);

/* CPU time of THREAD, which was not joined yet, in nanoseconds; 0 when it has ended.  */
uint64_t sonde_agent_thread_cpu_ns(pthread_t thread);

/* Makes the calling thread the last to run when others want the processor.  */
void sonde_agent_thread_lower_priority(void);

/* A flag that threads wait for. It stays raised until it is lowered.  */
typedef struct sonde_agent_flag {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool raised;
} sonde_agent_flag;

int sonde_agent_flag_init(sonde_agent_flag *flag);
void sonde_agent_flag_destroy(sonde_agent_flag *flag);
void sonde_agent_flag_raise(sonde_agent_flag *flag);
/* Waits until the flag is raised or the monotonic clock shows DEADLINE_NS, and lowers it when
   LOWER says so. Returns whether it was raised.  */
bool sonde_agent_flag_wait(sonde_agent_flag *flag, uint64_t deadline_ns, bool lower);

/* The monotonic clock and the clock of the whole process's CPU time, in nanoseconds.  */
uint64_t sonde_agent_monotonic_ns(void);
uint64_t sonde_agent_process_cpu_ns(void);
