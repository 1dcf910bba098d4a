/* SPDX-License-Identifier: Apache-2.0 */
/* The sites that this process has, or had, and their programs.  */
#pragma once

#include <stdint.h>

#include "patch.h"
#include "site.h"

/* All sites, ascending by address.  */
struct sonde_hit_site *const *sonde_sites(uint32_t *count);

/* The index of the first site at or above ADDRESS.  */
uint32_t sonde_sites_index(uint64_t address);

/* The site at ADDRESS, or null.  */
struct sonde_hit_site *sonde_site_at(uint64_t address);

/* Makes the sites of COUNT requests that are not there yet. Returns 0, or -1 when there is no room
   for all of them.  */
int sonde_sites_make(const struct sonde_patch_request *requests, uint32_t count);

/* Whether the site will have programs once its change is committed.  */
int sonde_site_is_wanted(const struct sonde_hit_site *site);

/* Prepares a site to get, or lose, a program. Adding returns 0, or -1 without memory; so does
   removing; a program that is not there is ignored.  */
int sonde_site_add(struct sonde_hit_site *site, sonde_hit_run run, void *context);
int sonde_site_drop(struct sonde_hit_site *site, sonde_hit_run run, void *context);

/* Makes what was prepared true, at hits too, or forgets it; for all sites.  */
void sonde_sites_commit(void);
void sonde_sites_abandon(void);

/* Takes all programs from the sites in [START, END), at once.  */
void sonde_sites_drop(uint64_t start, uint64_t end);

/* Frees lists of programs that no hit can be using any more.  */
void sonde_sites_collect(void);
