/* SPDX-License-Identifier: Apache-2.0 */
/* Which trace, span, labels and Swift task the interrupted thread works for.

   Synchronous code says so in a variable of its thread. Asynchronous code changes threads, so there
   it is a task-local value, and a hit follows the task's own list of those. What it needs to know of
   the Swift runtime (where a thread keeps its task, where a task keeps its list) is not written down
   here: it is learnt in ordinary context, from the runtime itself, and checked; when something does
   not add up, hits see no task.  */
#pragma once

#include <stdint.h>

/* What a piece of work belongs to. The ids are the bytes of the W3C trace context, all zero for
   none; LABELS is a number that the owner of the labels gave out, 0 for none.  */
struct sonde_scope {
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint64_t labels;
};

/* HIT CONTEXT. Tells what the calling thread works for now: the innermost scope, all zero without
   one, and the low 32 bits of its task's number in TASK, 0 outside of tasks. Reads only memory that
   the thread itself or its task owns; no calls.  */
void sonde_hit_scope(struct sonde_scope *scope, uint64_t *task);

/* Makes SCOPE the calling thread's, until sonde_scope_leave gets what this returned in BEFORE; the
   two nest, and nothing between them may suspend.  */
struct sonde_scope_before {
    struct sonde_scope scope;
    uint64_t depth;
};
void sonde_scope_enter(const struct sonde_scope *scope, struct sonde_scope_before *before);
void sonde_scope_leave(const struct sonde_scope_before *before);

/* What could not be learnt.  */
enum sonde_scope_status {
    SONDE_SCOPE_OK = 0,
    SONDE_SCOPE_NO_TASK = 1,     /* no Swift concurrency runtime, or not called in a task */
    SONDE_SCOPE_DYNAMIC_TLS = 2, /* the runtime was loaded late: its variables have no fixed place */
    SONDE_SCOPE_NO_CURRENT = 3,  /* where a thread keeps its task was not found */
    SONDE_SCOPE_NO_LOCALS = 4,   /* where a task keeps its local values was not found */
};

/* Learns from the current task, in which the task-local value of KEY is set to a struct sonde_scope.
   Once it succeeded it need not be called again. Ordinary context, any thread, in a task; one at a
   time.  */
enum sonde_scope_status sonde_scope_learn(const void *key);
