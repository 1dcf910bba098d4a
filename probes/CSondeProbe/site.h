/* SPDX-License-Identifier: Apache-2.0 */
/* A site as hits see it, and what hits share with the code that installs.  */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "hit.h"

/* The programs of a site; never changed once it is published.  */
struct sonde_hit_programs {
    struct sonde_hit_programs *next; /* of those that are to be freed */
    uint32_t count;
    struct {
        sonde_hit_run run;
        void *context;
    } entries[];
};

/* One address that has, or had, programs. Lives as long as the process: pads hold its address.
   PROGRAMS is stored with release by whoever installs; pairs with the acquire load in sonde_hit.
   Null: nothing runs.  */
struct sonde_hit_site {
    uint64_t address;
    _Atomic(struct sonde_hit_programs *) programs;
    uint64_t function_start, function_end;
    /* For the one thread that patches: what PROGRAMS is about to become, while IS_CHANGING.  */
    struct sonde_hit_programs *pending;
    uint32_t is_changing;
};

/* Where a hit's address stands in struct sonde_hit_site and the registers in their struct; the
   assembly in enter.c knows them as numbers.  */
#define SONDE_HIT_FRAME_BYTES 400

/* Set to this process's id before the first site is patched. The page is wiped in a child of
   fork, so a hit there finds 0. Null until then. Stored with release; pairs with the acquire load
   in sonde_hit.  */
extern _Atomic(_Atomic uint32_t *) sonde_hit_alive;

/* Whether rdfsbase may be used: bit 1 of AT_HWCAP2. Set before the first site is patched.  */
extern uint32_t sonde_hit_has_fsgsbase;

/* HIT CONTEXT. Runs the site's programs. Called by sonde_hit_enter.  */
__attribute__((visibility("hidden")))
void sonde_hit(const struct sonde_hit_site *site, struct sonde_hit_registers *registers);

/* HIT CONTEXT. What pads call, with the site's address above the return address and 128 bytes
   above that: saves every register, calls sonde_hit, restores them, and returns with the stack
   pointer above those 128 bytes. Not callable from C.  */
void sonde_hit_enter(void);

/* The bounds of the section that holds everything that runs at a hit.  */
extern const char __start_sonde_text[] __attribute__((visibility("hidden")));
extern const char __stop_sonde_text[] __attribute__((visibility("hidden")));

/* Frees what threads that are gone have left; cheap enough for once a second.  */
void sonde_hits_collect(void);

/* Makes a child of fork forget the hits that its parent's threads were in.  */
void sonde_hits_forget_parent(void);
