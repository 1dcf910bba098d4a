/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing what to displace, and making the pads for it. Every region that was ever made is kept,
   so installing and removing the same probes again and again takes no more memory.  */
#include "region.h"

#include <string.h>
#include <sys/mman.h>

#include "near.h"
#include "text.h"

#define HASHES 16384u
#define REGIONS 65536u
/* What fills a gap behind a function ends where the next may begin.  */
#define FUNCTION_ALIGNMENT 16u

static struct sonde_region *regions;
static uint32_t region_count;
static struct sonde_region *hashes[HASHES];

void sonde_function_scan(const struct sonde_function *function)
{
    uint64_t address = function->start;
    while (address < function->end) {
        uint64_t offset = address - function->start;
        struct sonde_instruction instruction;
        if (!sonde_decode(function->bytes + offset, function->limit - address, address,
                          &instruction)) {
            address += 1; /* data, or what the decoder does not know: no instruction starts here */
            continue;
        }
        function->marks[offset] |= SONDE_MARK_START;
        if (instruction.target >= function->start && instruction.target < function->end &&
            instruction.kind != SONDE_INSTRUCTION_CALL)
            function->marks[instruction.target - function->start] |= SONDE_MARK_TARGET;
        address += instruction.length;
    }
}

static int decode_at(const struct sonde_function *function, uint64_t address,
                     struct sonde_instruction *instruction)
{
    return address < function->limit &&
           sonde_decode(function->bytes + (address - function->start),
                        function->limit - address, address, instruction);
}

static int is_movable(const struct sonde_instruction *instruction)
{
    return instruction->kind != SONDE_INSTRUCTION_FIXED &&
           instruction->kind != SONDE_INSTRUCTION_BREAKPOINT;
}

/* Whether the bytes from ADDRESS up to END only fill a gap: nothing arrives there, because what is
   before them ends, and no jump goes there.  */
static int fills_gap(const struct sonde_function *function, uint64_t address, uint64_t end)
{
    uint64_t aligned = (function->end + FUNCTION_ALIGNMENT - 1) & -(uint64_t)FUNCTION_ALIGNMENT;
    while (address < end) {
        struct sonde_instruction filler;
        uint64_t offset = address - function->start;
        if (!decode_at(function, address, &filler) || !filler.pads)
            return 0;
        if (address < function->end ? function->marks[offset] != SONDE_MARK_START
                                    : address + filler.length > aligned)
            return 0;
        address += filler.length;
    }
    return 1;
}

/* Whether a jump's instructions may go on at ADDRESS behind LAST: the only way there is through
   LAST. A call's return would come from elsewhere.  */
static int goes_on(const struct sonde_function *function, uint64_t address,
                   const struct sonde_instruction *last)
{
    return address < function->end && !last->ends && last->kind != SONDE_INSTRUCTION_CALL &&
           last->kind != SONDE_INSTRUCTION_CALL_INDIRECT &&
           function->marks[address - function->start] == SONDE_MARK_START;
}

/* Fills PLAN's instructions for a jump at its start. Returns 1, or 0 when there is no room.  */
static int plan_jump(const struct sonde_function *function, struct sonde_pad_plan *plan)
{
    uint64_t address = plan->start;
    plan->count = 0;
    for (;;) {
        struct sonde_instruction *instruction = &plan->instructions[plan->count];
        if (!decode_at(function, address, instruction) || !is_movable(instruction))
            return 0;
        plan->count += 1;
        address += instruction->length;
        if (address - plan->start >= SONDE_JUMP_BYTES)
            return 1;
        if (instruction->ends)
            return fills_gap(function, address, plan->start + SONDE_JUMP_BYTES);
        if (!goes_on(function, address, instruction))
            return 0;
    }
}

static uint32_t hash_of(uint64_t start)
{
    return (uint32_t)(start * 0x9e3779b97f4a7c15u >> 50);
}

static_assert(HASHES == 1u << (64 - 50));

/* Whether REGION is the one that CANDIDATE describes.  */
static int is_same(const struct sonde_region *region, const struct sonde_region *candidate)
{
    return region->start == candidate->start && region->count == candidate->count &&
           region->patched_size == candidate->patched_size &&
           region->function_start == candidate->function_start &&
           memcmp(region->sites, candidate->sites, sizeof region->sites) == 0 &&
           memcmp(region->original, candidate->original, sizeof region->original) == 0;
}

static struct sonde_region *find_region(const struct sonde_region *candidate)
{
    struct sonde_region *region = hashes[hash_of(candidate->start)];
    while (region != 0 && !is_same(region, candidate))
        region = region->next;
    return region;
}

/* Describes the region that PLAN makes, all but the pad. SIZE: how many bytes are written.  */
static void describe(struct sonde_region *candidate, const struct sonde_function *function,
                     struct sonde_pad_plan *plan, uint32_t size,
                     struct sonde_hit_site *const *sites, uint32_t site_count)
{
    memset(candidate, 0, sizeof *candidate);
    candidate->start = plan->start;
    candidate->function_start = function->start;
    candidate->count = (uint8_t)plan->count;
    candidate->patched_size = (uint8_t)size;
    uint32_t offset = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        uint64_t address = plan->start + offset;
        while (site_count > 0 && sites[0]->address < address) {
            sites++;
            site_count--;
        }
        int has_site = site_count > 0 && sites[0]->address == address;
        candidate->offsets[i] = (uint8_t)offset;
        candidate->sites[i] = has_site ? sites[0] : 0;
        plan->sites[i] = has_site ? (uint64_t)sites[0] : 0;
        offset += plan->instructions[i].length;
    }
    candidate->length = (uint8_t)(offset > size ? offset : size);
    memcpy(candidate->original, plan->bytes, candidate->length);
}

/* Writes the jump into PATCHED: straight to the pad, or to a jump at a place chosen so that the
   bytes at which instructions started are 0xcc. Returns 1, or 0 when no such place is free.  */
static int write_jump(struct sonde_region *region)
{
    uint64_t from = region->start + SONDE_JUMP_BYTES, to = region->entries[0];
    uint32_t mask = 0;
    for (uint32_t i = 1; i < region->count; i++)
        mask |= 0xffu << 8 * (region->offsets[i] - 1);
    if (mask != 0) {
        uint8_t jump[14] = { 0xff, 0x25 }; /* jmp [rip]; the address follows */
        memcpy(jump + 6, &to, 8);
        to = sonde_near_take_at(from, mask, 0xccccccccu & mask, sizeof jump);
        if (to == 0 || sonde_text_write(to, jump, sizeof jump) != 0)
            return 0;
    }
    int32_t distance = (int32_t)(to - from);
    region->patched[0] = 0xe9;
    memcpy(region->patched + 1, &distance, 4);
    return (int64_t)(to - from) == distance;
}

/* Makes the pad of REGION. Returns SONDE_PATCH_OK or why not.  */
static enum sonde_patch_status make_pad(struct sonde_region *region,
                                        const struct sonde_function *function,
                                        const struct sonde_pad_plan *plan)
{
    uint8_t pad[SONDE_PAD_BYTES];
    uint64_t base = sonde_near_room(function->image_low, function->image_high);
    if (base == 0)
        return SONDE_PATCH_NO_MEMORY;
    uint32_t size = sonde_pad_build(plan, base, pad, region->entries);
    if (size == 0)
        return SONDE_PATCH_CANNOT_MOVE;
    region->patched[0] = 0xcc;
    if (region->patched_size != 1 && !write_jump(region))
        return SONDE_PATCH_NO_MEMORY;
    if (sonde_text_write(base, pad, size) != 0)
        return SONDE_PATCH_NO_WRITE;
    sonde_near_take(base, size);
    return SONDE_PATCH_OK;
}

static struct sonde_region *new_region(void)
{
    if (regions == 0) {
        void *memory = mmap(0, REGIONS * sizeof(struct sonde_region), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
            return 0;
        regions = memory;
    }
    return region_count < REGIONS ? &regions[region_count] : 0;
}

/* Finds the region of PLAN, or makes it.  */
static enum sonde_patch_status find_or_make(const struct sonde_function *function,
                                            struct sonde_pad_plan *plan, uint32_t size,
                                            struct sonde_hit_site *const *sites, uint32_t count,
                                            struct sonde_region **found)
{
    struct sonde_region candidate;
    describe(&candidate, function, plan, size, sites, count);
    *found = find_region(&candidate);
    if (*found != 0)
        return SONDE_PATCH_OK;
    struct sonde_region *region = new_region();
    if (region == 0)
        return SONDE_PATCH_NO_MEMORY;
    *region = candidate;
    enum sonde_patch_status status = make_pad(region, function, plan);
    if (status != SONDE_PATCH_OK)
        return status;
    region_count += 1;
    region->next = hashes[hash_of(region->start)];
    hashes[hash_of(region->start)] = region;
    *found = region;
    return SONDE_PATCH_OK;
}

/* What is known without making anything: no pad, no bytes.  */
static struct sonde_region tentative;

enum sonde_patch_status sonde_region_choose(const struct sonde_function *function,
                                            struct sonde_hit_site *const *sites, uint32_t count,
                                            int make, struct sonde_region **region)
{
    uint64_t address = sites[0]->address;
    struct sonde_pad_plan plan = {
        .start = address,
        .enter = (uint64_t)sonde_hit_enter,
        .bytes = function->bytes + (address - function->start),
    };
    struct sonde_instruction first;
    if (!(function->marks[address - function->start] & SONDE_MARK_START) ||
        !decode_at(function, address, &first))
        return SONDE_PATCH_NOT_AN_INSTRUCTION;
    if (!is_movable(&first))
        return first.kind == SONDE_INSTRUCTION_BREAKPOINT ? SONDE_PATCH_BREAKPOINT
                                                          : SONDE_PATCH_CANNOT_MOVE;
    int jumps = plan_jump(function, &plan);
    if (!make) {
        if (!jumps) {
            plan.count = 1;
            plan.instructions[0] = first;
        }
        describe(&tentative, function, &plan, jumps ? SONDE_JUMP_BYTES : 1, sites, count);
        *region = &tentative;
        return SONDE_PATCH_OK;
    }
    if (jumps && find_or_make(function, &plan, SONDE_JUMP_BYTES, sites, count, region) ==
                     SONDE_PATCH_OK)
        return SONDE_PATCH_OK;
    plan.count = 1;
    plan.instructions[0] = first;
    return find_or_make(function, &plan, 1, sites, count, region);
}

void sonde_regions_forget(uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < HASHES; i++) {
        struct sonde_region **link = &hashes[i];
        while (*link != 0) {
            if ((*link)->start >= start && (*link)->start < end)
                *link = (*link)->next;
            else
                link = &(*link)->next;
        }
    }
}
