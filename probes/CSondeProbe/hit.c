/* SPDX-License-Identifier: Apache-2.0 */
/* A hit: whether it may run on this thread now, and running the site's programs.  */
#include "hit.h"

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel.h"
#include "site.h"

#define SHARDS 64u
#define FAR_ABOVE ((uint64_t)1 << 20)

/* Hits that are running, by the parity of the epoch in which they began. Threads are spread over
   shards by their thread pointer, so that two seldom share a cache line.  */
struct shard {
    _Alignas(128) _Atomic int64_t running[2];
};

/* What a thread knows of its own hit. FRAME: where the registers of the running hit are, or 0.
   Initial-exec, so that no hit calls the dynamic linker; 24 bytes of its reserve.  */
struct thread {
    uint64_t frame;
    _Atomic int64_t *running;
    uint32_t muted;
};

static _Thread_local struct thread this_thread __attribute__((tls_model("initial-exec")));
static struct shard shards[SHARDS];
static _Atomic uint32_t epoch;
static _Atomic uint64_t skipped[SONDE_HIT_SKIPS];

_Atomic(_Atomic uint32_t *) sonde_hit_alive;
uint32_t sonde_hit_has_fsgsbase;

static_assert(sizeof(struct sonde_hit_registers) == SONDE_HIT_FRAME_BYTES);
static_assert(offsetof(struct sonde_hit_registers, rip) == 128);
static_assert(offsetof(struct sonde_hit_registers, xmm) == 144);
static_assert(offsetof(struct sonde_hit_site, address) == 0);

SONDE_HIT_CONTEXT
static void skip(enum sonde_hit_skip reason)
{
    /* Relaxed: only ever read as a number.  */
    atomic_fetch_add_explicit(&skipped[reason], 1, memory_order_relaxed);
}

/* HIT CONTEXT. The thread pointer, or 0 on a thread that libc did not make: one without a thread
   block, or one with another runtime's. libc's block begins with its own address.  */
SONDE_HIT_CONTEXT
static uint64_t thread_pointer(void)
{
    uint64_t fs, self;
    if (sonde_hit_has_fsgsbase) {
        __asm__ volatile("rdfsbase %0" : "=r"(fs));
        if (fs == 0)
            return 0;
    }
    /* Safety: FS is not 0, and every runtime keeps something readable at its start.  */
    __asm__ volatile("movq %%fs:0, %0" : "=r"(self));
    return sonde_hit_has_fsgsbase && self != fs ? 0 : self;
}

/* HIT CONTEXT. Counts a hit in, and returns the counter that it is to be taken from again.  */
SONDE_HIT_CONTEXT
static _Atomic int64_t *begin(uint64_t pointer)
{
    struct shard *shard = &shards[(pointer >> 6) * 0x9e3779b97f4a7c15u >> 58];
    for (;;) {
        /* Sequentially consistent, all three: either sonde_hits_settle sees this hit counted, or
           this hit sees the new epoch and counts itself there.  */
        uint32_t began = atomic_load(&epoch);
        _Atomic int64_t *running = &shard->running[began & 1];
        atomic_fetch_add(running, 1);
        if (atomic_load(&epoch) == began)
            return running;
        atomic_fetch_sub(running, 1);
    }
}

/* HIT CONTEXT. Whether the hit that this thread seems to be in was left by a jump out of a signal
   handler, or with the life of a vfork's child: then its frame is not below us any more.  */
SONDE_HIT_CONTEXT
static int was_left(const struct thread *thread, uint64_t frame)
{
    stack_t stack = { 0 };
    if (sonde_hit_syscall(SYS_sigaltstack, 0, (long)&stack, 0, 0) != 0)
        return 0;
    if (stack.ss_flags & SS_ONSTACK)
        return 0;
    if (thread->frame - (uint64_t)stack.ss_sp < stack.ss_size)
        return 1;
    return frame >= thread->frame && frame - thread->frame < FAR_ABOVE;
}

/* HIT CONTEXT. Whether a hit may run on this thread, of which FRAME is the place.  */
SONDE_HIT_CONTEXT
static int may_run(struct thread *thread, uint64_t frame)
{
    if (thread->muted) {
        skip(SONDE_HIT_MUTED);
        return 0;
    }
    if (thread->frame == 0)
        return 1;
    if (!was_left(thread, frame)) {
        skip(SONDE_HIT_REENTERED);
        return 0;
    }
    if (thread->running != 0)
        atomic_fetch_sub(thread->running, 1);
    thread->running = 0;
    return 1;
}

SONDE_HIT_CONTEXT
void sonde_hit(const struct sonde_hit_site *site, struct sonde_hit_registers *registers)
{
    _Atomic uint32_t *alive = atomic_load_explicit(&sonde_hit_alive, memory_order_acquire);
    if (alive == 0 || atomic_load_explicit(alive, memory_order_relaxed) == 0) {
        skip(SONDE_HIT_FORKED);
        return;
    }
    uint64_t pointer = thread_pointer();
    if (pointer == 0) {
        skip(SONDE_HIT_FOREIGN);
        return;
    }
    struct thread *thread = &this_thread;
    uint64_t frame = (uint64_t)registers;
    if (!may_run(thread, frame))
        return;
    /* The order of these matters to a signal's handler on this thread alone.  */
    thread->frame = frame;
    atomic_signal_fence(memory_order_seq_cst);
    thread->running = begin(pointer);
    struct sonde_hit_programs *programs =
        atomic_load_explicit(&site->programs, memory_order_acquire);
    if (programs != 0)
        for (uint32_t i = 0; i < programs->count; i++)
            programs->entries[i].run(programs->entries[i].context, registers);
    _Atomic int64_t *running = thread->running;
    thread->running = 0;
    atomic_fetch_sub(running, 1);
    atomic_signal_fence(memory_order_seq_cst);
    thread->frame = 0;
}

uint64_t sonde_hits_skipped(enum sonde_hit_skip reason)
{
    return (uint32_t)reason >= SONDE_HIT_SKIPS
               ? 0
               : atomic_load_explicit(&skipped[reason], memory_order_relaxed);
}

void sonde_mute_thread(int muted)
{
    this_thread.muted = muted != 0;
}

static int64_t now_ns(void)
{
    struct timespec time = { 0, 0 };
    sonde_hit_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int is_empty(uint32_t parity)
{
    for (uint32_t i = 0; i < SHARDS; i++)
        if (atomic_load(&shards[i].running[parity]) > 0)
            return 0;
    return 1;
}

static int wait_until_empty(uint32_t parity, int64_t deadline_ns)
{
    struct timespec pause = { 0, 200000 };
    while (!is_empty(parity)) {
        if (now_ns() >= deadline_ns)
            return 0;
        sonde_hit_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0);
    }
    return 1;
}

int sonde_hits_settle(int64_t timeout_ns)
{
    int64_t deadline_ns = now_ns() + timeout_ns;
    uint32_t old = atomic_load(&epoch) & 1;
    /* Hits of the epoch before the last, which an earlier call may not have waited for.  */
    if (!wait_until_empty(old ^ 1, deadline_ns))
        return 0;
    atomic_fetch_add(&epoch, 1);
    return wait_until_empty(old, deadline_ns);
}

void sonde_hits_forget_parent(void)
{
    for (uint32_t i = 0; i < SHARDS; i++) {
        atomic_store(&shards[i].running[0], 0);
        atomic_store(&shards[i].running[1], 0);
    }
}
