/* SPDX-License-Identifier: Apache-2.0 */
/* Listing threads and arming timers on their CPU clocks; ordinary context, system calls only.  */
#include "sonde_threads.h"

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "machine.h"
#include "state.h"

#define TASKS "/proc/self/task"
#define NANOSECONDS 1000000000

/* The kernel's directory entry (getdents64(2)); libc's may differ.  */
struct entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

/* The clock of a thread: the kernel's CPUCLOCK_SCHED with CPUCLOCK_PERTHREAD_MASK.  */
static int32_t clock_of(int32_t tid)
{
    return (int32_t)(~(uint32_t)tid << 3 | 6);
}

static int64_t nanoseconds(const struct timespec *time)
{
    return (int64_t)time->tv_sec * NANOSECONDS + time->tv_nsec;
}

static int64_t read_clock(int32_t clock)
{
    struct timespec time = { 0, 0 };
    long status = sonde_sig_syscall(SYS_clock_gettime, clock, (long)&time, 0, 0);
    return status < 0 ? status : nanoseconds(&time);
}

/* The number that a directory entry's name spells, or 0 when it is none.  */
static int32_t number(const char *name)
{
    int64_t value = 0;
    for (int i = 0; name[i] != 0; i++) {
        if (name[i] < '0' || name[i] > '9' || i > 9)
            return 0;
        value = value * 10 + (name[i] - '0');
    }
    return value > INT32_MAX ? 0 : (int32_t)value;
}

int32_t sonde_list_threads(int32_t *tids, int32_t capacity)
{
    _Alignas(8) char buffer[8192];
    int32_t found = 0;
    long file = sonde_sig_syscall(SYS_openat, AT_FDCWD, (long)TASKS,
                                  O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (file < 0)
        return (int32_t)file;
    long bytes;
    while ((bytes = sonde_sig_syscall(SYS_getdents64, file, (long)buffer, sizeof buffer, 0)) > 0) {
        for (long place = 0; place < bytes;) {
            /* Safety: the kernel fills whole entries, 8-aligned, with lengths that end inside.  */
            const struct entry *entry = (const struct entry *)(buffer + place);
            int32_t tid = number(entry->name);
            if (tid > 0 && found < capacity)
                tids[found] = tid;
            found += tid > 0;
            place += entry->length;
        }
    }
    sonde_sig_syscall(SYS_close, file, 0, 0, 0);
    return bytes < 0 ? (int32_t)bytes : found;
}

int32_t sonde_thread_id(void)
{
    return (int32_t)sonde_sig_syscall(SYS_gettid, 0, 0, 0, 0);
}

void sonde_name_thread(const char *name)
{
    sonde_sig_syscall(SYS_prctl, PR_SET_NAME, (long)name, 0, 0);
}

int32_t sonde_thread_count(void)
{
    struct stat status;
    long result = sonde_sig_syscall(SYS_newfstatat, AT_FDCWD, (long)TASKS, (long)&status, 0);
    if (result < 0)
        return (int32_t)result;
    /* One link for each thread besides "." and "..".  */
    return status.st_nlink > 2 ? (int32_t)status.st_nlink - 2 : 0;
}

int32_t sonde_timer_arm(int32_t tid, uint32_t slot, uint32_t period_ns, uint32_t first_ns)
{
    uint32_t session =
        atomic_load_explicit(&sonde_sig_state.session, memory_order_relaxed);
    struct sigevent event = { 0 };
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = sonde_used_signal();
    event._sigev_un._tid = tid;
    /* Safety: never dereferenced; carries three numbers to the handler.  */
    event.sigev_value.sival_ptr = (void *)sonde_sig_pack(session, slot, period_ns);
    int timer = 0;
    long status =
        sonde_sig_syscall(SYS_timer_create, clock_of(tid), (long)&event, (long)&timer, 0);
    if (status < 0)
        return (int32_t)status;
    struct itimerspec times = {
        .it_interval = { period_ns / NANOSECONDS, period_ns % NANOSECONDS },
        .it_value = { first_ns / NANOSECONDS, first_ns % NANOSECONDS },
    };
    status = sonde_sig_syscall(SYS_timer_settime, timer, 0, (long)&times, 0);
    if (status < 0) {
        sonde_timer_delete(timer);
        return (int32_t)status;
    }
    return timer;
}

void sonde_timer_delete(int32_t timer)
{
    sonde_sig_syscall(SYS_timer_delete, timer, 0, 0, 0);
}

int sonde_timer_is_dead(int32_t timer)
{
    struct itimerspec times = { 0 };
    long status = sonde_sig_syscall(SYS_timer_gettime, timer, (long)&times, 0, 0);
    /* The kernel answers an armed timer of a living thread with at least one nanosecond.  */
    return status < 0 || nanoseconds(&times.it_value) == 0;
}

int64_t sonde_thread_cpu_ns(int32_t tid)
{
    return read_clock(clock_of(tid));
}

int64_t sonde_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t sonde_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}

uint64_t sonde_ticks(void)
{
    return sonde_sig_ticks();
}
