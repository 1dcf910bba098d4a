/* SPDX-License-Identifier: Apache-2.0 */
/* The sampler's state in C: the signal, the threads' slots, the rings that samples pass through.
   At most one sampler per process. Everything here but the handler is called by one thread at a
   time; SondeSampling holds its lock.  */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The most threads that can be sampled at a time, and the most frames of a stack.  */
#define SONDE_MAX_THREADS 16384u
#define SONDE_MAX_DEPTH 512u
/* The most rings, and the words (8 bytes) of each.  */
#define SONDE_MAX_SHARDS 64u
#define SONDE_RING_WORDS 16384u
/* The longest period that a timer's value can carry, in nanoseconds.  */
#define SONDE_MAX_PERIOD_NS 1000000000u

/* glibc's SIGRTMIN on Linux, below which it keeps signals for itself, and the kernel's last.  */
#define SONDE_FIRST_REAL_TIME 34
#define SONDE_LAST_REAL_TIME 64

enum sonde_status {
    SONDE_OK = 0,
    SONDE_ALREADY_RUNNING = 1, /* this process has a sampler */
    SONDE_NO_FREE_SIGNAL = 2,  /* every candidate has a handler */
    SONDE_NO_MEMORY = 3,       /* mmap failed */
};

/* Samples that were lost, by reason; counted in signal context.  */
enum sonde_loss {
    SONDE_LOSS_RING_FULL = 0, /* the drain was too slow for the rate */
    SONDE_LOSS_RING_BUSY = 1, /* every ring was held by a delayed thread */
    SONDE_LOSS_STALE = 2,     /* a signal of a timer that was deleted meanwhile */
    SONDE_LOSS_FOREIGN = 3,   /* the signal was sent by somebody else */
    SONDE_LOSS_COUNT = 4,
};

/* One sample, in place in its ring: valid until sonde_ring_consume. FRAMES: leaf first, the
   program counter and return addresses. END: enum sonde_sig_end. PERIODS: expiries that the
   sample stands for, >= 1; WEIGHT_NS: PERIODS times the period it was taken with.  */
struct sonde_sample {
    const uint64_t *frames;
    uint64_t weight_ns;
    uint32_t depth, slot, periods, end;
};

/* What the handler counted for the threads of one slot, since the process started.  */
struct sonde_slot_counts {
    uint64_t samples, sampled_ns, handler_ticks;
};

/* Reserves memory and installs the handler: for SIGPROF if that is free, else for a real-time
   signal, with SA_RESTART and SA_ONSTACK and nearly all signals blocked meanwhile. In a child of
   fork the parent's state is thrown away first. SHARDS is rounded up to a power of two, at most
   SONDE_MAX_SHARDS; MAX_DEPTH is clamped to 1...SONDE_MAX_DEPTH; HWCAP2 is AT_HWCAP2's value.
   *SIGNAL is untouched on failure.  */
enum sonde_status sonde_install(uint32_t shards, uint32_t max_depth, uint64_t hwcap2, int *signal);

/* The signal in use, or 0.  */
int sonde_used_signal(void);

/* Whether the signal still leads to our handler: 1 or 0.  */
int sonde_owns_signal(void);

/* Takes another free signal because somebody replaced the handler of this one, which is left as
   it is. All timers must be deleted first.  */
enum sonde_status sonde_change_signal(int *signal);

/* Makes every signal of ours on its way harmless, and gives the signal back if it is still ours.
   All timers must be deleted first. Waits until no handler holds a ring, at most 100 ms; after
   that no sample is stored any more. Rings can still be drained.  */
void sonde_uninstall(void);

/* Gives the rings' pages back to the kernel after sonde_uninstall. Their addresses stay reserved,
   so that a handler which was delayed until now still finds them.  */
void sonde_release_memory(void);

/* The number of rings, the bytes of address space reserved, and whether guarded reads work.  */
uint32_t sonde_shards(void);
uint64_t sonde_reserved_bytes(void);
int sonde_guarded_reads(void);

/* The oldest sample of ring SHARD. Returns 1 and fills *SAMPLE, or 0 when the ring is empty.  */
int sonde_ring_peek(uint32_t shard, struct sonde_sample *sample);

/* Frees the room of the sample that sonde_ring_peek returned last.  */
void sonde_ring_consume(uint32_t shard);

/* Samples lost and the CPU time they stood for, since sonde_install.  */
uint64_t sonde_lost_samples(enum sonde_loss loss);
uint64_t sonde_lost_ns(enum sonde_loss loss);

/* Readies SLOT for another thread. The slot's last thread must be gone, its timer deleted.  */
void sonde_slot_reset(uint32_t slot);

/* What the handler counted in SLOT.  */
struct sonde_slot_counts sonde_slot_counts(uint32_t slot);

/* Whether SLOT's thread was sampled outside its verified stack since the last call. Returns 1 and
   sets *SP and *FS to its stack pointer and thread pointer then, or 0.  */
int sonde_slot_wants_bounds(uint32_t slot, uint64_t *sp, uint64_t *fs);

/* Vouches that [LOW, HIGH) stays mapped and readable for as long as SLOT's thread runs with its
   stack pointer inside. HIGH must not change once it was set; LOW may go down.  */
void sonde_slot_set_bounds(uint32_t slot, uint64_t low, uint64_t high);

/* Tells the handler which text it may read around a program counter: COUNT pairs of first address
   and limit, ascending, readable wherever they are mapped. Pairs beyond 512 are ignored.  */
void sonde_publish_text(const uint64_t *pairs, uint32_t count);
