/* SPDX-License-Identifier: Apache-2.0 */
/* Changing code in three steps, with a barrier after each:

   1. int3 at every byte where an instruction starts or started that is covered by a jump before or
      after. One byte at a time, so each thread executes the whole old instruction or the int3,
      whose handler knows where to go on. From now on nobody executes any other byte of them.
   2. All the other bytes.
   3. The bytes of step 1 that shall not stay int3. In a jump those behind its first byte stay.

   Nobody has to be looked for or waited for: whoever was stopped in the middle, be it for days
   inside a signal handler, finds the instruction he was about to execute, or an int3 in its
   place.  */
#include "transition.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "trap.h"

#define BREAKPOINT 0xcc
#define PAGE 4096u

int sonde_region_list_add(struct sonde_region_list *list, struct sonde_region *region)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        void *grown = realloc(list->regions, capacity * sizeof *list->regions);
        if (grown == 0)
            return -1;
        list->regions = grown;
        list->capacity = capacity;
    }
    list->regions[list->count++] = region;
    return 0;
}

void sonde_region_list_free(struct sonde_region_list *list)
{
    free(list->regions);
    *list = (struct sonde_region_list){ 0 };
}

/* The region of LIST that writes the byte at ADDRESS, or null.  */
static const struct sonde_region *writer_of(const struct sonde_region_list *list, uint64_t address)
{
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list->regions[middle]->start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct sonde_region *region = low == 0 ? 0 : list->regions[low - 1];
    return region != 0 && address - region->start < region->patched_size ? region : 0;
}

/* Whether an instruction starts at OFFSET of REGION.  */
static int is_start(const struct sonde_region *region, uint32_t offset)
{
    for (uint32_t i = 0; i < region->count; i++)
        if (region->offsets[i] == offset)
            return 1;
    return 0;
}

/* The page that was looked at last: whether it can be read and written, and its bytes.  */
static struct {
    uint64_t page;
    int is_usable;
    uint8_t bytes[PAGE];
} seen;

/* Looks at the page of ADDRESS; whether it can be written is tried with what stands there.  */
static int look(uint64_t address)
{
    uint64_t page = address & ~(uint64_t)(PAGE - 1);
    if (seen.page != page) {
        seen.page = page;
        seen.is_usable = sonde_text_read(page, seen.bytes, PAGE) == 0 &&
                         sonde_text_write(address, &seen.bytes[address - page], 1) == 0;
    }
    return seen.is_usable;
}

/* Whether the code of REGION can be written, and begins with EXPECTED unless that is null.  */
static int is_writable(const struct sonde_region *region, const uint8_t *expected)
{
    for (uint32_t i = 0; i < region->patched_size; i++) {
        uint64_t address = region->start + i;
        if (!look(address) || (expected != 0 && seen.bytes[address % PAGE] != expected[i]))
            return 0;
    }
    return 1;
}

/* Step 1 for one region.  */
static void break_starts(const struct sonde_region *region)
{
    for (uint32_t i = 0; i < region->count; i++)
        if (region->offsets[i] < region->patched_size)
            sonde_text_put(region->start + region->offsets[i], BREAKPOINT);
}

/* Step 2 or 3 for a region of OLD: the original, where FRESH does not write.  */
static void restore(const struct sonde_region *region, const struct sonde_region_list *fresh,
                    int starts)
{
    for (uint32_t offset = 0; offset < region->patched_size; offset++)
        if (is_start(region, offset) == starts && writer_of(fresh, region->start + offset) == 0)
            sonde_text_put(region->start + offset, region->original[offset]);
}

/* Step 2 for a region of FRESH.  */
static void write_rest(const struct sonde_region *region)
{
    for (uint32_t offset = 1; offset < region->patched_size; offset++)
        if (!is_start(region, offset))
            sonde_text_put(region->start + offset, region->patched[offset]);
}

/* Ends a step: it is written, and known everywhere.  */
static void end_step(void)
{
    sonde_text_flush();
    sonde_text_barrier();
}

/* Drops the regions of OLD that cannot be restored. KEPT gets the others.  */
static enum sonde_patch_status check_old(const struct sonde_region_list *old,
                                         struct sonde_region_list *kept, uint64_t *lost)
{
    for (uint32_t i = 0; i < old->count; i++) {
        struct sonde_region *region = old->regions[i];
        if (!is_writable(region, region->patched))
            *lost += 1;
        else if (sonde_region_list_add(kept, region) != 0)
            return SONDE_PATCH_NO_MEMORY;
    }
    return SONDE_PATCH_OK;
}

static enum sonde_patch_status check_fresh(const struct sonde_region_list *fresh)
{
    for (uint32_t i = 0; i < fresh->count; i++) {
        const struct sonde_region *region = fresh->regions[i];
        if (!is_writable(region, 0))
            return SONDE_PATCH_NO_WRITE;
        for (uint32_t j = 0; j < region->count; j++)
            if (sonde_trap_set(region->start + region->offsets[j], region->entries[j]) != 0)
                return SONDE_PATCH_NO_MEMORY;
    }
    return SONDE_PATCH_OK;
}

enum sonde_patch_status sonde_transition(const struct sonde_region_list *old,
                                         const struct sonde_region_list *fresh, uint64_t *lost)
{
    struct sonde_region_list kept = { 0 };
    seen.page = 0;
    enum sonde_patch_status status = check_old(old, &kept, lost);
    if (status == SONDE_PATCH_OK)
        status = check_fresh(fresh);
    if (status != SONDE_PATCH_OK) {
        sonde_region_list_free(&kept);
        return status;
    }
    sonde_text_barrier(); /* the pads are known everywhere before anybody is sent there */
    for (uint32_t i = 0; i < kept.count; i++)
        break_starts(kept.regions[i]);
    for (uint32_t i = 0; i < fresh->count; i++)
        break_starts(fresh->regions[i]);
    end_step();
    for (uint32_t i = 0; i < kept.count; i++)
        restore(kept.regions[i], fresh, 0);
    for (uint32_t i = 0; i < fresh->count; i++)
        write_rest(fresh->regions[i]);
    end_step();
    for (uint32_t i = 0; i < kept.count; i++)
        restore(kept.regions[i], fresh, 1);
    for (uint32_t i = 0; i < fresh->count; i++)
        sonde_text_put(fresh->regions[i]->start, fresh->regions[i]->patched[0]);
    end_step();
    sonde_region_list_free(&kept);
    return SONDE_PATCH_OK;
}
