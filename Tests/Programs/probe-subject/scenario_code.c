/* SPDX-License-Identifier: Apache-2.0 */
/* Hard code under probes: results stay, hits are exact, bytes come back.  */
#include <string.h>

#include "scenarios.h"
#include "subject.h"

#define INPUTS 24u

/* The section of what runs at a hit.  */
extern const char start_of_hits[] __asm__("__start_sonde_text")
    __attribute__((visibility("hidden")));

static struct code all_codes[16];

static uint32_t list_codes(void)
{
    const struct code codes[] = { code_red_zone(), code_bytes(),   code_loop_inside(),
                                  code_loop_first(), code_table(), code_calls(),
                                  code_targets(),  code_recursive(), code_returns() };
    memcpy(all_codes, codes, sizeof codes);
    return sizeof codes / sizeof codes[0];
}

/* The inputs on which every code ends soon.  */
static void input(uint32_t number, uint64_t *a, uint64_t *b)
{
    *a = number % 6 + 1;
    *b = number / 6 + 1;
}

static void results_of(struct code code, uint64_t *results)
{
    for (uint32_t i = 0; i < INPUTS; i++) {
        uint64_t a, b;
        input(i, &a, &b);
        results[i] = call_code(code, a, b);
    }
}

/* Installs COUNT requests, compares all results, removes them.  */
static int try_set(struct code code, const struct sonde_patch_request *requests, uint32_t count,
                   const uint64_t *expected)
{
    struct sonde_patch_outcome outcomes[64];
    uint64_t results[INPUTS];
    enum sonde_patch_status status = sonde_patch_install(requests, count, outcomes);
    EXPECT(status == SONDE_PATCH_OK, "%s", sonde_patch_words(status));
    results_of(code, results);
    for (uint32_t i = 0; i < INPUTS; i++)
        EXPECT(results[i] == expected[i], "input %u: got %lx; want %lx; first site +%lu of %u", i,
               results[i], expected[i], requests[0].address - code.start, count);
    sonde_patch_remove(requests, count);
    return 0;
}

static int try_code(struct code code)
{
    struct sonde_patch_request requests[64], set[64];
    unsigned char before[256];
    uint64_t expected[INPUTS], random = 88172645463325252u;
    uint32_t count = requests_for(code, requests, 64);
    memcpy(before, (const void *)code.start, code.end - code.start);
    results_of(code, expected);
    for (uint32_t i = 0; i < count; i++)
        if (try_set(code, &requests[i], 1, expected) != 0)
            return 1;
    for (int round = 0; round < 100; round++) {
        uint32_t chosen = 0;
        for (uint32_t i = 0; i < count; i++)
            if (next_random(&random) & 4)
                set[chosen++] = requests[i];
        if (chosen > 0 && try_set(code, set, chosen, expected) != 0)
            return 1;
    }
    if (try_set(code, requests, count, expected) != 0)
        return 1;
    EXPECT(memcmp(before, (const void *)code.start, code.end - code.start) == 0, "bytes differ");
    return 0;
}

int scenario_code(void)
{
    uint32_t count = list_codes();
    for (uint32_t i = 0; i < count; i++)
        if (try_code(all_codes[i]) != 0) {
            fprintf(stderr, "in code %u\n", i);
            return 1;
        }
    EXPECT(changed_text_bytes() == 0, "text differs from the file");
    return 0;
}

/* Sites come and go one by one, in any order, while others of the function stay.  */
int scenario_orders(void)
{
    uint32_t codes = list_codes();
    uint64_t random = 2463534242u;
    for (uint32_t c = 0; c < codes; c++) {
        struct sonde_patch_request requests[64];
        struct sonde_patch_outcome outcome;
        uint64_t expected[INPUTS], results[INPUTS], installed = 0;
        results_of(all_codes[c], expected);
        uint32_t count = requests_for(all_codes[c], requests, 64);
        for (int step = 0; step < 300; step++) {
            uint32_t i = (uint32_t)(next_random(&random) % count);
            if (installed >> i & 1)
                sonde_patch_remove(&requests[i], 1);
            else
                EXPECT(sonde_patch_install(&requests[i], 1, &outcome) == SONDE_PATCH_OK, "%s",
                       sonde_patch_words(outcome.status));
            installed ^= 1ull << i;
            results_of(all_codes[c], results);
            EXPECT(memcmp(results, expected, sizeof results) == 0, "code %u, step %d", c, step);
        }
        sonde_patch_remove(requests, count);
        EXPECT(changed_text_bytes() == 0, "code %u: text differs", c);
    }
    return 0;
}

/* Hits at each place of the loops, which are also branch targets, are as many as passes.  */
int scenario_counts(void)
{
    struct { struct code code; uint64_t offset, a, b, hits; } cases[] = {
        { code_loop_first(), 0, 9, 1, 9 },   /* each pass: back to the first instruction */
        { code_loop_first(), 2, 9, 1, 9 },   /* its jnz */
        { code_loop_first(), 6, 1, 5, 5 },   /* loop to itself */
        { code_loop_inside(), 0, 3, 7, 1 },  /* before the loop */
        { code_loop_inside(), 2, 3, 7, 7 },  /* its head */
        { code_loop_inside(), 8, 3, 7, 7 },  /* its branch */
        { code_table(), 21, 0, 1, 1 },       /* the first case */
        { code_table(), 23, 1, 1, 1 },       /* a case that is entered by the table */
        { code_table(), 23, 2, 1, 0 },       /* and is jumped over */
        { code_table(), 25, 0, 1, 1 },
        { code_recursive(), 0, 10, 0, 11 },
        { code_recursive(), 14, 10, 0, 10 }, /* after the call returned */
        { code_returns(), 4, 1, 1, 1 },      /* a ret with another function behind */
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct code code = cases[i].code;
        struct sonde_patch_request request = request_at(code, code.start + cases[i].offset);
        struct sonde_patch_outcome outcome;
        uint64_t want = call_code(code, cases[i].a, cases[i].b);
        hit_count = 0;
        EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_OK, "case %u: %s", i,
               sonde_patch_words(outcome.status));
        uint64_t got = call_code(code, cases[i].a, cases[i].b);
        sonde_patch_remove(&request, 1);
        EXPECT(got == want, "case %u: got %lu; want %lu", i, got, want);
        EXPECT(hit_count == cases[i].hits, "case %u: got %lu hits; want %lu", i, hit_count,
               cases[i].hits);
    }
    return 0;
}

/* A hundred programs on one site, removed one by one; two on one line.  */
int scenario_programs(void)
{
    static _Atomic uint64_t counts[100];
    struct code code = code_red_zone();
    struct sonde_patch_request requests[100];
    struct sonde_patch_outcome outcomes[100];
    for (int i = 0; i < 100; i++) {
        requests[i] = request_at(code, code.start);
        requests[i].context = &counts[i];
    }
    EXPECT(sonde_patch_install(requests, 100, outcomes) == SONDE_PATCH_OK, "refused");
    for (int i = 0; i < 100; i++) {
        call_code(code, 1, 2);
        sonde_patch_remove(&requests[i], 1);
    }
    call_code(code, 1, 2);
    for (int i = 0; i < 100; i++)
        EXPECT(counts[i] == (uint64_t)i + 1, "program %d ran %lu times", i, counts[i]);
    EXPECT(sonde_hits_settle(1000000000) == 1, "hits do not settle");
    EXPECT(changed_text_bytes() == 0, "text differs");
    return 0;
}

/* What has to be refused, and that nothing of the set is installed then.  */
int scenario_refusals(void)
{
    struct code fixed = code_fixed(), code = code_red_zone();
    struct code data = { (uint64_t)all_codes, (uint64_t)all_codes + 64 };
    struct code libc = { (uint64_t)strlen & ~15ull, ((uint64_t)strlen & ~15ull) + 64 };
    struct code hit = { (uint64_t)start_of_hits, (uint64_t)start_of_hits + 64 };
    struct { struct code code; uint64_t offset; enum sonde_patch_status status; } cases[] = {
        { fixed, 1, SONDE_PATCH_CANNOT_MOVE },        /* ud2 */
        { fixed, 3, SONDE_PATCH_BREAKPOINT },         /* int3 */
        { fixed, 4, SONDE_PATCH_CANNOT_MOVE },        /* hlt */
        { code, 1, SONDE_PATCH_NOT_AN_INSTRUCTION },  /* inside one */
        { code, 4096, SONDE_PATCH_NOT_AN_INSTRUCTION },
        { data, 0, SONDE_PATCH_NOT_TEXT },
        { { 4096, 8192 }, 0, SONDE_PATCH_NOT_TEXT },  /* not mapped */
        { libc, 0, SONDE_PATCH_DENIED },
        { hit, 0, SONDE_PATCH_DENIED },
        { { code.start, code.end + (1ull << 40) }, 0, SONDE_PATCH_NOT_TEXT },
    };
    for (uint32_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t address = cases[i].code.start + cases[i].offset;
        struct sonde_patch_request requests[2] = { request_at(code, code.start),
                                                   request_at(cases[i].code, address) };
        struct sonde_patch_outcome outcomes[2];
        enum sonde_patch_status status = sonde_patch_install(requests, 2, outcomes);
        EXPECT(status == cases[i].status, "case %u: %s", i, sonde_patch_words(status));
        EXPECT(outcomes[1].status == status, "case %u: outcome", i);
        EXPECT(outcomes[0].status == SONDE_PATCH_NOT_TRIED, "case %u: the other's outcome", i);
        EXPECT(changed_text_bytes() == 0, "case %u: text differs", i);
    }
    EXPECT(sonde_patch_deny(code.start + 5, code.start + 6) == 0, "deny");
    struct sonde_patch_request denied = request_at(code, code.start + 5);
    EXPECT(sonde_patch_plan(&denied).status == SONDE_PATCH_DENIED, "denied range");
    /* Two functions that claim the same code.  */
    struct sonde_patch_request overlap[2] = { request_at(code, code.start + 10),
                                              request_at(code, code.start + 19) };
    struct sonde_patch_outcome outcomes[2];
    overlap[1].function_start += 10;
    EXPECT(sonde_patch_install(overlap, 2, outcomes) == SONDE_PATCH_OK, "bounds that differ");
    sonde_patch_remove(overlap, 2);
    overlap[0].address = code.start + 15; /* displaces the other as well */
    EXPECT(sonde_patch_install(overlap, 2, outcomes) == SONDE_PATCH_OVERLAP, "the same code");
    EXPECT(changed_text_bytes() == 0, "text differs");
    return 0;
}
