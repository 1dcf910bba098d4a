/* SPDX-License-Identifier: Apache-2.0 */
/* Changing code while all threads run.  */
#pragma once

#include <stdint.h>

#include "region.h"

/* Regions in the order of their addresses. Grows as needed.  */
struct sonde_region_list {
    struct sonde_region **regions;
    uint32_t count, capacity;
};

/* Appends; returns 0, or -1 without memory.  */
int sonde_region_list_add(struct sonde_region_list *list, struct sonde_region *region);

void sonde_region_list_free(struct sonde_region_list *list);

/* Takes the regions OLD out of the code and puts FRESH in; they may overlap each other. A region of
   OLD that somebody else has changed or unmapped is left as it is and counted in *LOST. Returns
   SONDE_PATCH_OK, or why nothing was changed. Text must be open.  */
enum sonde_patch_status sonde_transition(const struct sonde_region_list *old,
                                         const struct sonde_region_list *fresh, uint64_t *lost);
