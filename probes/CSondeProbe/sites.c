/* SPDX-License-Identifier: Apache-2.0 */
/* Sites and their lists of programs. A list is never changed once hits can see it: a new one takes
   its place, and the old one is freed when all hits that were running then have ended.  */
#include "sites.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static struct sonde_hit_site *arena;
static struct sonde_hit_site *sorted[SONDE_MAX_SITES];
static uint32_t site_count;
static struct sonde_hit_programs *retired;

struct sonde_hit_site *const *sonde_sites(uint32_t *count)
{
    *count = site_count;
    return sorted;
}

uint32_t sonde_sites_index(uint64_t address)
{
    uint32_t low = 0, high = site_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (sorted[middle]->address < address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct sonde_hit_site *sonde_site_at(uint64_t address)
{
    uint32_t index = sonde_sites_index(address);
    return index < site_count && sorted[index]->address == address ? sorted[index] : 0;
}

static int prepare_arena(void)
{
    if (arena != 0)
        return 1;
    void *memory = mmap(0, SONDE_MAX_SITES * sizeof *arena, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return 0;
    arena = memory;
    return 1;
}

int sonde_sites_make(const struct sonde_patch_request *requests, uint32_t count)
{
    if (!prepare_arena())
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t index = sonde_sites_index(requests[i].address);
        if (index < site_count && sorted[index]->address == requests[i].address)
            continue;
        if (site_count == SONDE_MAX_SITES)
            return -1;
        struct sonde_hit_site *site = &arena[site_count];
        site->address = requests[i].address;
        site->function_start = requests[i].function_start;
        site->function_end = requests[i].function_end;
        memmove(&sorted[index + 1], &sorted[index], (site_count - index) * sizeof sorted[0]);
        sorted[index] = site;
        site_count += 1;
    }
    return 0;
}

static struct sonde_hit_programs *programs_of(const struct sonde_hit_site *site)
{
    /* Relaxed: written by this thread alone.  */
    return site->is_changing ? site->pending
                             : atomic_load_explicit(&site->programs, memory_order_relaxed);
}

int sonde_site_is_wanted(const struct sonde_hit_site *site)
{
    const struct sonde_hit_programs *programs = programs_of(site);
    return programs != 0 && programs->count > 0;
}

/* Starts a change with a copy of the site's list that has room for one more.  */
static struct sonde_hit_programs *change(struct sonde_hit_site *site)
{
    const struct sonde_hit_programs *before = programs_of(site);
    uint32_t count = before == 0 ? 0 : before->count;
    struct sonde_hit_programs *programs =
        malloc(sizeof *programs + (count + 1) * sizeof programs->entries[0]);
    if (programs == 0)
        return 0;
    programs->next = 0;
    programs->count = count;
    if (count > 0)
        memcpy(programs->entries, before->entries, count * sizeof programs->entries[0]);
    if (site->is_changing)
        free(site->pending);
    site->pending = programs;
    site->is_changing = 1;
    return programs;
}

int sonde_site_add(struct sonde_hit_site *site, sonde_hit_run run, void *context)
{
    struct sonde_hit_programs *programs = change(site);
    if (programs == 0)
        return -1;
    programs->entries[programs->count].run = run;
    programs->entries[programs->count++].context = context;
    return 0;
}

int sonde_site_drop(struct sonde_hit_site *site, sonde_hit_run run, void *context)
{
    struct sonde_hit_programs *programs = change(site);
    if (programs == 0)
        return -1;
    for (uint32_t i = 0; i < programs->count; i++) {
        if (programs->entries[i].run != run || programs->entries[i].context != context)
            continue;
        uint32_t behind = programs->count - i - 1;
        memmove(&programs->entries[i], &programs->entries[i + 1],
                behind * sizeof programs->entries[0]);
        programs->count -= 1;
        break;
    }
    return 0;
}

void sonde_sites_commit(void)
{
    for (uint32_t i = 0; i < site_count; i++) {
        struct sonde_hit_site *site = sorted[i];
        if (!site->is_changing)
            continue;
        struct sonde_hit_programs *before =
            atomic_load_explicit(&site->programs, memory_order_relaxed);
        struct sonde_hit_programs *after = site->pending;
        if (after != 0 && after->count == 0) {
            free(after);
            after = 0;
        }
        /* Sequentially consistent; pairs with the loads of a hit that begins after
           sonde_hits_settle has looked at its counter.  */
        atomic_store(&site->programs, after);
        site->pending = 0;
        site->is_changing = 0;
        if (before != 0) {
            before->next = retired;
            retired = before;
        }
    }
}

void sonde_sites_drop(uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < site_count; i++) {
        if (sorted[i]->address < start || sorted[i]->address >= end)
            continue;
        sorted[i]->pending = 0;
        sorted[i]->is_changing = 1;
    }
    sonde_sites_commit();
}

void sonde_sites_abandon(void)
{
    for (uint32_t i = 0; i < site_count; i++) {
        if (sorted[i]->is_changing)
            free(sorted[i]->pending);
        sorted[i]->pending = 0;
        sorted[i]->is_changing = 0;
    }
}

void sonde_sites_collect(void)
{
    if (retired == 0 || !sonde_hits_settle(0))
        return;
    while (retired != 0) {
        struct sonde_hit_programs *next = retired->next;
        free(retired);
        retired = next;
    }
}
