/* SPDX-License-Identifier: Apache-2.0 */
/* int3: where a thread goes that met one of ours, and whose SIGTRAP is.  */
#pragma once

#include <stdint.h>

/* Installs the handler for SIGTRAP, in front of the one that is there. Returns SONDE_PATCH_OK,
   SONDE_PATCH_NO_HANDLER, or SONDE_PATCH_NO_MEMORY. Fine to repeat: puts ours in front again when
   the program replaced it.  */
int sonde_trap_install(void);

/* Sends threads that meet an int3 at ADDRESS to TARGET from now on. Entries stay for ever: a
   thread may have met an int3 that was removed since. Returns 0, or -1 when the table is full.  */
int sonde_trap_set(uint64_t address, uint64_t target);

/* Forgets the entries in [START, END), which were unmapped.  */
void sonde_trap_forget(uint64_t start, uint64_t end);

/* Lets SIGTRAP pass while handlers of other signals run. Returns how many were changed.  */
uint32_t sonde_trap_unblock_handlers(void);

/* The id of a thread that blocks SIGTRAP, other than for a moment as threads do that begin or end,
   or 0.  */
int32_t sonde_trap_blocked_thread(void);

/* The process that traces this one, or 0.  */
int32_t sonde_trap_tracer(void);

/* Signals that were ours, that were passed on, and times that the handler was put in front
   again.  */
uint64_t sonde_traps_taken(void);
uint64_t sonde_traps_passed_on(void);
uint64_t sonde_traps_retaken(void);
