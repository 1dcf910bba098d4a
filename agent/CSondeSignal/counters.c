/* SPDX-License-Identifier: Apache-2.0 */
/* What the helper thread reads from the handler's state and tells it.  */
#include "state.h"

#include "machine.h"

uint32_t sonde_shards(void)
{
    return sonde_sig_state.shards == 0 ? 0 : sonde_sig_state.shard_mask + 1;
}

uint64_t sonde_reserved_bytes(void)
{
    return (uint64_t)SONDE_MAX_THREADS * sizeof(struct sonde_sig_slot) +
           (uint64_t)sonde_shards() * sizeof(struct sonde_sig_shard) + sizeof sonde_sig_state;
}

int sonde_guarded_reads(void)
{
    return sonde_sig_state.can_read;
}

uint64_t sonde_lost_samples(enum sonde_loss loss)
{
    return (uint32_t)loss < SONDE_LOSS_COUNT
               ? atomic_load_explicit(&sonde_sig_state.lost_samples[loss], memory_order_relaxed)
               : 0;
}

uint64_t sonde_lost_ns(enum sonde_loss loss)
{
    return (uint32_t)loss < SONDE_LOSS_COUNT
               ? atomic_load_explicit(&sonde_sig_state.lost_ns[loss], memory_order_relaxed)
               : 0;
}

static struct sonde_sig_slot *slot_at(uint32_t number)
{
    struct sonde_sig_slot *slots = sonde_sig_state.slots;
    return slots == 0 || number >= SONDE_MAX_THREADS ? 0 : &slots[number];
}

void sonde_slot_reset(uint32_t number)
{
    struct sonde_sig_slot *slot = slot_at(number);
    if (slot == 0)
        return;
    /* No handler looks at this slot now, and the timer is armed by a system call after this, which
       orders it for the next one.  */
    atomic_store_explicit(&slot->stack_low, UINT64_MAX, memory_order_relaxed);
    atomic_store_explicit(&slot->stack_high, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->wanted_sp, 0, memory_order_relaxed);
}

struct sonde_slot_counts sonde_slot_counts(uint32_t number)
{
    struct sonde_slot_counts counts = { 0 };
    struct sonde_sig_slot *slot = slot_at(number);
    if (slot != 0) {
        counts.samples = atomic_load_explicit(&slot->samples, memory_order_relaxed);
        counts.sampled_ns = atomic_load_explicit(&slot->sampled_ns, memory_order_relaxed);
        counts.handler_ticks = atomic_load_explicit(&slot->handler_ticks, memory_order_relaxed);
    }
    return counts;
}

int sonde_slot_wants_bounds(uint32_t number, uint64_t *sp, uint64_t *fs)
{
    struct sonde_sig_slot *slot = slot_at(number);
    if (slot == 0 || atomic_load_explicit(&slot->wanted_sp, memory_order_relaxed) == 0)
        return 0;
    *sp = atomic_exchange_explicit(&slot->wanted_sp, 0, memory_order_acquire);
    *fs = atomic_load_explicit(&slot->wanted_fs, memory_order_relaxed);
    return 1;
}

void sonde_slot_set_bounds(uint32_t number, uint64_t low, uint64_t high)
{
    struct sonde_sig_slot *slot = slot_at(number);
    if (slot == 0)
        return;
    atomic_store_explicit(&slot->stack_high, high, memory_order_relaxed);
    atomic_store_explicit(&slot->stack_low, low, memory_order_release);
}

void sonde_publish_text(const uint64_t *pairs, uint32_t count)
{
    struct sonde_sig_state *state = &sonde_sig_state;
    uint32_t current = atomic_load_explicit(&state->text_current, memory_order_relaxed);
    uint32_t next = (current + 1) & 1;
    struct sonde_sig_text *text = &state->texts[next];
    if (count > SONDE_TEXT_RANGES)
        count = SONDE_TEXT_RANGES;
    for (uint32_t i = 0; i < count * 2; i++)
        text->pairs[i] = pairs[i];
    text->count = count;
    atomic_store_explicit(&state->text_current, next, memory_order_release);
}
