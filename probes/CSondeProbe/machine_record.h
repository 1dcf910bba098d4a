/* SPDX-License-Identifier: Apache-2.0 */
/* A run's record while it is being written: room in it, what faults leave in it, its end.  */
#pragma once

#include "machine_state.h"

/* HIT CONTEXT. Room for COUNT bytes of the record, or null.  */
SONDE_MACHINE_CONTEXT
static inline uint8_t *sonde_hit_room(struct sonde_run *run, uint64_t count)
{
    if (run->body == 0 || count > run->capacity - run->cursor)
        return 0;
    uint8_t *place = run->body + run->cursor;
    run->cursor += (uint32_t)count;
    return place;
}

/* HIT CONTEXT. Writes a span's length and at most CAP of its bytes. Returns a fault, or 0.  */
enum sonde_fault sonde_hit_write_span(struct sonde_run *run, const struct sonde_span *span,
                                      uint64_t cap);

/* HIT CONTEXT. Writes at most CAP of LENGTH bytes at ADDRESS. Returns a fault, or 0.  */
enum sonde_fault sonde_hit_write_memory(struct sonde_run *run, uint64_t address, uint64_t length,
                                        uint64_t cap);

/* HIT CONTEXT. Takes back the innermost guard after FAULT: its status and the detail stand in the
   record then. Returns the instruction to go on with, or 0 when nothing guards.  */
uint32_t sonde_hit_recover(struct sonde_run *run, enum sonde_fault fault);

/* HIT CONTEXT. Publishes or throws away the record of a run that ended with OUTCOME, and counts.  */
void sonde_hit_finish(struct sonde_run *run, enum sonde_outcome outcome, uint32_t detail,
                      uint32_t site);
