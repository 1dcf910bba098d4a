/* SPDX-License-Identifier: Apache-2.0 */
/* A change of what is patched: planned function by function, then made at once.  */
#pragma once

#include <stdint.h>

#include "patch.h"
#include "transition.h"

/* A change. REQUESTS and OUTCOMES are those of an install; without them it removes, and functions
   that cannot be planned anew keep their patches. OLD are the regions of the functions concerned,
   FRESH those that they shall have.  */
struct sonde_change {
    const struct sonde_patch_request *requests;
    struct sonde_patch_outcome *outcomes;
    uint32_t count;
    struct sonde_region_list old, fresh;
};

/* Plans for all sites whose programs are about to change. Sets the outcome of each request that is
   refused and returns the first refusal. Text must be open.  */
enum sonde_patch_status sonde_change_plan(struct sonde_change *change);

/* Makes it. Returns SONDE_PATCH_OK, or why nothing was changed.  */
enum sonde_patch_status sonde_change_make(struct sonde_change *change, uint64_t *lost);

/* Frees what planning took.  */
void sonde_change_end(struct sonde_change *change);

/* Takes every patch out of the code.  */
void sonde_change_undo_all(uint64_t *lost);

/* Forgets the patches in [START, END) without writing.  */
void sonde_change_forget(uint64_t start, uint64_t end);

/* The patch that covers ADDRESS, or null.  */
const struct sonde_region *sonde_change_region_at(uint64_t address);

/* What would become of a site of its own: the form, or why not.  */
enum sonde_patch_status sonde_change_try(const struct sonde_patch_request *request,
                                         enum sonde_patch_form *form);

/* Whether anything is patched: 1 or 0.  */
int sonde_change_is_any(void);
