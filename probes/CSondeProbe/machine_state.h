/* SPDX-License-Identifier: Apache-2.0 */
/* What a run, the limits, the rings and their preparation share.  */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "kernel.h"
#include "machine.h"
#include "machine_opcodes.h"

/* No instruction set beyond the pads', no canary, and no call of memcpy that a loop became.  */
#define SONDE_MACHINE_CONTEXT SONDE_HIT_CONTEXT __attribute__((no_builtin("memcpy", "memset")))

/* An instruction as it stands in memory, little endian.  */
struct sonde_instruction {
    uint8_t op, d, a, b;
    int32_t imm;
};

/* A loop of a program: rounds at most, and the instruction behind its end.  */
struct sonde_loop_form {
    uint32_t rounds, behind;
};

/* One site of a program: what sonde_hit_run_program gets.  */
struct sonde_site_program {
    const struct sonde_program *program;
    uint32_t entry, number;
};

/* A program as it runs; everything lies in one mapping of SIZE bytes, never written again. The
   code ends with an instruction of opcode 0, which ends a run as broken.  */
struct sonde_program {
    uint64_t size;
    struct sonde_probe *probe;
    const struct sonde_instruction *code;
    const uint64_t *constants;
    const uint8_t *string_bytes;
    const uint32_t *string_starts;
    const struct sonde_loop_form *loops;
    struct sonde_site_program *sites;
    uint32_t word_count, site_count, steps, record_bytes;
};

/* A limit of events per time: the time at which the bucket is empty again, in ticks. All of it is
   in one word, so taking is one exchange (the generic cell rate algorithm, ITU-T I.371). Relaxed:
   the word orders nothing but itself.  */
struct sonde_bucket {
    _Atomic uint64_t empty_at;
    /* What one event, or one unit, costs, and how far ahead of now the bucket may be.  */
    uint64_t interval, tolerance;
};

struct sonde_probe {
    /* Stored by whoever closes, or by a hit that breaks a limit; read by every hit. Relaxed: a hit
       that sees it late does what it would have done just before.  */
    _Alignas(64) _Atomic uint32_t closed;
    _Atomic uint32_t closed_by;
    uint32_t slot;
    uint64_t hits, first_sequence;
    struct sonde_bucket lines, bytes, cpu;
    /* Counters: relaxed, each on its own.  */
    _Alignas(64) _Atomic uint64_t condition_false;
    _Atomic uint64_t accepted, committed, closed_hits, cpu_ticks;
    _Atomic uint64_t condition_errors[SONDE_FAULTS];
    _Atomic uint64_t limited[SONDE_LIMITS];
    _Atomic uint64_t lost[SONDE_RECORD_LOSSES];
};

/* A ring with one producer at a time: whoever holds OWNER. A producer never waits; it takes another
   ring or counts a loss. So a thread that is preempted while it writes delays its own ring only,
   and one that ended there is found by its number.  */
struct sonde_ring {
    /* The thread that writes, or 0. Taken with acquire, given with release; they pair with each
       other and order the producers' accesses to the bytes.  */
    _Alignas(128) _Atomic uint32_t owner;
    uint8_t *bytes;
    /* Bytes written so far. Release by the producer; pairs with the acquire in peek.  */
    _Alignas(128) _Atomic uint64_t head;
    /* Bytes read so far. Release by the consumer; pairs with the acquire in take.  */
    _Alignas(128) _Atomic uint64_t tail;
    uint32_t suspect; /* the owner that the last look for dead threads saw */
};

struct sonde_machine {
    /* Set once the rest is ready, with release; pairs with the acquire in make.  */
    _Atomic uint32_t started;
    uint32_t ring_mask, ring_bytes;
    int32_t pid;
    int reads_memory;
    uint64_t main_stack; /* an address near the top of the main thread's stack */
    /* Whether plain loads outside of stacks may be tried. Relaxed: a hit that sees it late takes
       the chance that it would have taken just before.  */
    _Atomic uint32_t direct;
    struct sonde_bucket lines, cpu;
    struct sonde_ring rings[SONDE_MAX_RINGS];
    /* The clock, for the drain's thread alone, but for the rate, which changes by parts in a
       million.  */
    uint64_t base_ticks, ticks_per_second;
    int64_t base_unix_ns, base_monotonic_ns;
    uint64_t first_ticks;
    int64_t first_monotonic_ns;
};

extern struct sonde_machine sonde_machine;

/* What a thread knows of itself: where its stack is certainly readable, its number, the ring that
   it holds. Initial-exec, so that no hit calls the dynamic linker.  */
struct sonde_machine_thread {
    uint64_t stack_low, stack_high;
    uint64_t refused_page;
    uint32_t tid;
    int32_t pid;
    uint32_t turn;
    uint32_t lets_signals_through; /* as of MASK_READ_AT, in ticks */
    uint64_t mask_read_at;
    struct sonde_ring *held;
};

extern _Thread_local struct sonde_machine_thread sonde_machine_thread
    __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Where a span's bytes are.  */
enum sonde_span_place {
    SONDE_SPAN_INLINE = 0,  /* in the span */
    SONDE_SPAN_OWN = 1,     /* in the program: plain loads may read them */
    SONDE_SPAN_FOREIGN = 2, /* at an address of the service */
};

/* A byte string. READABLE: how many of LENGTH bytes may be looked at.  */
struct sonde_span {
    uint64_t address, length, readable;
    uint8_t inline_bytes[16];
    enum sonde_span_place place;
};

struct sonde_guard {
    uint32_t target, cursor, loops;
};

struct sonde_loop {
    uint64_t rounds, done;
    uint32_t body, d;
};

#define SONDE_WINDOW_BYTES 256u

/* A run: about 1300 bytes of the user's stack.  */
struct sonde_run {
    uint64_t registers[SONDE_REGISTERS];
    struct sonde_span spans[SONDE_SPANS];
    struct sonde_guard guards[SONDE_GUARDS];
    struct sonde_loop loops[SONDE_LOOPS];
    uint32_t guard_count, loop_count;
    /* Loads from [STACK_LOW, STACK_LOW + STACK_LAST] of up to 8 bytes cannot fail.  */
    uint64_t stack_low, stack_last;
    uint32_t is_own_stack;
    uint64_t now; /* ticks, or 0 while nobody asked */
    /* What a guarded read fetched: WINDOW_SIZE bytes from WINDOW_LOW.  */
    uint64_t window_low, window_size;
    uint8_t window[SONDE_WINDOW_BYTES];
    /* The record's body, or null before accept.  */
    uint8_t *body;
    uint32_t cursor, capacity;
    const struct sonde_program *program;
    struct sonde_ring *ring;
    uint64_t sequence, accepted_ticks;
    uint64_t fault_detail;
    uint64_t bytes_read;
    uint32_t caller_mxcsr, has_own_mxcsr;
};

/* HIT CONTEXT. The time stamp counter.  */
SONDE_MACHINE_CONTEXT
static inline uint64_t sonde_hit_ticks(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

SONDE_MACHINE_CONTEXT
static inline void sonde_hit_count(_Atomic uint64_t *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* HIT CONTEXT. Copies a few bytes without a call.  */
SONDE_MACHINE_CONTEXT
static inline void sonde_hit_copy(uint8_t *to, const uint8_t *from, uint64_t count)
{
    while (count >= 8) {
        /* Safety: both sides hold COUNT bytes, as the caller knows.  */
        uint64_t word;
        __builtin_memcpy(&word, from, 8);
        __builtin_memcpy(to, &word, 8);
        __asm__ volatile("" ::: "memory"); /* or the loop would become a call of memcpy */
        to += 8, from += 8, count -= 8;
    }
    while (count > 0) {
        *to++ = *from++;
        __asm__ volatile("" ::: "memory");
        count--;
    }
}

/* Whether process_vm_readv works here: 1 or 0. Where a seccomp filter is active it is tried in a
   child, because a filter may answer it by killing. Ordinary context.  */
int sonde_machine_may_read(void);

/* HIT CONTEXT. Lets RUN read the stack that RSP is on with plain loads, if that is certain.  */
void sonde_hit_find_stack(struct sonde_run *run, uint64_t rsp);

/* HIT CONTEXT. A pointer to bytes at ADDRESS: *AVAILABLE of them, at least 1 and at most WANT (at
   most SONDE_WINDOW_BYTES). Valid until the next view. Returns null when ADDRESS cannot be read.  */
const uint8_t *sonde_hit_view(struct sonde_run *run, uint64_t address, uint64_t want,
                              uint64_t *available);

/* HIT CONTEXT. Copies COUNT bytes from ADDRESS to TO. Returns 0, or -1 with the address that cannot
   be read as the fault's detail.  */
int sonde_hit_read(struct sonde_run *run, uint64_t address, uint8_t *to, uint64_t count);

/* HIT CONTEXT. Loads 1, 2, 4 or 8 bytes, widened without sign. Returns 0, or -1 as above.  */
int sonde_hit_load_slow(struct sonde_run *run, uint64_t address, uint32_t bytes, uint64_t *value);

/* HIT CONTEXT. Copies COUNT bytes from ADDRESS with plain loads, if all its pages were readable a
   moment ago. Returns 0, or -1 when it did not: then ask the kernel.  */
int sonde_hit_read_directly(struct sonde_run *run, void *to, uint64_t address, uint64_t count);

/* HIT CONTEXT. Remembers that the kernel could read these bytes just now.  */
void sonde_hit_note_readable(struct sonde_run *run, uint64_t address, uint64_t count);

/* HIT CONTEXT. Make and compare spans. Return a fault, or 0 with the result set.  */
enum sonde_fault sonde_hit_span_swift(struct sonde_span *span, uint64_t w0, uint64_t w1);
enum sonde_fault sonde_hit_span_c(struct sonde_run *run, struct sonde_span *span, uint64_t address,
                                  uint64_t cap);
enum sonde_fault sonde_hit_span_compare(struct sonde_run *run, const struct sonde_span *a,
                                        const struct sonde_span *b, uint8_t op, uint64_t *result);
enum sonde_fault sonde_hit_span_read(struct sonde_run *run, const struct sonde_span *span,
                                     uint64_t from, uint8_t *to, uint64_t count);

/* HIT CONTEXT. One operation on doubles, given and returned as bits. MXCSR is set already.  */
uint64_t sonde_hit_float(uint8_t op, uint64_t a, uint64_t b);

/* HIT CONTEXT. Takes COUNT events of a bucket at NOW: 1, or 0 when there is no room.  */
int sonde_hit_bucket_take(struct sonde_bucket *bucket, uint64_t now);

/* HIT CONTEXT. Whether a bucket is not over its limit; and adding what was used. The latter returns
   whether it still is not.  */
int sonde_hit_bucket_is_open(struct sonde_bucket *bucket, uint64_t now);
int sonde_hit_bucket_add(struct sonde_bucket *bucket, uint64_t now, uint64_t units);

/* HIT CONTEXT. Passes the limits and takes a record, or says what forbids it.  */
enum sonde_outcome sonde_hit_accept(struct sonde_run *run, uint32_t *detail);

/* HIT CONTEXT. Adds what a run cost to its probe and to all, and closes the probe beyond.  */
void sonde_hit_charge(struct sonde_probe *probe, uint64_t ticks, uint64_t now);

/* HIT CONTEXT. Word NUMBER (0...3) of what the calling thread carries: its number, its task's, and
   the two of its trace id.  */
uint64_t sonde_hit_context_word(uint32_t number);

/* HIT CONTEXT. Room for a record with a body of up to CAPACITY bytes: the ring, held, and where the
   body goes; or null and *LOSS.  */
struct sonde_ring *sonde_hit_ring_take(struct sonde_machine_thread *thread, uint32_t capacity,
                                       uint8_t **body, enum sonde_record_loss *loss);

/* HIT CONTEXT. Publishes the record of a held ring, or throws it away, and gives the ring.  */
void sonde_hit_ring_commit(struct sonde_ring *ring, const struct sonde_probe_record *header);
void sonde_hit_ring_give(struct sonde_ring *ring);
