/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison runs inside a real signal: same interrupted context, same stack, same run.  */
#include "CCaptureStack.h"

#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "CSondeSignal.h"

static void (*sonde_handler)(int, siginfo_t *, void *);
static atomic_int finished;
static uint32_t wanted_rounds, wanted_repeats;
static struct capture_result *results;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static uint32_t drain(void)
{
    uint32_t depth = 0;
    struct sonde_sample sample;
    for (uint32_t shard = 0; shard < sonde_shards(); shard++)
        while (sonde_ring_peek(shard, &sample)) {
            depth = sample.depth;
            sonde_ring_consume(shard);
        }
    return depth;
}

/* The best of several measurements of our handler; the ring is drained outside of them.  */
static double measure_sonde(siginfo_t *info, void *context, uint32_t *depth)
{
    enum { BATCH = 100 };
    int64_t best = INT64_MAX;
    for (uint32_t i = 0; i < wanted_repeats * (wanted_rounds / BATCH); i++) {
        int64_t began = now();
        for (uint32_t round = 0; round < BATCH; round++)
            sonde_handler(SIGPROF, info, context);
        int64_t took = now() - began;
        if (took < best)
            best = took;
        *depth = drain();
    }
    return (double)best / BATCH;
}

static uint32_t walk_with_libunwind(void *context)
{
    static void *frames[512];
    unw_cursor_t cursor;
    uint32_t depth = 0;
    if (unw_init_local2(&cursor, context, UNW_INIT_SIGNAL_FRAME) != 0)
        return 0;
    do {
        unw_word_t pc;
        if (unw_get_reg(&cursor, UNW_REG_IP, &pc) != 0 || depth == 512)
            break;
        frames[depth++] = (void *)pc;
    } while (unw_step(&cursor) > 0);
    return depth;
}

static uint32_t backtrace_with_libunwind(void *context)
{
    static void *frames[512];
    (void)context;
    int depth = unw_backtrace(frames, 512);
    return depth < 0 ? 0 : (uint32_t)depth;
}

static double measure_libunwind(uint32_t (*walk)(void *), void *context, uint32_t *depth)
{
    enum { BATCH = 100 };
    int64_t best = INT64_MAX;
    for (uint32_t i = 0; i < wanted_repeats * (wanted_rounds / BATCH); i++) {
        int64_t began = now();
        for (uint32_t round = 0; round < BATCH; round++)
            *depth = walk(context);
        int64_t took = now() - began;
        if (took < best)
            best = took;
    }
    return (double)best / BATCH;
}

static void compare(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    if (atomic_load(&finished) != 0)
        return;
    const ucontext_t *interrupted = context;
    uint64_t sp = (uint64_t)interrupted->uc_mcontext.gregs[REG_RSP];
    pthread_attr_t attributes;
    void *low;
    size_t size;
    pthread_getattr_np(pthread_self(), &attributes);
    pthread_attr_getstack(&attributes, &low, &size);
    pthread_attr_destroy(&attributes);

    uint32_t ignored;
    siginfo_t foreign = *info;
    foreign.si_code = SI_USER;
    results->empty_ns = measure_sonde(&foreign, context, &ignored);
    results->guarded_ns = measure_sonde(info, context, &results->guarded_depth);
    sonde_slot_set_bounds(0, (uint64_t)low, (uint64_t)pthread_self());
    results->sonde_ns = measure_sonde(info, context, &results->sonde_depth);
    results->backtrace_ns = measure_libunwind(backtrace_with_libunwind, context, &ignored);
    results->libunwind_ns = measure_libunwind(walk_with_libunwind, context, &results->depth);
    results->stack_bytes = (uint32_t)((uint64_t)pthread_self() - sp);
    atomic_store(&finished, 1);
}

static volatile uint64_t sink;

/* Frames as large as those of ordinary Swift functions.  */
__attribute__((noinline)) static void recurse(uint32_t depth)
{
    volatile uint64_t locals[12];
    locals[depth % 12] = depth;
    if (depth == 0)
        while (atomic_load(&finished) == 0)
            sink++;
    else
        recurse(depth - 1);
    sink += locals[depth % 12];
}

static void *run(void *context)
{
    uint32_t depth = *(uint32_t *)context;
    int32_t timer = sonde_timer_arm((int32_t)syscall(SYS_gettid), 0, 10000000, 10000000);
    if (timer < 0)
        return 0;
    recurse(depth);
    sonde_timer_delete(timer);
    return 0;
}

int capture_compare(uint32_t depth, uint32_t rounds, uint32_t repeats,
                    struct capture_result *result)
{
    int number;
    if (sonde_install(2, 512, sonde_hwcap2(), &number) != SONDE_OK)
        return 1;
    struct sigaction action;
    sigaction(number, 0, &action);
    sonde_handler = action.sa_sigaction;
    action.sa_sigaction = compare;
    sigaction(number, &action, 0);
    wanted_rounds = rounds;
    wanted_repeats = repeats;
    results = result;
    memset(result, 0, sizeof *result);
    atomic_store(&finished, 0);
    sonde_slot_reset(0);
    pthread_t thread;
    if (pthread_create(&thread, 0, run, &depth) != 0)
        return 2;
    pthread_join(thread, 0);
    action.sa_sigaction = sonde_handler;
    sigaction(number, &action, 0);
    sonde_uninstall();
    sonde_release_memory();
    return atomic_load(&finished) == 1 ? 0 : 3;
}
