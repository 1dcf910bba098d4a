/* SPDX-License-Identifier: Apache-2.0 */
/* What hits know of the Swift runtime's memory: written once by scope_learn.c, read by scope.c.  */
#pragma once

#include "hit.h"
#include "scope.h"

struct sonde_scope_layout {
    int is_known;
    /* Distance of a thread's current task from the thread pointer, in its static TLS.  */
    int64_t task_at;
    /* In a task: the low half of its number, and the first item of its local values.  */
    uint64_t number_offset, list_offset;
    /* In an item: the value. The item's first word is the next item and flags, its second the key. */
    uint64_t value_offset;
    uint64_t key;
};

extern struct sonde_scope_layout sonde_scope_layout __attribute__((visibility("hidden")));
