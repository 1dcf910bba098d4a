/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: handlers that are probed, the program's own SIGTRAP, and jumps out of hits.  */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenarios.h"
#include "subject.h"

/* A site that cannot be a jump: a branch target right behind a short instruction.  */
static struct sonde_patch_request trap_request(void)
{
    struct code code = code_loop_inside();
    return request_at(code, code.start);
}

static volatile uint64_t handler_result;

static void probed_handler(int signal)
{
    (void)signal;
    handler_result = call_code(code_loop_inside(), 3, 7);
}

/* A handler that blocks every signal while it runs code with a trap in it: before and after the
   handler was installed.  */
int scenario_signal_handler(void)
{
    struct sonde_patch_request request = trap_request();
    struct sonde_patch_outcome outcome;
    struct sigaction action = { .sa_handler = probed_handler };
    uint64_t detail;
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, 0);
    EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_OK, "refused");
    EXPECT(outcome.form == SONDE_PATCH_TRAP, "want a trap");
    raise(SIGUSR1);
    EXPECT(handler_result == 21 && hit_count == 1, "%lu hits", hit_count);
    sigaction(SIGUSR2, &action, 0);
    raise(SIGUSR2);
    EXPECT(handler_result == 21 && hit_count == 2, "%lu hits", hit_count);
    EXPECT(sonde_patch_counters().unblocked_handlers == 1, "counter");
    EXPECT(sonde_patch_check(&detail) == SONDE_PATCH_OK, "check");
    sigaction(SIGUSR2, 0, &action);
    EXPECT(sigismember(&action.sa_mask, SIGINT) == 1 &&
               sigismember(&action.sa_mask, SIGTRAP) == 0 && action.sa_handler == probed_handler,
           "the handler is another one");
    return 0;
}

static volatile sig_atomic_t foreign_traps;

static void foreign_handler(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    foreign_traps += 1;
    /* The program's own handler is probed as well.  */
    handler_result = call_code(code_loop_inside(), 3, 7);
}

static void set_foreign(void)
{
    struct sigaction action = { .sa_sigaction = foreign_handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGTRAP, &action, 0);
}

/* The program has a handler for SIGTRAP: its own int3 and signals sent still reach it.  */
int scenario_foreign_before(void)
{
    struct sonde_patch_request request = trap_request();
    struct sonde_patch_outcome outcome;
    set_foreign();
    EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_OK, "refused");
    EXPECT(call_code(code_loop_inside(), 3, 7) == 21, "result");
    EXPECT(foreign_traps == 0 && hit_count == 1, "ours went to the program");
    __asm__ volatile("int3");
    EXPECT(foreign_traps == 1 && hit_count == 2, "%d, %lu hits", (int)foreign_traps, hit_count);
    raise(SIGTRAP);
    EXPECT(foreign_traps == 2 && hit_count == 3, "%d, %lu hits", (int)foreign_traps, hit_count);
    __asm__ volatile(".byte 0xcd, 3"); /* int 3, in two bytes */
    EXPECT(foreign_traps == 3 && hit_count == 4, "%d, %lu hits", (int)foreign_traps, hit_count);
    sonde_patch_remove(&request, 1);
    __asm__ volatile("int3");
    EXPECT(foreign_traps == 4 && hit_count == 4, "%d, %lu hits", (int)foreign_traps, hit_count);
    return 0;
}

/* The program takes SIGTRAP later: noticed, put in front again, both work.  */
int scenario_foreign_after(void)
{
    struct sonde_patch_request request = trap_request();
    struct sonde_patch_outcome outcome;
    uint64_t detail;
    EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_OK, "refused");
    set_foreign();
    EXPECT(sonde_patch_check(&detail) == SONDE_PATCH_OK, "check");
    EXPECT(sonde_patch_counters().retaken_handlers == 1, "not retaken");
    EXPECT(call_code(code_loop_inside(), 3, 7) == 21, "result");
    EXPECT(hit_count == 1 && foreign_traps == 0, "%lu hits", hit_count);
    __asm__ volatile("int3");
    EXPECT(foreign_traps == 1, "%d", (int)foreign_traps);
    return 0;
}

/* How a child ends that raises its own trap while ours is installed: the status of wait.  */
static int end_of_child(int ignored, int sent)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        struct sonde_patch_request request = trap_request();
        struct sonde_patch_outcome outcome;
        signal(SIGTRAP, ignored ? SIG_IGN : SIG_DFL);
        if (sonde_patch_install(&request, 1, &outcome) != SONDE_PATCH_OK)
            _exit(3);
        if (sent)
            raise(SIGTRAP);
        else
            __asm__ volatile("int3");
        _exit(4);
    }
    waitpid(child, &status, 0);
    return status;
}

/* Without a handler of the program its own traps do what they did before: they end the process,
   and those that are sent are ignored where they were.  */
int scenario_foreign_default(void)
{
    for (int ignored = 0; ignored < 2; ignored++)
        for (int sent = 0; sent < 2; sent++) {
            int status = end_of_child(ignored, sent);
            if (ignored && sent)
                EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 4, "status %x", status);
            else
                EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTRAP, "status %x", status);
        }
    return 0;
}

static pthread_barrier_t barrier;
static volatile int32_t blocking_thread;

static void *block_traps(void *context)
{
    uint64_t traps = (uint64_t)1 << (SIGTRAP - 1);
    (void)context;
    /* Not by libc, which does not do it while there are probes.  */
    syscall(SYS_rt_sigprocmask, SIG_BLOCK, &traps, 0, sizeof traps);
    blocking_thread = (int32_t)syscall(SYS_gettid);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return 0;
}

/* A thread that blocks SIGTRAP would be killed at an int3: refused while there is one, and told
   when one appears later.  */
int scenario_blocked(void)
{
    struct sonde_patch_request request = trap_request();
    struct sonde_patch_outcome outcome;
    pthread_t thread;
    uint64_t detail = 0;
    pthread_barrier_init(&barrier, 0, 2);
    for (int round = 0; round < 2; round++) {
        if (round == 1)
            EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_OK, "refused");
        pthread_create(&thread, 0, block_traps, 0);
        pthread_barrier_wait(&barrier);
        if (round == 0) {
            EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_TRAP_BLOCKED,
                   "not refused");
            detail = outcome.detail;
            EXPECT(changed_text_bytes() == 0, "text differs");
        } else {
            EXPECT(sonde_patch_check(&detail) == SONDE_PATCH_TRAP_BLOCKED, "not told");
        }
        EXPECT(detail == (uint64_t)blocking_thread, "thread %lu", detail);
        pthread_barrier_wait(&barrier);
        pthread_join(thread, 0);
    }
    EXPECT(sonde_patch_check(&detail) == SONDE_PATCH_OK, "still told");
    return 0;
}

#define MASKING_ROUNDS 200

static _Atomic int stop_masking;
static _Atomic uint64_t masked_calls, wrong_results, wrong_masks;

/* Blocks everything for a moment, again and again, and runs probed code meanwhile.  */
static void *mask_and_call(void *context)
{
    sigset_t all, before, meanwhile;
    sigfillset(&all);
    while (!stop_masking) {
        if (context == 0)
            pthread_sigmask(SIG_BLOCK, &all, &before);
        else
            sigprocmask(SIG_BLOCK, &all, &before);
        wrong_results += call_code(code_loop_inside(), 3, 7) != 21;
        wrong_results += call_code(code_red_zone(), 5, 7) != 22;
        sigprocmask(SIG_SETMASK, 0, &meanwhile);
        wrong_masks += sigismember(&meanwhile, SIGUSR1) != 1 ||
                       sigismember(&before, SIGUSR1) != 0;
        pthread_sigmask(SIG_SETMASK, &before, 0);
        masked_calls += 1;
    }
    return 0;
}

/* Threads that block all signals for a moment in which they meet a trap, or a jump that is just
   being written: they live, and everything but SIGTRAP is blocked as they want it.  */
int scenario_masks(void)
{
    struct sonde_patch_request requests[2] = { trap_request(),
                                               request_at(code_red_zone(), code_red_zone().start) };
    struct sonde_patch_outcome outcomes[2];
    pthread_t threads[2];
    for (uint64_t i = 0; i < 2; i++)
        pthread_create(&threads[i], 0, mask_and_call, (void *)i);
    for (int round = 0; round < MASKING_ROUNDS; round++) {
        enum sonde_patch_status status = sonde_patch_install(requests, 2, outcomes);
        EXPECT(status == SONDE_PATCH_OK, "round %d: %s", round, sonde_patch_words(status));
        EXPECT(outcomes[0].form == SONDE_PATCH_TRAP && outcomes[1].form == SONDE_PATCH_JUMP,
               "forms");
        uint64_t before = hit_count;
        int64_t deadline_ns = now_ns() + 2000000000;
        while (hit_count < before + 4 && now_ns() < deadline_ns)
            ;
        sonde_patch_remove(requests, 2);
        EXPECT(hit_count >= before + 4, "round %d: %lu hits", round, hit_count - before);
    }
    stop_masking = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], 0);
    EXPECT(wrong_results == 0 && wrong_masks == 0 && masked_calls > 0, "%lu results, %lu masks",
           wrong_results, wrong_masks);
    EXPECT(changed_text_bytes() == 0, "text differs");
    struct sonde_patch_counters counters = sonde_patch_counters();
    printf("traps %lu\nexchanged %lu\n", counters.traps, counters.exchanged_masks);
    EXPECT(counters.traps > 0 && counters.exchanged_masks > 0, "nothing was tried");
    return 0;
}

static sigjmp_buf way_out;

static void jump_out(int signal)
{
    (void)signal;
    siglongjmp(way_out, 1);
}

static void raise_in_hit(void *context, struct sonde_hit_registers *registers)
{
    (void)context;
    (void)registers;
    hit_count += 1;
    raise(SIGUSR1);
}

/* A handler that interrupts a hit and jumps out of it: later hits of the thread run, and what was
   removed settles.  */
int scenario_left_hit(void)
{
    struct code code = code_red_zone();
    struct sonde_patch_request leaves = request_at(code, code.start), counts = leaves;
    struct sonde_patch_outcome outcome;
    leaves.run = raise_in_hit;
    signal(SIGUSR1, jump_out);
    EXPECT(sonde_patch_install(&leaves, 1, &outcome) == SONDE_PATCH_OK, "refused");
    for (int i = 0; i < 10; i++)
        if (sigsetjmp(way_out, 1) == 0) {
            call_code(code, 1, 2);
            EXPECT(0, "the hit was not left");
        }
    EXPECT(hit_count == 10, "%lu hits", hit_count);
    EXPECT(sonde_hits_settle(0) == 0, "the last hit is still counted");
    sonde_patch_remove(&leaves, 1);
    EXPECT(sonde_patch_install(&counts, 1, &outcome) == SONDE_PATCH_OK, "refused");
    EXPECT(call_code(code, 1, 2) == 5 && hit_count == 11, "%lu hits", hit_count);
    EXPECT(sonde_hits_settle(1000000000) == 1, "does not settle");
    return 0;
}
