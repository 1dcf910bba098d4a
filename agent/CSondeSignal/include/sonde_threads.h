/* SPDX-License-Identifier: Apache-2.0 */
/* The threads of this process and timers on their CPU clocks, by system calls. No file stays
   open: a descriptor could be closed by the host and then be somebody else's.  */
#pragma once

#include <stdint.h>

/* Lists the threads of this process. Writes at most CAPACITY thread ids to TIDS. Returns their
   number in all, or -errno. Threads that end meanwhile may make it miss one that lives.  */
int32_t sonde_list_threads(int32_t *tids, int32_t capacity);

/* The calling thread's id.  */
int32_t sonde_thread_id(void);

/* Names the calling thread, cut to 15 bytes.  */
void sonde_name_thread(const char *name);

/* The number of threads of this process by one stat, or -errno.  */
int32_t sonde_thread_count(void);

/* Arms a timer on the CPU clock of thread TID that sends our signal to that thread each PERIOD_NS
   (1...SONDE_MAX_PERIOD_NS), first after FIRST_NS. Needs sonde_install. Returns the timer's id,
   >= 0, or -errno: EAGAIN when the user's limit of queued signals is reached, EINVAL or ESRCH when
   the thread is gone.  */
int32_t sonde_timer_arm(int32_t tid, uint32_t slot, uint32_t period_ns, uint32_t first_ns);

/* Deletes a timer that sonde_timer_arm returned.  */
void sonde_timer_delete(int32_t timer);

/* Whether the timer's thread is gone: 1 or 0. A thread that got the same id later does not make
   it alive again.  */
int sonde_timer_is_dead(int32_t timer);

/* The CPU time of a thread of this process in nanoseconds, or -errno.  */
int64_t sonde_thread_cpu_ns(int32_t tid);

/* The monotonic clock and the wall clock in nanoseconds, and the time stamp counter that
   handler_ticks are counted in.  */
int64_t sonde_monotonic_ns(void);
int64_t sonde_wall_ns(void);
uint64_t sonde_ticks(void);
