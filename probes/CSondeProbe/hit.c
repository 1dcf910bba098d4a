/* SPDX-License-Identifier: Apache-2.0 */
/* A hit: whether it may run on this thread now, and running the site's programs.  */
#include "hit.h"

#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel.h"
#include "site.h"
#include "text.h"

#define SHARDS 64u
#define SLOTS 8192u
#define SLOT_TRIES 32u
#define FAR_ABOVE ((uint64_t)1 << 20)

/* What tells others that a thread is in a hit: the epoch in which it began, or 0. Written by the
   thread alone, with plain stores: whoever waits has a barrier executed on every processor first,
   after which each hit is seen here or sees all that was written before. OWNER is the thread's id,
   or 0; taken with a compare-and-exchange, given back for threads that are gone.  */
struct slot {
    _Alignas(64) _Atomic uint64_t since;
    _Atomic int32_t owner;
};

/* Hits of threads that found no slot, by the parity of the epoch in which they began.  */
struct shard {
    _Alignas(128) _Atomic int64_t running[2];
};

/* What a thread knows of its own hit. FRAME: where the registers of the running hit are, or 0.
   SLOT is known, null for none, when GENERATION is the current one. Initial-exec, so that no hit
   calls the dynamic linker; 32 bytes of its reserve.  */
struct thread {
    uint64_t frame;
    struct slot *slot;
    _Atomic int64_t *running;
    uint32_t generation, muted;
};

static _Thread_local struct thread this_thread __attribute__((tls_model("initial-exec")));
static struct slot slots[SLOTS];
static struct shard shards[SHARDS];
static _Atomic uint64_t epoch = 1;
/* Changes in a child of fork, where all slots are free.  */
static _Atomic uint32_t generation = 1;
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

/* HIT CONTEXT. Finds a slot for this thread, once: null when those it may have are taken. PID is
   the process that has the slots; a child of vfork, which borrows this thread's memory and will be
   gone soon, gets none.  */
SONDE_HIT_CONTEXT
static void find_slot(struct thread *thread, uint32_t current, uint32_t pid)
{
    thread->slot = 0;
    if (sonde_hit_syscall(SYS_getpid, 0, 0, 0, 0) != (long)pid)
        return;
    int32_t tid = (int32_t)sonde_hit_syscall(SYS_gettid, 0, 0, 0, 0);
    uint32_t first = (uint32_t)tid * 0x9e3779b9u >> 19;
    thread->generation = current;
    for (uint32_t i = 0; i < SLOT_TRIES; i++) {
        struct slot *slot = &slots[(first + i) % SLOTS];
        int32_t nobody = 0;
        if (atomic_compare_exchange_strong(&slot->owner, &nobody, tid)) {
            thread->slot = slot;
            return;
        }
    }
}

static_assert(SLOTS == 1u << (32 - 19));

/* HIT CONTEXT. Counts a hit without a slot in, and returns the counter that it is to be taken from
   again.  */
SONDE_HIT_CONTEXT
static _Atomic int64_t *count_in(uint64_t pointer)
{
    struct shard *shard = &shards[(pointer >> 6) * 0x9e3779b97f4a7c15u >> 58];
    for (;;) {
        /* Sequentially consistent, all three: either sonde_hits_settle sees this hit counted, or
           this hit sees the new epoch and counts itself there.  */
        uint64_t began = atomic_load(&epoch);
        _Atomic int64_t *running = &shard->running[began & 1];
        atomic_fetch_add(running, 1);
        if (atomic_load(&epoch) == began)
            return running;
        atomic_fetch_sub(running, 1);
    }
}

static_assert(SHARDS == 1u << (64 - 58));

/* HIT CONTEXT. Lets it be known that this thread is in a hit.  */
SONDE_HIT_CONTEXT
static void begin(struct thread *thread, uint64_t pointer, uint32_t pid)
{
    uint32_t current = atomic_load_explicit(&generation, memory_order_relaxed);
    if (thread->generation != current)
        find_slot(thread, current, pid);
    if (thread->slot == 0) {
        thread->running = count_in(pointer);
        return;
    }
    uint64_t now = atomic_load_explicit(&epoch, memory_order_relaxed);
    atomic_store_explicit(&thread->slot->since, now, memory_order_relaxed);
    /* The processor may load the programs before others see this store; the barrier of
       sonde_hits_settle makes up for that.  */
    atomic_signal_fence(memory_order_seq_cst);
}

/* HIT CONTEXT. Lets it be known that the hit has ended. Release: pairs with the acquire loads of
   sonde_hits_settle, after which what the hit used may be freed.  */
SONDE_HIT_CONTEXT
static void end(struct thread *thread)
{
    if (thread->slot != 0)
        atomic_store_explicit(&thread->slot->since, 0, memory_order_release);
    _Atomic int64_t *running = thread->running;
    thread->running = 0;
    if (running != 0)
        atomic_fetch_sub(running, 1);
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
    end(thread);
    return 1;
}

SONDE_HIT_CONTEXT
void sonde_hit(const struct sonde_hit_site *site, struct sonde_hit_registers *registers)
{
    _Atomic uint32_t *alive = atomic_load_explicit(&sonde_hit_alive, memory_order_acquire);
    uint32_t pid = alive == 0 ? 0 : atomic_load_explicit(alive, memory_order_relaxed);
    if (pid == 0) {
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
    begin(thread, pointer, pid);
    struct sonde_hit_programs *programs =
        atomic_load_explicit(&site->programs, memory_order_acquire);
    if (programs != 0)
        for (uint32_t i = 0; i < programs->count; i++)
            programs->entries[i].run(programs->entries[i].context, registers);
    end(thread);
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

/* Gives the slot of a thread that is gone back: it cannot be in a hit.  */
static void free_if_gone(struct slot *slot)
{
    int32_t tid = atomic_load_explicit(&slot->owner, memory_order_relaxed);
    long pid = sonde_hit_syscall(SYS_getpid, 0, 0, 0, 0);
    if (tid == 0 || sonde_hit_syscall(SYS_tgkill, pid, tid, 0, 0) != -3 /* ESRCH */)
        return;
    atomic_store_explicit(&slot->since, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->owner, 0, memory_order_release);
}

/* Whether no hit is running that began before epoch NEW and has a slot.  */
static int slots_are_empty(uint64_t new)
{
    int empty = 1;
    for (uint32_t i = 0; i < SLOTS; i++) {
        uint64_t since = atomic_load_explicit(&slots[i].since, memory_order_acquire);
        if (since == 0 || since >= new)
            continue;
        free_if_gone(&slots[i]);
        empty &= atomic_load_explicit(&slots[i].since, memory_order_acquire) == 0;
    }
    return empty;
}

static int shards_are_empty(uint64_t parity)
{
    for (uint32_t i = 0; i < SHARDS; i++)
        if (atomic_load(&shards[i].running[parity & 1]) > 0)
            return 0;
    return 1;
}

static int pause_until(int64_t deadline_ns)
{
    struct timespec pause = { 0, 200000 };
    if (now_ns() >= deadline_ns)
        return 0;
    sonde_hit_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0);
    return 1;
}

int sonde_hits_settle(int64_t timeout_ns)
{
    int64_t deadline_ns = now_ns() + timeout_ns;
    uint64_t old = atomic_load(&epoch);
    /* Hits of the epoch before the last, which an earlier call may not have waited for.  */
    while (!shards_are_empty(old + 1))
        if (!pause_until(deadline_ns))
            return 0;
    atomic_store(&epoch, old + 1);
    sonde_text_barrier();
    while (!slots_are_empty(old + 1) || !shards_are_empty(old))
        if (!pause_until(deadline_ns))
            return 0;
    return 1;
}

void sonde_hits_collect(void)
{
    for (uint32_t i = 0; i < SLOTS; i++)
        if (atomic_load_explicit(&slots[i].owner, memory_order_relaxed) != 0)
            free_if_gone(&slots[i]);
}

void sonde_hits_forget_parent(void)
{
    for (uint32_t i = 0; i < SLOTS; i++) {
        atomic_store(&slots[i].since, 0);
        atomic_store(&slots[i].owner, 0);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        atomic_store(&shards[i].running[0], 0);
        atomic_store(&shards[i].running[1], 0);
    }
    atomic_fetch_add(&generation, 1);
}
