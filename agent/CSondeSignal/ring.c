/* SPDX-License-Identifier: Apache-2.0 */
/* The rings between interrupted threads and the drain.  */
#include "machine.h"
#include "state.h"

/* A record: one word of slot, depth and end; one of weight; one of periods; then the frames.  */
#define HEADER_WORDS 3u
/* The depth of a record that only fills the ring's end.  */
#define SKIP 0xffffu
/* How many rings a producer tries before it counts a loss.  */
#define TRIES 8u

/* SIGNAL CONTEXT. Room for a sample in a taken ring: where its frames go, or null when full.  */
SONDE_SIGNAL_CONTEXT
static uint64_t *reserve(struct sonde_sig_shard *shard, uint32_t capacity)
{
    uint64_t need = HEADER_WORDS + capacity;
    /* Only the producer writes HEAD, so its own load needs no order.  */
    uint64_t head = atomic_load_explicit(&shard->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&shard->tail, memory_order_acquire);
    uint64_t place = head % SONDE_RING_WORDS;
    uint64_t until_end = SONDE_RING_WORDS - place;
    uint64_t skipped = until_end < need ? until_end : 0;
    if (SONDE_RING_WORDS - (head - tail) < need + skipped)
        return 0;
    if (skipped != 0) {
        shard->words[place] = (uint64_t)SKIP << 16;
        atomic_store_explicit(&shard->head, head + skipped, memory_order_release);
        place = 0;
    }
    return &shard->words[place + HEADER_WORDS];
}

SONDE_SIGNAL_CONTEXT
struct sonde_sig_shard *sonde_sig_ring_take(uint32_t preferred, uint32_t capacity,
                                            uint64_t **frames, enum sonde_loss *loss)
{
    uint32_t mask = sonde_sig_state.shard_mask;
    *loss = SONDE_LOSS_RING_BUSY;
    for (uint32_t i = 0; i < TRIES && i <= mask; i++) {
        struct sonde_sig_shard *shard = &sonde_sig_state.shards[(preferred + i) & mask];
        if (atomic_exchange_explicit(&shard->busy, 1, memory_order_acquire) != 0)
            continue;
        *frames = reserve(shard, capacity);
        if (*frames != 0)
            return shard;
        *loss = SONDE_LOSS_RING_FULL;
        sonde_sig_ring_give(shard);
    }
    return 0;
}

SONDE_SIGNAL_CONTEXT
void sonde_sig_ring_give(struct sonde_sig_shard *shard)
{
    atomic_store_explicit(&shard->busy, 0, memory_order_release);
}

SONDE_SIGNAL_CONTEXT
void sonde_sig_ring_commit(struct sonde_sig_shard *shard, const struct sonde_sample *sample)
{
    uint64_t head = atomic_load_explicit(&shard->head, memory_order_relaxed);
    uint64_t *record = &shard->words[head % SONDE_RING_WORDS];
    record[0] = (uint64_t)sample->slot << 32 | (uint64_t)sample->depth << 16 | sample->end;
    record[1] = sample->weight_ns;
    record[2] = sample->periods;
    atomic_store_explicit(&shard->head, head + HEADER_WORDS + sample->depth,
                          memory_order_release);
}

int sonde_ring_peek(uint32_t number, struct sonde_sample *sample)
{
    if (number > sonde_sig_state.shard_mask || sonde_sig_state.shards == 0)
        return 0;
    struct sonde_sig_shard *shard = &sonde_sig_state.shards[number];
    uint64_t head = atomic_load_explicit(&shard->head, memory_order_acquire);
    uint64_t tail = atomic_load_explicit(&shard->tail, memory_order_relaxed);
    if (tail == head)
        return 0;
    const uint64_t *record = &shard->words[tail % SONDE_RING_WORDS];
    if ((record[0] >> 16 & 0xffff) == SKIP) {
        tail += SONDE_RING_WORDS - tail % SONDE_RING_WORDS;
        atomic_store_explicit(&shard->tail, tail, memory_order_release);
        if (tail == head)
            return 0;
        record = &shard->words[0];
    }
    sample->slot = (uint32_t)(record[0] >> 32);
    sample->depth = (uint32_t)(record[0] >> 16 & 0xffff);
    sample->end = (uint32_t)(record[0] & 0xffff);
    sample->weight_ns = record[1];
    sample->periods = (uint32_t)record[2];
    sample->frames = record + HEADER_WORDS;
    return 1;
}

void sonde_ring_consume(uint32_t number)
{
    struct sonde_sig_shard *shard = &sonde_sig_state.shards[number];
    uint64_t tail = atomic_load_explicit(&shard->tail, memory_order_relaxed);
    uint64_t depth = shard->words[tail % SONDE_RING_WORDS] >> 16 & 0xffff;
    atomic_store_explicit(&shard->tail, tail + HEADER_WORDS + depth, memory_order_release);
}
