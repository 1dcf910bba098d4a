/* SPDX-License-Identifier: Apache-2.0 */
/* What the handler and its preparation share.  */
#pragma once

#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>

#include "sonde_sampler.h"
#include "sonde_unwind.h"

#define SONDE_WINDOW_WORDS 256u
#define SONDE_TEXT_RANGES 512u

/* One thread's slot. The counters are written by the thread itself in its handler, one at a time
   because the signal is blocked meanwhile, and only read elsewhere: relaxed, each on its own.  */
struct sonde_sig_slot {
    _Atomic uint64_t samples, sampled_ns, handler_ticks;
    /* LOW is stored with release after HIGH; pairs with the handler's acquire load of LOW, so a
       handler that sees LOW sees HIGH. LOW is ~0 while nothing is known.  */
    _Atomic uint64_t stack_low, stack_high;
    /* SP is stored with release after FS by the handler; pairs with the acquire exchange in
       sonde_slot_wants_bounds. 0: nothing wanted.  */
    _Atomic uint64_t wanted_sp, wanted_fs;
    uint64_t unused;
};

/* A ring with one producer at a time: whoever holds BUSY. A producer never waits; it takes another
   ring or counts a loss. That way a thread that is preempted while it writes delays its own ring
   only, and a signal may interrupt the consumer anywhere.  */
struct sonde_sig_shard {
    /* Exchange with acquire to take, store with release to give; they pair with each other and
       order the producers' plain accesses to the window and the words.  */
    _Alignas(4096) _Atomic uint32_t busy;
    uint32_t unused;
    /* What a guarded read fetched for the producer: WINDOW_SIZE bytes from WINDOW_LOW.  */
    uint64_t window_low, window_size;
    uint64_t window[SONDE_WINDOW_WORDS];
    /* Words written so far. Release by the producer; pairs with the acquire in peek.  */
    _Alignas(64) _Atomic uint64_t head;
    /* Words read so far. Release by the consumer; pairs with the acquire in reserve.  */
    _Alignas(64) _Atomic uint64_t tail;
    _Alignas(64) uint64_t words[SONDE_RING_WORDS];
};

/* The ranges of readable text, ascending.  */
struct sonde_sig_text {
    uint32_t count;
    uint64_t pairs[SONDE_TEXT_RANGES * 2];
};

struct sonde_sig_state {
    /* The session that signals must carry, or 0. Release in install after everything below;
       pairs with the acquire at the handler's beginning.  */
    _Atomic uint32_t session;
    uint32_t shard_mask, max_depth;
    int can_read, has_fsgsbase;
    int32_t pid;
    struct sonde_sig_slot *slots;
    struct sonde_sig_shard *shards;
    _Atomic uint64_t lost_samples[SONDE_LOSS_COUNT], lost_ns[SONDE_LOSS_COUNT];
    /* Which of TEXTS is current. Release in publish; pairs with the acquire in the handler.  */
    _Atomic uint32_t text_current;
    struct sonde_sig_text texts[2];
};

extern struct sonde_sig_state sonde_sig_state;

/* What a timer's value carries: 30 bits of period, 16 of slot, 18 of session. The period travels
   with the signal so that a sample's weight is true whenever the rate changes.  */
#define SONDE_SESSION_MASK 0x3ffffu

static inline uint64_t sonde_sig_pack(uint32_t session, uint32_t slot, uint32_t period_ns)
{
    return (uint64_t)(session & SONDE_SESSION_MASK) << 46 | (uint64_t)(slot & 0xffff) << 30 |
           (period_ns & 0x3fffffffu);
}

/* SIGNAL CONTEXT. Takes a ring that has room for a sample of CAPACITY frames, preferring number
   PREFERRED and trying at most 8. Returns it and sets *FRAMES to where the frames go, or returns
   null and sets *LOSS.  */
struct sonde_sig_shard *sonde_sig_ring_take(uint32_t preferred, uint32_t capacity,
                                            uint64_t **frames, enum sonde_loss *loss);

/* SIGNAL CONTEXT. Publishes the sample whose frames were written where reserve said.  */
void sonde_sig_ring_commit(struct sonde_sig_shard *shard, const struct sonde_sample *sample);

/* SIGNAL CONTEXT. Gives a taken ring back.  */
void sonde_sig_ring_give(struct sonde_sig_shard *shard);

/* SIGNAL CONTEXT. A sonde_sig_reader; CONTEXT is the taken shard, whose window it fills.  */
int sonde_sig_read_guarded(void *context, uint64_t address, uint64_t words[2]);

/* SIGNAL CONTEXT. The handler itself; keeps errno because it calls nothing that sets it.  */
void sonde_sig_handle(int signal, siginfo_t *info, void *context);
