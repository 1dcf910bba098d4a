/* SPDX-License-Identifier: Apache-2.0 */
/* Finding free addresses near code: gaps between mappings, and exact places.  */
#include "near.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "instruction.h"
#include "kernel.h"
#include "patch.h"

#define PAGE 4096u
#define CHUNK_BYTES 65536u
#define CHUNKS 1024u
#define JUMP_PAGES 8192u
#define REACH ((uint64_t)1 << 30)
/* Room that is left to the program's heap above it (brk).  */
#define HEAP_ROOM ((uint64_t)1 << 30)
#define LOWEST ((uint64_t)65536)
#define HIGHEST ((uint64_t)1 << 47)

/* Memory for pads, filled from its start.  */
struct chunk {
    uint64_t start;
    uint32_t used;
};

/* A page of jumps at exact places. TAKEN: one bit for each 8 bytes.  */
struct jump_page {
    uint64_t start;
    uint64_t taken[PAGE / 8 / 64];
};

static struct chunk chunks[CHUNKS];
static uint32_t chunk_count;
static struct jump_page *pages;
static uint32_t page_count;
static uint64_t mapped_bytes;

uint64_t sonde_near_bytes(void)
{
    return mapped_bytes;
}

/* Maps COUNT bytes exactly at ADDRESS if nothing is there. Returns 1 or 0.  */
static int map_at(uint64_t address, uint64_t count)
{
    if (address < LOWEST || address > HIGHEST - count ||
        mapped_bytes + count > SONDE_MAX_PAD_BYTES)
        return 0;
    long got = sonde_hit_syscall6(SYS_mmap, (long)address, (long)count, PROT_READ | PROT_EXEC,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == (long)address) {
        mapped_bytes += count;
        return 1;
    }
    if (got > 0) /* a kernel before 4.17 takes the address for a hint */
        sonde_hit_syscall(SYS_munmap, got, (long)count, 0, 0);
    return 0;
}

/* Whether an address would be in the way of the heap.  */
static int is_heap_room(uint64_t address)
{
    static uint64_t heap;
    if (heap == 0)
        heap = (uint64_t)sonde_hit_syscall(SYS_brk, 0, 0, 0, 0);
    return address + CHUNK_BYTES > heap - (heap & 0xffff) && address < heap + HEAP_ROOM;
}

/* Reads a hexadecimal number at *TEXT and moves *TEXT behind it and one more character.  */
static uint64_t hexadecimal(const char **text)
{
    uint64_t value = 0;
    const char *at = *text;
    for (;; at++) {
        if (*at >= '0' && *at <= '9')
            value = value << 4 | (uint64_t)(*at - '0');
        else if (*at >= 'a' && *at <= 'f')
            value = value << 4 | (uint64_t)(*at - 'a' + 10);
        else
            break;
    }
    *text = *at == 0 ? at : at + 1;
    return value;
}

/* The best free place for a chunk, as far as the mappings seen so far go.  */
struct search {
    uint64_t low, high, previous_end, best, best_distance;
};

/* Considers the gap that ends where a mapping starts: its upper end, and its lower end.  */
static void consider(struct search *search, uint64_t gap_end)
{
    uint64_t gap = search->previous_end;
    if (gap < LOWEST)
        gap = LOWEST;
    /* A page stays free on both sides: a stray write beyond a mapping still faults.  */
    if (gap_end <= gap || gap_end - gap < CHUNK_BYTES + 2 * PAGE)
        return;
    uint64_t places[2] = { (gap_end - PAGE - CHUNK_BYTES) & ~(uint64_t)(PAGE - 1), gap + PAGE };
    for (int i = 0; i < 2; i++) {
        uint64_t place = places[i];
        uint64_t distance = place < search->low ? search->high - place
                                                : place + CHUNK_BYTES - search->low;
        if (distance < REACH && distance < search->best_distance && !is_heap_room(place)) {
            search->best = place;
            search->best_distance = distance;
        }
    }
}

static void search_lines(struct search *search, const char *text)
{
    while (*text != 0) {
        uint64_t start = hexadecimal(&text), end = hexadecimal(&text);
        consider(search, start);
        search->previous_end = end;
        while (*text != 0 && *text++ != '\n')
            ;
    }
}

/* The free place for a chunk nearest to [LOW, HIGH), or 0.  */
static uint64_t find_gap(uint64_t low, uint64_t high)
{
    static char buffer[16384];
    struct search search = { .low = low, .high = high, .best_distance = UINT64_MAX };
    long file = sonde_hit_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/maps",
                                  O_RDONLY | O_CLOEXEC, 0);
    if (file < 0)
        return 0;
    uint64_t held = 0;
    long bytes;
    while ((bytes = sonde_hit_syscall(SYS_read, file, (long)(buffer + held),
                                      (long)(sizeof buffer - 1 - held), 0)) > 0) {
        held += (uint64_t)bytes;
        buffer[held] = 0;
        char *last = strrchr(buffer, '\n');
        if (last == 0)
            break;
        char kept = last[1];
        last[1] = 0;
        search_lines(&search, buffer);
        last[1] = kept;
        held -= (uint64_t)(last + 1 - buffer);
        memmove(buffer, last + 1, held);
    }
    sonde_hit_syscall(SYS_close, file, 0, 0, 0);
    consider(&search, HIGHEST);
    return search.best;
}

static int is_in_reach(uint64_t place, uint64_t low, uint64_t high)
{
    return place < low ? high - place < REACH : place + CHUNK_BYTES - low < REACH;
}

uint64_t sonde_near_room(uint64_t low, uint64_t high)
{
    for (uint32_t i = 0; i < chunk_count; i++)
        if (chunks[i].used + SONDE_PAD_BYTES <= CHUNK_BYTES &&
            is_in_reach(chunks[i].start, low, high))
            return chunks[i].start + chunks[i].used;
    if (chunk_count == CHUNKS)
        return 0;
    /* Somebody else may map something into the gap before us.  */
    for (int attempt = 0; attempt < 8; attempt++) {
        uint64_t place = find_gap(low, high);
        if (place == 0)
            return 0;
        if (map_at(place, CHUNK_BYTES)) {
            chunks[chunk_count++] = (struct chunk){ .start = place };
            return place;
        }
    }
    return 0;
}

void sonde_near_take(uint64_t address, uint32_t count)
{
    for (uint32_t i = 0; i < chunk_count; i++)
        if (address == chunks[i].start + chunks[i].used)
            chunks[i].used += (count + 7) & ~7u;
}

/* Marks the words from OFFSET on in PAGE as taken, if all are free. Returns 1 or 0.  */
static int take_words(struct jump_page *page, uint32_t offset, uint32_t count)
{
    uint32_t first = offset / 8, last = (offset + count - 1) / 8;
    for (uint32_t word = first; word <= last; word++)
        if (page->taken[word / 64] >> (word % 64) & 1)
            return 0;
    for (uint32_t word = first; word <= last; word++)
        page->taken[word / 64] |= (uint64_t)1 << (word % 64);
    return 1;
}

/* Takes a fitting place in a page that exists.  */
static uint64_t take_in(struct jump_page *page, uint64_t from, uint32_t mask, uint32_t value,
                        uint32_t count)
{
    int64_t lowest = (int64_t)(page->start - from);
    int64_t highest = lowest + PAGE;
    if (lowest < INT32_MIN || highest > INT32_MAX)
        return 0;
    /* Within a page the upper half of the distance changes at most once.  */
    uint32_t upper = mask & 0xffff0000;
    if ((((uint32_t)lowest ^ value) & upper) != 0 && (((uint32_t)highest ^ value) & upper) != 0)
        return 0;
    for (uint32_t offset = 0; offset + count <= PAGE; offset++)
        if ((((uint32_t)lowest + offset) & mask) == value && take_words(page, offset, count))
            return page->start + offset;
    return 0;
}

/* Maps the page that holds the place at DISTANCE from FROM and takes the place.  */
static uint64_t take_new(uint64_t from, int32_t distance, uint32_t count)
{
    uint64_t place = from + (uint64_t)(int64_t)distance;
    uint64_t start = place & ~(uint64_t)(PAGE - 1);
    if (place - start + count > PAGE || page_count == JUMP_PAGES || is_heap_room(start) ||
        !map_at(start, PAGE))
        return 0;
    struct jump_page *page = &pages[page_count++];
    *page = (struct jump_page){ .start = start };
    take_words(page, (uint32_t)(place - start), count);
    return place;
}

/* The distances to try: bytes that are not given count up in steps, the topmost outermost, so that
   places near the code come first: below it, then above.  */
static uint64_t take_in_new_page(uint64_t from, uint32_t mask, uint32_t value, uint32_t count)
{
    static const uint8_t tops[] = { 0xfe, 0xfd, 0xfc, 0xf8, 0xf0, 0xe0, 0xd0, 0xc4, 0x04,
                                    0x10, 0x20, 0x30, 0x3c, 0x44, 0x50, 0x60, 0x70 };
    static const uint8_t middles[] = { 0x10, 0x50, 0x90, 0xd0 };
    uint32_t top_count = mask >> 24 ? 1 : sizeof tops;
    uint32_t middle_count = mask >> 16 & 0xff ? 1 : sizeof middles;
    for (uint32_t i = 0; i < top_count; i++)
        for (uint32_t j = 0; j < middle_count; j++)
            for (uint32_t k = 0; k < sizeof middles; k++) {
                uint32_t free = (uint32_t)tops[i] << 24 | (uint32_t)middles[j] << 16 |
                                (uint32_t)middles[k] << 8 | 0x20;
                uint32_t distance = (free & ~mask) | value;
                uint64_t place = take_new(from, (int32_t)distance, count);
                if (place != 0)
                    return place;
                if (mask >> 8 & 0xff)
                    break;
            }
    return 0;
}

uint64_t sonde_near_take_at(uint64_t from, uint32_t mask, uint32_t value, uint32_t count)
{
    if (pages == 0) {
        long memory = sonde_hit_syscall6(
            SYS_mmap, 0, (long)(JUMP_PAGES * sizeof(struct jump_page)), PROT_READ | PROT_WRITE,
            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory < 0 && memory > -4096)
            return 0;
        pages = (struct jump_page *)memory;
    }
    for (uint32_t i = page_count; i > 0; i--) {
        uint64_t place = take_in(&pages[i - 1], from, mask, value, count);
        if (place != 0)
            return place;
    }
    return take_in_new_page(from, mask, value, count);
}

