/* SPDX-License-Identifier: Apache-2.0 */
/* The rings between hits and the thread that renders.  */
#include <sys/syscall.h>

#include "machine_state.h"
#include "scope.h"

/* How many rings a producer tries before it counts a loss.  */
#define TRIES 8u
/* In the place of a record's slot: only fills the ring's end.  */
#define SKIP 0xffffffffu
#define HEADER_BYTES ((uint32_t)sizeof(struct sonde_probe_record))

static_assert(sizeof(struct sonde_probe_record) == 80);

/* HIT CONTEXT. The calling thread's number; asked for once.  */
SONDE_MACHINE_CONTEXT
static uint32_t thread_number(struct sonde_machine_thread *thread)
{
    if (thread->tid == 0 || thread->pid != sonde_machine.pid) {
        thread->tid = (uint32_t)sonde_hit_syscall(SYS_gettid, 0, 0, 0, 0);
        thread->pid = sonde_machine.pid;
    }
    return thread->tid;
}

SONDE_MACHINE_CONTEXT
uint64_t sonde_hit_context_word(uint32_t number)
{
    if (number == 0)
        return thread_number(&sonde_machine_thread);
    struct sonde_scope scope;
    uint64_t task, words[2];
    sonde_hit_scope(&scope, &task);
    if (number == 1)
        return task;
    __builtin_memcpy(words, scope.trace_id, 16);
    return words[number & 1];
}

/* HIT CONTEXT. Room in a held ring: where the body goes, or null when full.  */
SONDE_MACHINE_CONTEXT
static uint8_t *reserve(struct sonde_ring *ring, uint32_t capacity)
{
    uint64_t size = sonde_machine.ring_bytes;
    uint64_t need = (uint64_t)HEADER_BYTES + capacity + 7;
    /* Only the holder writes HEAD, so its own load needs no order.  */
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    uint64_t place = head & (size - 1);
    uint64_t skipped = size - place < need ? size - place : 0;
    if (size - (head - tail) < need + skipped)
        return 0;
    if (skipped != 0) {
        /* Records are 8-aligned, so the rest of the ring holds at least these two words.  */
        uint32_t filler[2] = { (uint32_t)skipped, SKIP };
        __builtin_memcpy(ring->bytes + place, filler, 8);
        atomic_store_explicit(&ring->head, head + skipped, memory_order_release);
        place = 0;
    }
    return ring->bytes + place + HEADER_BYTES;
}

SONDE_MACHINE_CONTEXT
struct sonde_ring *sonde_hit_ring_take(struct sonde_machine_thread *thread, uint32_t capacity,
                                       uint8_t **body, enum sonde_record_loss *loss)
{
    uint32_t tid = thread_number(thread);
    uint32_t mask = sonde_machine.ring_mask;
    /* A ring that an earlier hit of this thread was left with, by a jump out of a handler.  */
    if (thread->held != 0)
        sonde_hit_ring_give(thread->held);
    thread->held = 0;
    *loss = SONDE_LOST_RING_BUSY;
    for (uint32_t i = 0; i < TRIES && i <= mask; i++) {
        struct sonde_ring *ring = &sonde_machine.rings[(tid + i) & mask];
        uint32_t nobody = 0;
        if (!atomic_compare_exchange_strong_explicit(&ring->owner, &nobody, tid,
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        thread->held = ring;
        *body = reserve(ring, capacity);
        if (*body != 0)
            return ring;
        *loss = SONDE_LOST_RING_FULL;
        sonde_hit_ring_give(ring);
    }
    return 0;
}

SONDE_MACHINE_CONTEXT
void sonde_hit_ring_give(struct sonde_ring *ring)
{
    struct sonde_machine_thread *thread = &sonde_machine_thread;
    uint32_t tid = thread->tid;
    thread->held = 0;
    /* Only if it is still ours: it may have been taken from a thread that seemed dead.  */
    atomic_compare_exchange_strong_explicit(&ring->owner, &tid, 0, memory_order_release,
                                            memory_order_relaxed);
}

SONDE_MACHINE_CONTEXT
void sonde_hit_ring_commit(struct sonde_ring *ring, const struct sonde_probe_record *header)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint64_t place = head & (sonde_machine.ring_bytes - 1);
    struct sonde_machine_thread *thread = &sonde_machine_thread;
    struct sonde_probe_record record = *header;
    record.size = (HEADER_BYTES + record.body_size + 7) & ~7u;
    record.tid = thread->tid;
    struct sonde_scope scope;
    sonde_hit_scope(&scope, &record.task);
    __builtin_memcpy(record.trace_id, scope.trace_id, 16);
    __builtin_memcpy(record.span_id, scope.span_id, 8);
    record.labels = scope.labels;
    /* Safety: reserve left room for the header and the body here.  */
    __builtin_memcpy(ring->bytes + place, &record, sizeof record);
    atomic_store_explicit(&ring->head, head + record.size, memory_order_release);
    sonde_hit_ring_give(ring);
}

uint32_t sonde_record_rings(void)
{
    return atomic_load_explicit(&sonde_machine.started, memory_order_acquire) == 0
               ? 0
               : sonde_machine.ring_mask + 1;
}

/* A record's time: the clock that was read last, and the ticks since.  */
static int64_t unix_ns(uint64_t ticks)
{
    const struct sonde_machine *machine = &sonde_machine;
    double distance = (double)(int64_t)(ticks - machine->base_ticks);
    return machine->base_unix_ns + (int64_t)(distance * 1e9 / (double)machine->ticks_per_second);
}

const struct sonde_probe_record *sonde_record_peek(uint32_t number)
{
    if (number >= sonde_record_rings())
        return 0;
    struct sonde_ring *ring = &sonde_machine.rings[number];
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    uint64_t size = sonde_machine.ring_bytes;
    while (tail != head) {
        uint64_t place = tail & (size - 1);
        /* Safety: records are 8-aligned and never go beyond the ring's end.  */
        struct sonde_probe_record *record = (void *)(ring->bytes + place);
        uint64_t rest = size - place < head - tail ? size - place : head - tail;
        if (record->size == 0 || record->size % 8 != 0 || record->size > rest)
            break;
        if (record->probe_slot != SKIP) {
            if (record->size < HEADER_BYTES || record->body_size > record->size - HEADER_BYTES)
                break;
            /* Ticks until now; the flag says that they were turned into a time.  */
            if (record->flags == 0) {
                record->unix_ns = unix_ns((uint64_t)record->unix_ns);
                record->flags = 1;
            }
            return record;
        }
        tail += record->size;
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
    }
    /* Empty, or overwritten by somebody who had no business there: nothing in it can be trusted.  */
    if (tail != head)
        atomic_store_explicit(&ring->tail, head, memory_order_release);
    return 0;
}

void sonde_record_consume(uint32_t number)
{
    if (number >= sonde_record_rings())
        return;
    struct sonde_ring *ring = &sonde_machine.rings[number];
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (tail == atomic_load_explicit(&ring->head, memory_order_acquire))
        return;
    const struct sonde_probe_record *record =
        (const void *)(ring->bytes + (tail & (sonde_machine.ring_bytes - 1)));
    atomic_store_explicit(&ring->tail, tail + record->size, memory_order_release);
}

uint32_t sonde_record_recover_rings(void)
{
    uint32_t recovered = 0;
    for (uint32_t i = 0; i < sonde_record_rings(); i++) {
        struct sonde_ring *ring = &sonde_machine.rings[i];
        uint32_t owner = atomic_load_explicit(&ring->owner, memory_order_relaxed);
        /* Seen twice, so that a call is spent on threads only that seem to be gone.  */
        if (owner != 0 && owner == ring->suspect &&
            sonde_hit_syscall(SYS_tgkill, sonde_machine.pid, owner, 0, 0) == -3 /* ESRCH */ &&
            atomic_compare_exchange_strong_explicit(&ring->owner, &owner, 0,
                                                    memory_order_acq_rel, memory_order_relaxed))
            recovered++;
        ring->suspect = owner;
    }
    return recovered;
}
