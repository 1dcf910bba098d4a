/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, waits and clocks of the process; see CSondeProcess.h.  */
#include "CSondeProcess.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct start {
    void (*body)(void *context);
    void *context;
    char name[16];
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    start.body(start.context);
    return NULL;
}

int sonde_agent_thread_start(pthread_t *thread, const char *name, size_t stack_size_bytes,
                       void (*body)(void *context), void *context) {
    struct start *start = calloc(1, sizeof *start);
    if (start == NULL) return ENOMEM;
    start->body = body;
    start->context = context;
    strncpy(start->name, name, sizeof start->name - 1);

    pthread_attr_t attributes;
    int status = pthread_attr_init(&attributes);
    if (status != 0) {
        free(start);
        return status;
    }
    /* A size that the system refuses leaves the default, which is larger.  */
    (void)pthread_attr_setstacksize(&attributes, stack_size_bytes);
    /* A thread inherits its creator's mask, so this one never sees a signal of the program's.  */
    sigset_t all, before;
    sigfillset(&all);
    /* A fault cannot wait; it is for whoever reports the program's crashes.  */
    const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    status = pthread_create(thread, &attributes, run, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (status != 0) free(start);
    return status;
}

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec now = {0};
    if (clock_gettime(clock, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t sonde_agent_thread_cpu_ns(pthread_t thread) {
    clockid_t clock;
    if (pthread_getcpuclockid(thread, &clock) != 0) return 0;
    return nanoseconds(clock);
}

void sonde_agent_thread_lower_priority(void) {
    /* On Linux this is about the calling thread alone; where it is refused, nothing is lost.  */
    (void)setpriority(PRIO_PROCESS, 0, 10);
}

int sonde_agent_flag_init(sonde_agent_flag *flag) {
    flag->raised = false;
    int status = pthread_mutex_init(&flag->mutex, NULL);
    if (status != 0) return status;
    pthread_condattr_t attributes;
    status = pthread_condattr_init(&attributes);
    if (status == 0) {
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
        status = pthread_cond_init(&flag->condition, &attributes);
        pthread_condattr_destroy(&attributes);
    }
    if (status != 0) pthread_mutex_destroy(&flag->mutex);
    return status;
}

void sonde_agent_flag_destroy(sonde_agent_flag *flag) {
    pthread_cond_destroy(&flag->condition);
    pthread_mutex_destroy(&flag->mutex);
}

void sonde_agent_flag_raise(sonde_agent_flag *flag) {
    pthread_mutex_lock(&flag->mutex);
    flag->raised = true;
    pthread_cond_broadcast(&flag->condition);
    pthread_mutex_unlock(&flag->mutex);
}

bool sonde_agent_flag_wait(sonde_agent_flag *flag, uint64_t deadline_ns, bool lower) {
    struct timespec deadline = {.tv_sec = (time_t)(deadline_ns / 1000000000u),
                                .tv_nsec = (long)(deadline_ns % 1000000000u)};
    pthread_mutex_lock(&flag->mutex);
    int status = 0;
    while (!flag->raised && status == 0)
        status = pthread_cond_timedwait(&flag->condition, &flag->mutex, &deadline);
    bool raised = flag->raised;
    if (lower) flag->raised = false;
    pthread_mutex_unlock(&flag->mutex);
    return raised;
}

uint64_t sonde_agent_monotonic_ns(void) { return nanoseconds(CLOCK_MONOTONIC); }

uint64_t sonde_agent_process_cpu_ns(void) { return nanoseconds(CLOCK_PROCESS_CPUTIME_ID); }
