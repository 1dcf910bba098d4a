/* SPDX-License-Identifier: Apache-2.0 */
/* Planning: the regions of a function are chosen anew whenever one of its sites comes or goes, from
   the code as it was before any patch. So they do not depend on the order of events.  */
#include "change.h"

#include <stdlib.h>
#include <string.h>

#include "images.h"
#include "sites.h"
#include "text.h"
#include "trap.h"

/* The largest function, and how far behind one what fills a gap is looked at.  */
#define MOST_FUNCTION_BYTES ((uint64_t)32 << 20)
#define GAP_BYTES 16u

/* The regions that are in the code now.  */
static struct sonde_region_list active;

/* The index of the first region of LIST that ends above ADDRESS.  */
static uint32_t first_above(const struct sonde_region_list *list, uint64_t address)
{
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (list->regions[middle]->start + list->regions[middle]->length <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct sonde_region *sonde_change_region_at(uint64_t address)
{
    uint32_t index = first_above(&active, address);
    return index < active.count && active.regions[index]->start <= address
               ? active.regions[index]
               : 0;
}

int sonde_change_is_any(void)
{
    return active.count > 0;
}

/* Puts the original bytes over patches in the copy of a function.  */
static enum sonde_patch_status lift_patches(struct sonde_function *function, uint8_t *bytes)
{
    uint32_t index = first_above(&active, function->start);
    for (; index < active.count && active.regions[index]->start < function->limit; index++) {
        const struct sonde_region *region = active.regions[index];
        for (uint32_t i = 0; i < region->patched_size; i++) {
            uint64_t offset = region->start + i - function->start;
            if (offset >= function->limit - function->start)
                continue;
            if (bytes[offset] != region->patched[i])
                return SONDE_PATCH_CHANGED;
            bytes[offset] = region->original[i];
        }
    }
    return SONDE_PATCH_OK;
}

/* Copies and scans a function. *MEMORY is to be freed.  */
static enum sonde_patch_status load(uint64_t start, uint64_t end, struct sonde_function *function,
                                    uint8_t **memory)
{
    const struct sonde_text *text = sonde_text_of(start);
    if (text == 0 || end > text->end || end <= start || end - start > MOST_FUNCTION_BYTES)
        return SONDE_PATCH_NOT_TEXT;
    uint64_t limit = text->end - end < GAP_BYTES ? text->end : end + GAP_BYTES;
    uint64_t size = limit - start;
    uint8_t *bytes = malloc(2 * size);
    if (bytes == 0)
        return SONDE_PATCH_NO_MEMORY;
    *memory = bytes;
    *function = (struct sonde_function){
        .start = start,
        .end = end,
        .limit = limit,
        .image_low = text->image_low,
        .image_high = text->image_high,
        .bytes = bytes,
        .marks = bytes + size,
    };
    if (sonde_text_read(start, bytes, size) != 0)
        return SONDE_PATCH_NOT_TEXT;
    memset(function->marks, 0, size);
    enum sonde_patch_status status = lift_patches(function, bytes);
    if (status == SONDE_PATCH_OK)
        sonde_function_scan(function);
    return status;
}

/* Sets the outcome of the requests for ADDRESS, or for all of [START, END).  */
static void refuse(struct sonde_change *change, uint64_t start, uint64_t end,
                   enum sonde_patch_status status)
{
    for (uint32_t i = 0; i < change->count; i++)
        if (change->requests[i].address >= start && change->requests[i].address < end)
            change->outcomes[i].status = status;
}

/* Chooses the regions for the COUNT wanted sites of a loaded function. Returns the first
   refusal.  */
static enum sonde_patch_status choose(struct sonde_change *change,
                                      const struct sonde_function *function,
                                      struct sonde_hit_site *const *wanted, uint32_t count)
{
    enum sonde_patch_status first = SONDE_PATCH_OK;
    uint64_t covered = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t address = wanted[i]->address;
        enum sonde_patch_status status = SONDE_PATCH_OK;
        if (address < covered) {
            if (!(function->marks[address - function->start] & SONDE_MARK_START))
                status = SONDE_PATCH_NOT_AN_INSTRUCTION;
        } else {
            struct sonde_region *region = 0;
            status = sonde_region_choose(function, wanted + i, count - i, 1, &region);
            if (status == SONDE_PATCH_OK) {
                covered = region->start + region->length;
                region->state |= SONDE_REGION_WANTED;
                if (sonde_region_list_add(&change->fresh, region) != 0)
                    return SONDE_PATCH_NO_MEMORY;
            }
        }
        if (status != SONDE_PATCH_OK) {
            refuse(change, address, address + 1, status);
            first = first == SONDE_PATCH_OK ? status : first;
        }
    }
    return first;
}

/* Lists the regions that the function has now.  */
static int list_old(struct sonde_change *change, uint64_t start, uint64_t end)
{
    uint32_t index = first_above(&active, start);
    for (; index < active.count && active.regions[index]->start < end; index++) {
        struct sonde_region *region = active.regions[index];
        if (region->function_start != start || (region->state & SONDE_REGION_LISTED))
            continue;
        region->state |= SONDE_REGION_LISTED;
        if (sonde_region_list_add(&change->old, region) != 0)
            return -1;
    }
    return 0;
}

/* The function's old regions shall stay, because new ones cannot be had.  */
static void keep_old(struct sonde_change *change, uint32_t old_count, uint32_t fresh_count)
{
    for (uint32_t i = fresh_count; i < change->fresh.count; i++)
        change->fresh.regions[i]->state &= (uint8_t)~SONDE_REGION_WANTED;
    change->fresh.count = fresh_count;
    for (uint32_t i = old_count; i < change->old.count; i++)
        change->old.regions[i]->state |= SONDE_REGION_WANTED;
}

static enum sonde_patch_status plan_function(struct sonde_change *change, uint64_t start,
                                             uint64_t end, struct sonde_hit_site **wanted)
{
    uint32_t all, count = 0;
    struct sonde_hit_site *const *sites = sonde_sites(&all);
    for (uint32_t i = sonde_sites_index(start); i < all && sites[i]->address < end; i++)
        if (sites[i]->function_start == start && sonde_site_is_wanted(sites[i]))
            wanted[count++] = sites[i];
    uint32_t old_count = change->old.count, fresh_count = change->fresh.count;
    if (list_old(change, start, end) != 0)
        return SONDE_PATCH_NO_MEMORY;
    if (count == 0)
        return SONDE_PATCH_OK;
    struct sonde_function function;
    uint8_t *memory = 0;
    enum sonde_patch_status status = load(start, end, &function, &memory);
    if (status != SONDE_PATCH_OK)
        refuse(change, start, end, status);
    else
        status = choose(change, &function, wanted, count);
    free(memory);
    if (status != SONDE_PATCH_OK && change->requests == 0) {
        keep_old(change, old_count, fresh_count);
        return SONDE_PATCH_OK;
    }
    return status;
}

enum sonde_patch_status sonde_change_plan(struct sonde_change *change)
{
    uint32_t all;
    struct sonde_hit_site *const *sites = sonde_sites(&all);
    struct sonde_hit_site **wanted = malloc((all + 1) * sizeof *wanted);
    if (wanted == 0)
        return SONDE_PATCH_NO_MEMORY;
    enum sonde_patch_status first = SONDE_PATCH_OK;
    uint64_t last_start = 0;
    for (uint32_t i = 0; i < all; i++) {
        const struct sonde_hit_site *site = sites[i];
        if (!site->is_changing || site->function_start == last_start)
            continue;
        last_start = site->function_start;
        enum sonde_patch_status status =
            plan_function(change, site->function_start, site->function_end, wanted);
        first = first == SONDE_PATCH_OK ? status : first;
    }
    free(wanted);
    return first;
}

/* The regions that will be in the code: those that stay and those that come, which must not
   overlap.  */
static enum sonde_patch_status merge(const struct sonde_region_list *coming,
                                     struct sonde_region_list *merged)
{
    uint32_t next = 0;
    uint64_t end = 0;
    for (uint32_t i = 0; i <= active.count; i++) {
        struct sonde_region *stays = i < active.count ? active.regions[i] : 0;
        if (stays != 0 && (stays->state & SONDE_REGION_LISTED) &&
            !(stays->state & SONDE_REGION_WANTED))
            continue;
        while (next < coming->count &&
               (stays == 0 || coming->regions[next]->start < stays->start)) {
            struct sonde_region *comes = coming->regions[next++];
            if (comes->start < end)
                return SONDE_PATCH_OVERLAP;
            end = comes->start + comes->length;
            if (sonde_region_list_add(merged, comes) != 0)
                return SONDE_PATCH_NO_MEMORY;
        }
        if (stays == 0)
            break;
        if (stays->start < end)
            return SONDE_PATCH_OVERLAP;
        end = stays->start + stays->length;
        if (sonde_region_list_add(merged, stays) != 0)
            return SONDE_PATCH_NO_MEMORY;
    }
    return SONDE_PATCH_OK;
}

enum sonde_patch_status sonde_change_make(struct sonde_change *change, uint64_t *lost)
{
    struct sonde_region_list going = { 0 }, coming = { 0 }, merged = { 0 };
    int failed = 0;
    for (uint32_t i = 0; i < change->old.count; i++)
        if (!(change->old.regions[i]->state & SONDE_REGION_WANTED))
            failed |= sonde_region_list_add(&going, change->old.regions[i]);
    for (uint32_t i = 0; i < change->fresh.count; i++)
        if (!(change->fresh.regions[i]->state & SONDE_REGION_ACTIVE))
            failed |= sonde_region_list_add(&coming, change->fresh.regions[i]);
    enum sonde_patch_status status = failed ? SONDE_PATCH_NO_MEMORY : merge(&coming, &merged);
    if (status == SONDE_PATCH_OK)
        status = sonde_transition(&going, &coming, lost);
    if (status == SONDE_PATCH_OK) {
        for (uint32_t i = 0; i < going.count; i++)
            going.regions[i]->state &= (uint8_t)~SONDE_REGION_ACTIVE;
        for (uint32_t i = 0; i < coming.count; i++)
            coming.regions[i]->state |= SONDE_REGION_ACTIVE;
        struct sonde_region_list before = active;
        active = merged;
        merged = before;
    }
    sonde_region_list_free(&going);
    sonde_region_list_free(&coming);
    sonde_region_list_free(&merged);
    return status;
}

void sonde_change_end(struct sonde_change *change)
{
    for (uint32_t i = 0; i < change->old.count; i++)
        change->old.regions[i]->state &= SONDE_REGION_ACTIVE;
    for (uint32_t i = 0; i < change->fresh.count; i++)
        change->fresh.regions[i]->state &= SONDE_REGION_ACTIVE;
    sonde_region_list_free(&change->old);
    sonde_region_list_free(&change->fresh);
}

void sonde_change_undo_all(uint64_t *lost)
{
    const struct sonde_region_list none = { 0 };
    if (sonde_transition(&active, &none, lost) != SONDE_PATCH_OK)
        return;
    for (uint32_t i = 0; i < active.count; i++)
        active.regions[i]->state = 0;
    active.count = 0;
}

void sonde_change_forget(uint64_t start, uint64_t end)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < active.count; i++) {
        struct sonde_region *region = active.regions[i];
        if (region->start >= start && region->start < end)
            region->state = 0;
        else
            active.regions[kept++] = region;
    }
    active.count = kept;
    sonde_trap_forget(start, end);
    sonde_regions_forget(start, end);
}

enum sonde_patch_status sonde_change_try(const struct sonde_patch_request *request,
                                         enum sonde_patch_form *form)
{
    struct sonde_hit_site site = { .address = request->address };
    struct sonde_hit_site *sites[] = { &site };
    struct sonde_function function;
    struct sonde_region *region = 0;
    uint8_t *memory = 0;
    enum sonde_patch_status status =
        load(request->function_start, request->function_end, &function, &memory);
    if (status == SONDE_PATCH_OK)
        status = sonde_region_choose(&function, sites, 1, 0, &region);
    if (status == SONDE_PATCH_OK)
        *form = region->patched_size == 1 ? SONDE_PATCH_TRAP : SONDE_PATCH_JUMP;
    free(memory);
    return status;
}
