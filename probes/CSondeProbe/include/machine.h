/* SPDX-License-Identifier: Apache-2.0 */
/* The probe machine: programs that run at hits, their limits, and the records that they leave.
   sonde_hit_* runs at a hit; the rest is ordinary, one thread at a time, its owner's lock held.  */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "hit.h"

/* The machine's parts, the same as in SondeProbeProgram's MachineBounds.  */
#define SONDE_REGISTERS 32u
#define SONDE_SPANS 8u
#define SONDE_GUARDS 16u
#define SONDE_LOOPS 4u
#define SONDE_COMPARED_BYTES 4096u
#define SONDE_SOUGHT_BYTES 255u
#define SONDE_RECORD_BODY_BYTES 65536u
/* The most rings, and the bytes of the smallest.  */
#define SONDE_MAX_RINGS 64u
#define SONDE_MIN_RING_BYTES (1u << 18)

/* What can go wrong with one value; the numbers stand in records.  */
enum sonde_fault {
    SONDE_FAULT_NONE = 0,
    SONDE_FAULT_UNREADABLE = 1,
    SONDE_FAULT_OVERFLOW = 2,
    SONDE_FAULT_DIVISION_BY_ZERO = 3,
    SONDE_FAULT_NIL_UNWRAPPED = 4,
    SONDE_FAULT_INDEX_OUT_OF_RANGE = 5,
    SONDE_FAULT_RECORD_FULL = 6,
    SONDE_FAULT_UNAVAILABLE = 7,
    SONDE_FAULT_BRIDGED_STRING = 8,
    SONDE_FAULT_UNKNOWN_ENUM_CASE = 9,
    SONDE_FAULT_TOO_LONG = 10,
    SONDE_FAULTS = 11,
};

/* Limits that end a hit, or a probe.  */
enum sonde_limit {
    SONDE_LIMIT_NONE = 0,
    SONDE_LIMIT_HITS = 1,         /* all lines of the probe are said; it closes */
    SONDE_LIMIT_RATE = 2,         /* lines a second of the probe */
    SONDE_LIMIT_PROCESS_RATE = 3, /* lines a second of all probes */
    SONDE_LIMIT_BYTES = 4,        /* bytes a second of the probe */
    SONDE_LIMIT_CPU = 5,          /* CPU time of the probe; it closes */
    SONDE_LIMIT_PROCESS_CPU = 6,  /* CPU time of all probes; the one that broke it closes */
    SONDE_LIMITS = 7,
};

/* How a hit ended.  */
enum sonde_outcome {
    SONDE_COMMITTED = 0,
    SONDE_CONDITION_FALSE = 1,
    SONDE_CONDITION_ERROR = 2, /* with the fault */
    SONDE_LIMITED = 3,         /* with the limit */
    SONDE_DROPPED = 4,         /* with the loss; a sequence number was given */
    SONDE_CLOSED = 5,          /* the probe ran nothing any more */
    SONDE_BROKEN = 6,          /* a program that no verifier passed */
};

/* Lines that were accepted and lost.  */
enum sonde_record_loss {
    SONDE_LOST_RING_FULL = 0, /* the drain was too slow */
    SONDE_LOST_RING_BUSY = 1, /* every ring was held by a delayed thread */
    SONDE_LOST_FAULT = 2,     /* a fault outside of any guard */
    SONDE_LOST_BROKEN = 3,    /* a program that no verifier passed */
    SONDE_RECORD_LOSSES = 4,
};

enum sonde_machine_status {
    SONDE_MACHINE_OK = 0,
    SONDE_MACHINE_NO_MEMORY = 1,
    SONDE_MACHINE_NOT_STARTED = 2,
    SONDE_MACHINE_BAD_PROGRAM = 3, /* an opcode, operand, index or jump that is none */
};

/* What all probes of the process share. RING_BYTES of all rings together; RINGS is rounded to a
   power of two. READS_MEMORY: whether process_vm_readv may be used, if it works here (a seccomp
   filter may forbid it); without it only registers and stacks that are known already are.  */
struct sonde_machine_settings {
    uint64_t ring_bytes;
    uint32_t rings;
    uint32_t lines_per_second, burst; /* of all probes */
    uint32_t cpu_millionths;          /* of one core, for all probes */
    int reads_memory;
};

/* Reserves the rings and measures the clock (about 2 ms). Again: changes the limits only, but in a
   child of fork everything is made anew.  */
enum sonde_machine_status sonde_machine_start(const struct sonde_machine_settings *settings);

/* Reads memory outside of stacks with plain loads where it was readable a moment ago: a tenth of the
   cost. For that, SIGSEGV and SIGBUS are taken in front of the program's handlers, until one of
   them is not ours or somebody replaces ours: then they are given back for good. Returns 1 when it
   is in use, 0 when the signals are somebody else's. After sonde_machine_start.  */
int sonde_machine_use_direct_reads(void);

/* Call about once a second while it is in use: whether it still is.  */
int sonde_machine_check_direct_reads(void);

/* Direct reads of memory that had vanished, so far.  */
uint64_t sonde_machine_recovered_reads(void);

/* Gives the signals back, if they are still ours. No hit may be running: see sonde_hits_settle.  */
void sonde_machine_end_direct_reads(void);

/* Adjusts the machine's clock to the system's; once a second is enough, and before reading.  */
void sonde_machine_adjust_clock(void);

/* The machine's clock and its rate, for tests and benchmarks.  */
uint64_t sonde_machine_ticks(void);
uint64_t sonde_machine_ticks_per_second(void);

/* One probe: what its sites and images share. Lives until sonde_probe_free.  */
struct sonde_probe;

/* FIRST_SEQUENCE: the last number that an earlier revision gave; the next line gets the one after.
   A limit of 0 lets nothing pass.  */
struct sonde_probe_settings {
    uint32_t slot; /* stands in the records; the caller's number */
    uint64_t hits, first_sequence;
    uint32_t lines_per_second, burst, bytes_per_second, cpu_millionths;
};

/* Returns null when there is no memory or the machine was not started.  */
struct sonde_probe *sonde_probe_make(const struct sonde_probe_settings *settings);

/* Lets no hit of the probe do anything any more. Hits that are running end as they would have.  */
void sonde_probe_close(struct sonde_probe *probe);

/* Frees it. No program of it may be in a site, and sonde_hits_settle must have said 1 since.  */
void sonde_probe_free(struct sonde_probe *probe);

/* What a probe counted. HITS is the sum of what hits ended as. LAST_SEQUENCE counts on from
   FIRST_SEQUENCE. CPU_NS is estimated: one hit in eight is measured.  */
struct sonde_probe_counts {
    uint64_t hits, committed, condition_false, closed, cpu_ns, last_sequence;
    uint64_t condition_errors[SONDE_FAULTS];
    uint64_t limited[SONDE_LIMITS];
    uint64_t lost[SONDE_RECORD_LOSSES];
    enum sonde_limit closed_by; /* the limit that closed it, or NONE */
};

struct sonde_probe_counts sonde_probe_counts(const struct sonde_probe *probe);

/* The code of one image of a probe, ready to run; holds everything it needs.  */
struct sonde_program;

/* What sonde_program_make copies. WORDS: instructions as in SondeProbeProgram's encoding.
   CONSTANTS: relocated. STRINGS: string I is STRING_BYTES[STRING_STARTS[I]..<STRING_STARTS[I+1]],
   so there are STRING_COUNT + 1 starts. STEPS and RECORD_BYTES: the verifier's worst case. ENTRIES:
   for each site its first instruction.  */
struct sonde_program_parts {
    const uint64_t *words, *constants;
    const uint8_t *string_bytes;
    const uint32_t *string_starts, *entries;
    uint32_t word_count, constant_count, string_count, entry_count;
    uint32_t steps, record_bytes;
};

/* Copies and checks a program: whatever it holds, running it stays within its own memory, its
   record and its steps. Returns null and sets *STATUS when it is none.  */
struct sonde_program *sonde_program_make(struct sonde_probe *probe,
                                         const struct sonde_program_parts *parts,
                                         enum sonde_machine_status *status);

/* What to hand to the patcher for site NUMBER, with sonde_hit_run_program; null beyond the last.  */
void *sonde_program_context(struct sonde_program *program, uint32_t number);

/* Frees it. It may be in no site, and sonde_hits_settle must have said 1 since.  */
void sonde_program_free(struct sonde_program *program);

/* HIT CONTEXT. Runs a site's program; CONTEXT is from sonde_program_context. Never inside itself on
   one thread, unless the earlier run was left for good.  */
void sonde_hit_run_program(void *context, struct sonde_hit_registers *registers);

/* What one run cost and how it ended; DETAIL is the fault, limit or loss.  */
struct sonde_run_report {
    enum sonde_outcome outcome;
    uint32_t detail;
    uint64_t steps, bytes_read, record_bytes;
};

/* HIT CONTEXT. The same, and says how it went.  */
struct sonde_run_report sonde_hit_report_program(void *context,
                                                 struct sonde_hit_registers *registers);

/* A record's header; BODY_SIZE bytes follow. SEQUENCE counts from 1 for each probe and has gaps
   where lines were lost. SITE: the site's number. SIZE: of header and body, rounded up to 8.  */
struct sonde_probe_record {
    uint32_t size, probe_slot;
    uint64_t sequence;
    int64_t unix_ns;
    uint32_t tid, site;
    uint64_t task;
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint64_t labels;
    uint32_t body_size, flags;
};

/* The number of rings.  */
uint32_t sonde_record_rings(void);

/* The oldest record of ring NUMBER: valid until sonde_record_consume, body behind the header.
   Returns null when there is none.  */
const struct sonde_probe_record *sonde_record_peek(uint32_t number);

/* Frees the room of the record that sonde_record_peek returned last.  */
void sonde_record_consume(uint32_t number);

/* Takes rings back from threads that ended while they held one; every second or so. Returns how
   many.  */
uint32_t sonde_record_recover_rings(void);
