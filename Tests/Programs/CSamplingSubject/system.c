/* SPDX-License-Identifier: Apache-2.0 */
/* Signals, processes and filters around the sampler.  */
#include "CSamplingSubject.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

uint32_t subject_errno_changes(int64_t nanoseconds)
{
    int64_t end = subject_thread_cpu() + nanoseconds;
    uint32_t changes = 0;
    do {
        errno = 4242;
        subject_burn_one(200000);
        changes += errno != 4242;
    } while (subject_thread_cpu() < end);
    return changes;
}

struct writer {
    int file;
    atomic_int done;
};

static void *write_slowly(void *context)
{
    struct writer *writer = context;
    while (!atomic_load(&writer->done)) {
        poll(0, 0, 1);
        if (write(writer->file, "x", 1) != 1)
            break;
    }
    return 0;
}

uint32_t subject_interrupted_reads(int64_t nanoseconds)
{
    int files[2];
    if (pipe2(files, O_CLOEXEC) != 0)
        return UINT32_MAX;
    struct writer writer = { .file = files[1] };
    pthread_t thread;
    pthread_create(&thread, 0, write_slowly, &writer);
    int64_t end = subject_thread_cpu() + nanoseconds;
    uint32_t interrupted = 0;
    char byte;
    while (subject_thread_cpu() < end) {
        subject_burn_one(300000);
        if (read(files[0], &byte, 1) < 0 && errno == EINTR)
            interrupted++;
    }
    atomic_store(&writer.done, 1);
    pthread_join(thread, 0);
    close(files[0]);
    close(files[1]);
    return interrupted;
}

static atomic_ullong taken;

static void count_signal(int signal)
{
    (void)signal;
    atomic_fetch_add(&taken, 1);
}

int subject_take_signal(int signal)
{
    struct sigaction action = { 0 };
    action.sa_handler = count_signal;
    action.sa_flags = SA_RESTART;
    return sigaction(signal, &action, 0) == 0 ? 0 : errno;
}

uint64_t subject_taken_signals(void)
{
    return atomic_load(&taken);
}

int subject_signal_owner(int signal)
{
    struct sigaction action;
    sigaction(signal, 0, &action);
    if (!(action.sa_flags & SA_SIGINFO) && action.sa_handler == SIG_DFL)
        return 2;
    return !(action.sa_flags & SA_SIGINFO) && action.sa_handler == count_signal;
}

void subject_drop_signal(int number)
{
    signal(number, SIG_DFL);
}

void subject_mask_signal(int signal, int block)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(block ? SIG_BLOCK : SIG_UNBLOCK, &set, 0);
}

int subject_fork(int (*child)(void *context), void *context)
{
    pid_t pid = fork();
    if (pid < 0)
        return -1;
    if (pid == 0)
        _exit(child(context));
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return status;
}

int subject_timers(void)
{
    FILE *file = fopen("/proc/self/timers", "re");
    if (file == 0)
        return -1;
    char line[256];
    int count = 0;
    while (fgets(line, sizeof line, file) != 0)
        count += line[0] == 'I' && line[1] == 'D' && line[2] == ':';
    fclose(file);
    return count;
}

int subject_forbid_guarded_reads(int kill)
{
    struct sock_filter instructions[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, kill ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { 4, instructions };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return errno;
    return 0;
}

static void *burn_main(void *context)
{
    subject_burn_for((int64_t)context);
    return 0;
}

int subject_run_threads(uint32_t count, int64_t nanoseconds_each)
{
    enum { AT_ONCE = 8 };
    pthread_t threads[AT_ONCE];
    for (uint32_t done = 0; done < count;) {
        uint32_t started = 0;
        while (started < AT_ONCE && done < count) {
            int status =
                pthread_create(&threads[started], 0, burn_main, (void *)nanoseconds_each);
            if (status != 0)
                return status;
            started++;
            done++;
        }
        for (uint32_t i = 0; i < started; i++)
            pthread_join(threads[i], 0);
    }
    return 0;
}

void subject_unblock_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, 0);
}

void subject_limit_signals(uint64_t count)
{
    struct rlimit limit = { count, count };
    setrlimit(RLIMIT_SIGPENDING, &limit);
}

void subject_limit_files(uint64_t count)
{
    struct rlimit limit = { count, count };
    setrlimit(RLIMIT_NOFILE, &limit);
}

void subject_buffer_lines(void)
{
    setvbuf(stdout, 0, _IOLBF, 0);
}

uint64_t subject_stack_address(void)
{
    return (uint64_t)__builtin_frame_address(0) & ~(uint64_t)7;
}
