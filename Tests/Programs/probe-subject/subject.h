/* SPDX-License-Identifier: Apache-2.0 */
/* What the scenarios of this program share: code to be probed, and ways to probe and compare.  */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "instruction.h"
#include "patch.h"

/* Ends a scenario with a message unless CONDITION holds.  */
#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);                        \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fprintf(stderr, "\n");                                                                 \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

/* A function to be probed.  */
struct code {
    uint64_t start, end;
};

/* Code in assembly; code.c says what each is there for.  */
#define CODE(name)                                                                                 \
    extern const char subject_##name[], subject_##name##_end[];                                    \
    static inline struct code code_##name(void)                                                    \
    {                                                                                              \
        return (struct code){ (uint64_t)subject_##name, (uint64_t)subject_##name##_end };          \
    }
CODE(red_zone)
CODE(bytes)
CODE(loop_inside)
CODE(loop_first)
CODE(table)
CODE(calls)
CODE(registers)
CODE(targets)
CODE(fixed)
CODE(recursive)
CODE(returns)

/* Calls CODE with two arguments.  */
static inline uint64_t call_code(struct code code, uint64_t a, uint64_t b)
{
    /* Safety: each of them takes and returns integers as the ABI says.  */
    return ((uint64_t(*)(uint64_t, uint64_t))code.start)(a, b);
}

/* Hits counted by count_hit, whose context is one of these or null.  */
extern _Atomic uint64_t hit_count;
void count_hit(void *context, struct sonde_hit_registers *registers);

/* Copies the registers to CONTEXT.  */
void keep_registers(void *context, struct sonde_hit_registers *registers);

/* A request for ADDRESS of CODE that counts.  */
struct sonde_patch_request request_at(struct code code, uint64_t address);

/* The function NAME of this program's symbol table; empty when there is none.  */
struct code code_named(const char *name);

/* Fills REQUESTS with one for each instruction of CODE that can be patched on its own; returns
   their number.  */
uint32_t requests_for(struct code code, struct sonde_patch_request *requests, uint32_t capacity);

/* The number of bytes in which this program's text differs from its file, or -1.  */
long changed_text_bytes(void);

/* A deterministic sequence of numbers; *STATE is not 0.  */
uint64_t next_random(uint64_t *state);

/* The nanoseconds of the monotonic clock.  */
int64_t now_ns(void);
