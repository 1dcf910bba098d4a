/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads: sites come and go under them, and every result stays.  */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios.h"
#include "subject.h"

#define WORKERS 4
#define ROUNDS 200

static _Atomic int stop;
static _Atomic uint64_t calls, wrong;

/* One of these is called over and over; each has one right answer.  */
static const struct {
    struct code (*code)(void);
    uint64_t a, b;
} work[] = {
    { code_red_zone, 5, 7 },  { code_bytes, 5, 7 },     { code_loop_inside, 3, 50 },
    { code_loop_first, 9, 3 }, { code_table, 2, 1 },    { code_calls, 1, 2 },
    { code_targets, 9, 2 },   { code_recursive, 40, 0 }, { code_returns, 2, 3 },
};
#define WORK (sizeof work / sizeof work[0])

static uint64_t expected[WORK];

static void *work_until_stopped(void *context)
{
    uint64_t random = (uint64_t)context * 7919 + 1;
    while (!stop) {
        for (int i = 0; i < 200; i++) {
            uint32_t which = (uint32_t)(next_random(&random) % WORK);
            wrong += call_code(work[which].code(), work[which].a, work[which].b) !=
                     expected[which];
        }
        calls += 200;
    }
    return 0;
}

static uint32_t all_requests(struct sonde_patch_request *requests, uint32_t capacity)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < WORK; i++) {
        expected[i] = call_code(work[i].code(), work[i].a, work[i].b);
        count += requests_for(work[i].code(), requests + count, capacity - count);
    }
    return count;
}

/* A random half of all sites, then the others, installed and removed ROUNDS times under threads
   that never pause.  */
int scenario_load(void)
{
    static struct sonde_patch_request requests[512], set[512];
    static struct sonde_patch_outcome outcomes[512];
    pthread_t threads[WORKERS];
    uint64_t random = 362436069, pads = 0;
    uint32_t count = all_requests(requests, 512), jumps = 0, traps = 0;
    for (uint64_t i = 0; i < WORKERS; i++)
        pthread_create(&threads[i], 0, work_until_stopped, (void *)i);
    for (int round = 0; round < ROUNDS && wrong == 0; round++) {
        uint32_t chosen = 0;
        for (uint32_t i = 0; i < count; i++)
            if (round % 4 == 0 || next_random(&random) & 8)
                set[chosen++] = requests[i];
        enum sonde_patch_status status = sonde_patch_install(set, chosen, outcomes);
        EXPECT(status == SONDE_PATCH_OK, "%s", sonde_patch_words(status));
        for (uint32_t i = 0; i < chosen; i++) {
            jumps += outcomes[i].form == SONDE_PATCH_JUMP;
            traps += outcomes[i].form == SONDE_PATCH_TRAP;
        }
        uint64_t before = calls;
        while (calls - before < 2000 && wrong == 0)
            ;
        sonde_patch_remove(set, chosen);
        EXPECT(changed_text_bytes() == 0, "round %d: text differs", round);
        if (round == ROUNDS / 2)
            pads = sonde_patch_counters().pad_bytes;
    }
    stop = 1;
    for (uint64_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], 0);
    EXPECT(wrong == 0, "%lu wrong results of %lu", wrong, calls);
    EXPECT(hit_count > 10000 && jumps > 0 && traps > 0, "%lu hits", hit_count);
    EXPECT(sonde_hits_settle(1000000000) == 1, "does not settle");
    EXPECT(sonde_patch_counters().pad_bytes <= 2 * pads, "pads grow: %lu",
           sonde_patch_counters().pad_bytes);
    printf("calls %lu\nhits %lu\njumps %u\ntraps %u\npad_bytes %lu\n", calls, hit_count, jumps,
           traps, sonde_patch_counters().pad_bytes);
    return 0;
}

static void *recurse(void *context)
{
    while (!stop) {
        wrong += call_code(code_recursive(), 1000, 0) != 500500;
        calls += 1;
    }
    return context;
}

/* A function that all threads are in, a thousand calls deep, at every one of its places.  */
int scenario_recursion(void)
{
    struct sonde_patch_request requests[64];
    struct sonde_patch_outcome outcomes[64];
    pthread_t threads[WORKERS];
    uint32_t count = requests_for(code_recursive(), requests, 64);
    for (uint64_t i = 0; i < WORKERS; i++)
        pthread_create(&threads[i], 0, recurse, 0);
    for (int round = 0; round < ROUNDS && wrong == 0; round++) {
        EXPECT(sonde_patch_install(requests, count, outcomes) == SONDE_PATCH_OK, "refused");
        uint64_t before = calls;
        while (calls - before < 4 && wrong == 0)
            ;
        sonde_patch_remove(requests, count);
    }
    stop = 1;
    for (uint64_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], 0);
    EXPECT(wrong == 0 && hit_count > 1000, "%lu wrong, %lu hits", wrong, hit_count);
    EXPECT(changed_text_bytes() == 0, "text differs");
    return 0;
}

static void *short_life(void *context)
{
    for (uint32_t i = 0; i < WORK; i++)
        wrong += call_code(work[i].code(), work[i].a, work[i].b) != expected[i];
    return context;
}

/* 2000 threads begin and end while sites come and go.  */
int scenario_threads(void)
{
    static struct sonde_patch_request requests[512];
    static struct sonde_patch_outcome outcomes[512];
    uint32_t count = all_requests(requests, 512);
    for (int batch = 0; batch < 20; batch++) {
        pthread_t threads[100];
        for (int i = 0; i < 100; i++) {
            EXPECT(pthread_create(&threads[i], 0, short_life, 0) == 0, "thread");
            if (i == 50) {
                enum sonde_patch_status status = sonde_patch_install(requests, count, outcomes);
                EXPECT(status == SONDE_PATCH_OK, "%s", sonde_patch_words(status));
            }
        }
        for (int i = 0; i < 100; i++)
            pthread_join(threads[i], 0);
        sonde_patch_remove(requests, count);
    }
    EXPECT(wrong == 0, "%lu wrong", wrong);
    EXPECT(changed_text_bytes() == 0, "text differs");
    return 0;
}

static void hit_again(void *context, struct sonde_hit_registers *registers)
{
    (void)context;
    (void)registers;
    hit_count += 1;
    call_code(code_red_zone(), 1, 2);
}

/* A hit inside of a hit, and hits of a muted thread, run nothing and are counted.  */
int scenario_reentry(void)
{
    struct code code = code_red_zone();
    struct sonde_patch_request request = request_at(code, code.start);
    struct sonde_patch_outcome outcome;
    request.run = hit_again;
    EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_OK, "refused");
    EXPECT(call_code(code, 5, 7) == 22 && hit_count == 1, "%lu hits", hit_count);
    EXPECT(sonde_hits_skipped(SONDE_HIT_REENTERED) == 1, "not counted");
    sonde_mute_thread(1);
    EXPECT(call_code(code, 5, 7) == 22 && hit_count == 1, "%lu hits", hit_count);
    EXPECT(sonde_hits_skipped(SONDE_HIT_MUTED) == 1, "not counted");
    sonde_mute_thread(0);
    EXPECT(call_code(code, 5, 7) == 22 && hit_count == 2, "%lu hits", hit_count);
    return 0;
}

static void *allocate(void *context)
{
    uint64_t random = (uint64_t)context + 99;
    while (!stop) {
        unsigned char *blocks[16];
        for (uint32_t i = 0; i < 16; i++) {
            size_t size = next_random(&random) % 3000 + 1;
            blocks[i] = malloc(size);
            if (blocks[i] != 0)
                memset(blocks[i], (int)i, size);
            blocks[i] = realloc(blocks[i], 2 * size);
        }
        for (uint32_t i = 0; i < 16; i++) {
            wrong += blocks[i] == 0 || *blocks[i] != i;
            free(blocks[i]);
        }
        calls += 16;
    }
    return 0;
}

/* Probes at every place of the program's allocator, which installing itself uses.  */
int scenario_allocator(void)
{
    static const char *const names[] = { "malloc", "free", "realloc", "new_block" };
    static struct sonde_patch_request requests[512];
    static struct sonde_patch_outcome outcomes[512];
    pthread_t threads[WORKERS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++)
        count += requests_for(code_named(names[i]), requests + count, 512 - count);
    EXPECT(count > 60, "%u sites", count);
    for (uint64_t i = 0; i < WORKERS; i++)
        pthread_create(&threads[i], 0, allocate, (void *)i);
    for (int round = 0; round < 50 && wrong == 0; round++) {
        enum sonde_patch_status status = sonde_patch_install(requests, count, outcomes);
        EXPECT(status == SONDE_PATCH_OK, "%s", sonde_patch_words(status));
        uint64_t before = calls;
        while (calls - before < 64 && wrong == 0)
            sched_yield();
        sonde_patch_remove(requests, count);
        EXPECT(changed_text_bytes() == 0, "round %d: text differs", round);
    }
    stop = 1;
    for (uint64_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], 0);
    EXPECT(wrong == 0 && hit_count > 10000, "%lu wrong, %lu hits", wrong, hit_count);
    return 0;
}
