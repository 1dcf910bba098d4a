/* SPDX-License-Identifier: Apache-2.0 */
/* Regions: the stretches of code that are patched, and how they are chosen.  */
#pragma once

#include <stdint.h>

#include "instruction.h"
#include "site.h"

/* The bytes of a jump.  */
#define SONDE_JUMP_BYTES 5u

/* Where a region stands; bits.  */
enum {
    SONDE_REGION_ACTIVE = 1, /* it is in the code */
    SONDE_REGION_WANTED = 2, /* it shall be there after the change that is being made */
    SONDE_REGION_LISTED = 4, /* the change knows it already */
};

/* A patched stretch: a jump, or one int3. COUNT instructions start in it, at OFFSETS; SITES[i] is
   the site at the i-th, or null. ENTRIES[i] is where a thread goes that arrives there. ORIGINAL is
   the code as it was, PATCHED what stands in its first PATCHED_SIZE bytes instead. Made once for
   each combination and kept for ever, as its pad is. STATE: the bits
   above.  */
struct sonde_region {
    uint64_t start, function_start;
    struct sonde_region *next; /* of the same hash */
    struct sonde_hit_site *sites[SONDE_REGION_INSTRUCTIONS];
    uint64_t entries[SONDE_REGION_INSTRUCTIONS];
    uint8_t offsets[SONDE_REGION_INSTRUCTIONS];
    uint8_t original[SONDE_REGION_BYTES + 1], patched[SONDE_JUMP_BYTES];
    uint8_t count, length, patched_size, state;
};

/* A function's code as it was before any patch, and what is known of each byte. IMAGE bounds are
   those of the whole image, for pads that reach all of it.  */
struct sonde_function {
    uint64_t start, end;   /* of the function */
    uint64_t limit;        /* of BYTES and MARKS: a little more, for what fills the gap behind */
    uint64_t image_low, image_high;
    const uint8_t *bytes;
    uint8_t *marks;
};

/* What is known of a byte.  */
enum {
    SONDE_MARK_START = 1,  /* an instruction starts here */
    SONDE_MARK_TARGET = 2, /* a jump of the function goes here */
};

/* Decodes FUNCTION from its start and sets its marks, which are zero before.  */
void sonde_function_scan(const struct sonde_function *function);

/* Chooses the region for the site that stands at ADDRESS, given all COUNT sites of the function
   from it on, ascending: SITES[0] is the one. Makes or finds the region, with its pad in place.
   Returns SONDE_PATCH_OK and sets *REGION, or why the site cannot be patched. *MAKE 0 only tells
   which: *REGION then is one that must not be used.  */
enum sonde_patch_status sonde_region_choose(const struct sonde_function *function,
                                            struct sonde_hit_site *const *sites, uint32_t count,
                                            int make, struct sonde_region **region);

/* Forgets the regions in [START, END).  */
void sonde_regions_forget(uint64_t start, uint64_t end);
