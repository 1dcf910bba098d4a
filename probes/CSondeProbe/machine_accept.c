/* SPDX-License-Identifier: Apache-2.0 */
/* Limits: what lets a hit have a record, and what closes a probe. Never waits.  */
#include "machine_state.h"

/* How often an exchange is tried: each failure is another thread's success, so after this many the
   limit is as good as used up.  */
#define TRIES 32u
/* A hit that took longer was interrupted: the time belongs to somebody else.  */
#define LONGEST_HIT_DIVISOR 10000u
/* One hit in as many is measured; see sonde_hit_report_program.  */
#define MEASURED_ONE_IN 8u

SONDE_MACHINE_CONTEXT
int sonde_hit_bucket_take(struct sonde_bucket *bucket, uint64_t now)
{
    uint64_t empty_at = atomic_load_explicit(&bucket->empty_at, memory_order_relaxed);
    for (uint32_t i = 0; i < TRIES; i++) {
        /* Clocks of two processors may differ a little: NOW may be before what another saw.  */
        uint64_t next = (empty_at > now ? empty_at : now) + bucket->interval;
        if (next - now > bucket->tolerance)
            return 0;
        if (atomic_compare_exchange_weak_explicit(&bucket->empty_at, &empty_at, next,
                                                  memory_order_relaxed, memory_order_relaxed))
            return 1;
    }
    return 0;
}

SONDE_MACHINE_CONTEXT
int sonde_hit_bucket_is_open(struct sonde_bucket *bucket, uint64_t now)
{
    uint64_t empty_at = atomic_load_explicit(&bucket->empty_at, memory_order_relaxed);
    return bucket->tolerance != 0 && (empty_at <= now || empty_at - now <= bucket->tolerance);
}

SONDE_MACHINE_CONTEXT
int sonde_hit_bucket_add(struct sonde_bucket *bucket, uint64_t now, uint64_t units)
{
    uint64_t empty_at = atomic_load_explicit(&bucket->empty_at, memory_order_relaxed);
    uint64_t used, next;
    if (__builtin_mul_overflow(units, bucket->interval, &used) || used > UINT64_MAX / 4)
        used = UINT64_MAX / 4;
    for (uint32_t i = 0; i < TRIES; i++) {
        uint64_t from = empty_at > now ? empty_at : now;
        next = from > UINT64_MAX / 4 ? from : from + used;
        if (atomic_compare_exchange_weak_explicit(&bucket->empty_at, &empty_at, next,
                                                  memory_order_relaxed, memory_order_relaxed))
            return next <= now || next - now <= bucket->tolerance;
    }
    return 1;
}

/* HIT CONTEXT. Closes a probe; the first reason stays.  */
SONDE_MACHINE_CONTEXT
static void close_by(struct sonde_probe *probe, enum sonde_limit limit)
{
    uint32_t none = SONDE_LIMIT_NONE;
    atomic_compare_exchange_strong_explicit(&probe->closed_by, &none, limit,
                                            memory_order_relaxed, memory_order_relaxed);
    atomic_store_explicit(&probe->closed, 1, memory_order_relaxed);
}

/* HIT CONTEXT. Counts what forbids a line.  */
SONDE_MACHINE_CONTEXT
static enum sonde_outcome limited(struct sonde_probe *probe, enum sonde_limit limit,
                                  uint32_t *detail)
{
    sonde_hit_count(&probe->limited[limit]);
    *detail = limit;
    return SONDE_LIMITED;
}

SONDE_MACHINE_CONTEXT
enum sonde_outcome sonde_hit_accept(struct sonde_run *run, uint32_t *detail)
{
    struct sonde_probe *probe = run->program->probe;
    struct sonde_machine *machine = &sonde_machine;
    uint64_t now = sonde_hit_ticks();
    if (!sonde_hit_bucket_is_open(&probe->bytes, now))
        return limited(probe, SONDE_LIMIT_BYTES, detail);
    if (!sonde_hit_bucket_take(&probe->lines, now))
        return limited(probe, SONDE_LIMIT_RATE, detail);
    if (!sonde_hit_bucket_take(&machine->lines, now))
        return limited(probe, SONDE_LIMIT_PROCESS_RATE, detail);
    /* Relaxed: the number alone decides, and no two hits get the same.  */
    uint64_t number = atomic_fetch_add_explicit(&probe->accepted, 1, memory_order_relaxed) + 1;
    if (number >= probe->hits)
        close_by(probe, SONDE_LIMIT_HITS);
    if (number > probe->hits)
        return limited(probe, SONDE_LIMIT_HITS, detail);
    run->accepted_ticks = run->now = now;
    run->sequence = probe->first_sequence + number;
    enum sonde_record_loss loss;
    run->ring = sonde_hit_ring_take(&sonde_machine_thread, run->program->record_bytes, &run->body,
                                    &loss);
    if (run->ring == 0) {
        sonde_hit_count(&probe->lost[loss]);
        *detail = loss;
        return SONDE_DROPPED;
    }
    run->capacity = run->program->record_bytes;
    run->cursor = 0;
    return SONDE_COMMITTED;
}

SONDE_MACHINE_CONTEXT
void sonde_hit_charge(struct sonde_probe *probe, uint64_t ticks, uint64_t now)
{
    struct sonde_machine *machine = &sonde_machine;
    uint64_t longest = machine->ticks_per_second / LONGEST_HIT_DIVISOR;
    ticks = (ticks < longest ? ticks : longest) * MEASURED_ONE_IN;
    atomic_fetch_add_explicit(&probe->cpu_ticks, ticks, memory_order_relaxed);
    if (!sonde_hit_bucket_add(&probe->cpu, now, ticks))
        close_by(probe, SONDE_LIMIT_CPU);
    if (!sonde_hit_bucket_add(&machine->cpu, now, ticks)) {
        /* Whoever takes most is here most often. The others begin anew, or all would be closed one
           after the other.  */
        close_by(probe, SONDE_LIMIT_PROCESS_CPU);
        atomic_store_explicit(&machine->cpu.empty_at, now, memory_order_relaxed);
    }
}
