/* SPDX-License-Identifier: Apache-2.0 */
/* HIT CONTEXT: what the interrupted thread works for; see scope.h. What is learnt for it is in
   scope_learn.c.  */
#include "scope_layout.h"

struct sonde_scope_layout sonde_scope_layout;

/* Initial-exec: a fixed distance from the thread's own block, so that reading it calls nothing.  */
static _Thread_local __attribute__((tls_model("initial-exec"))) struct sonde_scope_before mine;

/* Items of a task's list that are looked at: each is a `withValue` around the current code.  */
#define MAX_ITEMS 256

SONDE_HIT_CONTEXT
static uint64_t word(uint64_t address)
{
    return *(const volatile uint64_t *)address;
}

SONDE_HIT_CONTEXT
static void copy(struct sonde_scope *to, const volatile struct sonde_scope *from)
{
    volatile uint64_t *target = (volatile uint64_t *)to;
    const volatile uint64_t *source = (const volatile uint64_t *)from;
    for (unsigned i = 0; i < sizeof *to / 8; i++) target[i] = source[i];
}

SONDE_HIT_CONTEXT
void sonde_hit_scope(struct sonde_scope *scope, uint64_t *task_number)
{
    uint64_t task = 0;
    *task_number = 0;
    /* Acquire; pairs with the release in sonde_scope_learn.  */
    int is_known = __atomic_load_n(&sonde_scope_layout.is_known, __ATOMIC_ACQUIRE);
    if (is_known) {
        __asm__ volatile("movq %%fs:(%1), %0" : "=r"(task) : "r"(sonde_scope_layout.task_at));
        if (task != 0)
            *task_number =
                *(const volatile uint32_t *)(task + sonde_scope_layout.number_offset);
    }
    copy(scope, &mine.scope);
    if (mine.depth != 0 || task == 0) return;
    uint64_t item = word(task + sonde_scope_layout.list_offset);
    for (int i = 0; item != 0 && i < MAX_ITEMS; i++) {
        uint64_t next = word(item);
        /* Bit 2 marks an entry that is no value.  */
        if ((next & 4) == 0 && word(item + 8) == sonde_scope_layout.key) {
            copy(scope, (const struct sonde_scope *)(item + sonde_scope_layout.value_offset));
            return;
        }
        item = next & ~(uint64_t)7;
    }
}

void sonde_scope_enter(const struct sonde_scope *scope, struct sonde_scope_before *before)
{
    *before = mine;
    /* Signal fences: a hit on this very thread sees either scope whole.  */
    mine.depth = 0;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    mine.scope = *scope;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    mine.depth = before->depth + 1;
}

void sonde_scope_leave(const struct sonde_scope_before *before)
{
    mine.depth = 0;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    mine.scope = before->scope;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    mine.depth = before->depth;
}
