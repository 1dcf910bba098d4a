/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's insides for its tests.  */
#include "CMachineSubject.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../probes/CSondeProbe/machine_state.h"

void subject_take(uint64_t interval, uint64_t tolerance, const uint64_t *times, uint32_t count,
                  uint8_t *taken)
{
    struct sonde_bucket bucket = { .interval = interval, .tolerance = tolerance };
    for (uint32_t i = 0; i < count; i++)
        taken[i] = (uint8_t)sonde_hit_bucket_take(&bucket, times[i]);
}

static void *take_ring(void *got)
{
    uint8_t *body;
    enum sonde_record_loss loss;
    *(int *)got = sonde_hit_ring_take(&sonde_machine_thread, 100, &body, &loss) != 0;
    return 0;
}

int subject_abandon_ring(void)
{
    pthread_t thread;
    int got = 0;
    if (pthread_create(&thread, 0, take_ring, &got) != 0)
        return 0;
    pthread_join(thread, 0);
    return got;
}

int subject_in_child(int (*run)(void *context), void *context)
{
    pid_t child = fork();
    if (child == 0)
        _exit(run(context));
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

struct job {
    void (*run)(void *context);
    void *context;
};

static void *do_job(void *argument)
{
    struct job *job = argument;
    job->run(job->context);
    return 0;
}

void subject_on_thread(uint64_t stack_bytes, void (*run)(void *context), void *context)
{
    struct job job = { run, context };
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes);
    if (pthread_create(&thread, &attributes, do_job, &job) == 0)
        pthread_join(thread, 0);
    pthread_attr_destroy(&attributes);
}

uint32_t subject_thread_number(void)
{
    return (uint32_t)gettid();
}

int subject_touch(uint64_t address)
{
    return *(volatile char *)address;
}

static int exit_status;
static struct sigaction before;

static void leave(int signal)
{
    (void)signal;
    _exit(exit_status);
}

static void pass(int signal, siginfo_t *info, void *context)
{
    before.sa_sigaction(signal, info, context);
}

void subject_handle(int signal, int status)
{
    struct sigaction action = { 0 };
    if (status != 0) {
        exit_status = status;
        action.sa_handler = leave;
        sigaction(signal, &action, 0);
    } else {
        action.sa_sigaction = pass;
        action.sa_flags = SA_SIGINFO;
        sigaction(signal, &action, &before);
    }
}

void subject_block(int signal)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    pthread_sigmask(SIG_BLOCK, &set, 0);
}

void subject_send(int signal)
{
    pthread_kill(pthread_self(), signal);
}

int subject_forbid_reads(int kill)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K,
                 kill ? SECCOMP_RET_KILL_PROCESS : SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof code / sizeof code[0], code };
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}
