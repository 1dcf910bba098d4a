/* SPDX-License-Identifier: Apache-2.0 */
/* A fork waits until our threads are at rest; see CSondeLock.h.

   A child of fork has a copy of every lock as it was at that moment, and no thread that would ever
   release it. Our own locks a child leaves alone, but our threads also take those of the Swift
   runtime, of the loader, of libcurl and of OpenSSL, which the program's code in the child needs
   and which glibc does not look after. While our threads rest they hold none.  */
#include "CSondeLock.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Everything below is behind `lock`, which a forking thread holds across its fork.  */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t at_rest;
static pthread_cond_t reopened = PTHREAD_COND_INITIALIZER;
static int working;         /* threads inside of the gate */
static int closing;         /* threads that are about to fork */
static int64_t last_vain_ms; /* when a fork last waited in vain; 0 for never */

/* How deep the calling thread's work is nested.  */
static _Thread_local int depth;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static int64_t now_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void make_conditions(void)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0) return;
    /* A clock that nobody sets.  */
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&at_rest, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_cond_init(&reopened, NULL);
}

/* Waits for our threads, but not for ever: one of them may in turn wait for a lock that the
   forking thread holds, or for a slow disk.  */
static void before_fork(void)
{
    pthread_mutex_lock(&lock);
    closing += 1;
    int64_t now = now_ms();
    bool was_vain = last_vain_ms != 0 && now - last_vain_ms < 10000;
    int64_t end = now + (was_vain ? SONDE_FORK_SHORT_PATIENCE_MS : SONDE_FORK_PATIENCE_MS);
    struct timespec deadline = {.tv_sec = end / 1000, .tv_nsec = end % 1000 * 1000000};
    int own = depth > 0 ? 1 : 0;
    int status = 0;
    while (working > own && status == 0)
        status = pthread_cond_timedwait(&at_rest, &lock, &deadline);
    if (working > own) last_vain_ms = now_ms();
}

static void after_fork_in_parent(void)
{
    closing -= 1;
    pthread_cond_broadcast(&reopened);
    pthread_mutex_unlock(&lock);
}

/* Here is one thread, which held the lock; nobody waits for it.  */
static void after_fork_in_child(void)
{
    pthread_mutex_init(&lock, NULL);
    make_conditions();
    closing = 0;
    working = depth > 0 ? 1 : 0;
    last_vain_ms = 0;
}

static void prepare(void)
{
    make_conditions();
    /* Where this is refused, for lack of memory, forks are as they would be without us.  */
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

static void begin(void)
{
    pthread_mutex_lock(&lock);
    while (closing > 0) pthread_cond_wait(&reopened, &lock);
    working += 1;
    pthread_mutex_unlock(&lock);
}

static void end(void)
{
    pthread_mutex_lock(&lock);
    working -= 1;
    if (closing > 0) pthread_cond_broadcast(&at_rest);
    pthread_mutex_unlock(&lock);
}

void sonde_fork_gate_enter(void)
{
    pthread_once(&once, prepare);
    if (depth == 0) begin();
    depth += 1;
}

void sonde_fork_gate_leave(void)
{
    if (depth == 0) return;
    depth -= 1;
    if (depth == 0) end();
}

int sonde_fork_gate_pause(void)
{
    int paused = depth;
    if (paused > 0) {
        depth = 0;
        end();
    }
    return paused;
}

void sonde_fork_gate_resume(int paused)
{
    if (paused <= 0) return;
    begin();
    depth = paused;
}
