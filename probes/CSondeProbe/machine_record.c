/* SPDX-License-Identifier: Apache-2.0 */
/* Writing a run's record: spans and memory, what stands there after a fault, and how it ends.  */
#include "machine_record.h"

SONDE_MACHINE_CONTEXT
enum sonde_fault sonde_hit_write_span(struct sonde_run *run, const struct sonde_span *span,
                                      uint64_t cap)
{
    uint64_t captured = span->readable < cap ? span->readable : cap;
    uint8_t *place = sonde_hit_room(run, 8 + captured);
    if (place == 0)
        return SONDE_FAULT_RECORD_FULL;
    uint32_t lengths[2] = {
        span->length > UINT32_MAX ? UINT32_MAX : (uint32_t)span->length,
        (uint32_t)captured,
    };
    __builtin_memcpy(place, lengths, 8);
    return sonde_hit_span_read(run, span, 0, place + 8, captured);
}

SONDE_MACHINE_CONTEXT
enum sonde_fault sonde_hit_write_memory(struct sonde_run *run, uint64_t address, uint64_t length,
                                        uint64_t cap)
{
    uint64_t count = length < cap ? length : cap;
    uint8_t *place = sonde_hit_room(run, count);
    if (place == 0)
        return SONDE_FAULT_RECORD_FULL;
    run->bytes_read += count;
    return sonde_hit_read(run, address, place, count) == 0 ? SONDE_FAULT_NONE
                                                           : SONDE_FAULT_UNREADABLE;
}

SONDE_MACHINE_CONTEXT
uint32_t sonde_hit_recover(struct sonde_run *run, enum sonde_fault fault)
{
    if (run->guard_count == 0)
        return 0;
    struct sonde_guard *guard = &run->guards[--run->guard_count];
    run->loop_count = guard->loops;
    if (run->body != 0) {
        run->cursor = guard->cursor;
        uint8_t *place = sonde_hit_room(run, 9);
        if (place == 0)
            return 0;
        uint64_t detail = fault == SONDE_FAULT_UNREADABLE ? run->fault_detail : 0;
        place[0] = (uint8_t)fault;
        __builtin_memcpy(place + 1, &detail, 8);
    }
    return guard->target;
}

SONDE_MACHINE_CONTEXT
void sonde_hit_finish(struct sonde_run *run, enum sonde_outcome outcome, uint32_t detail,
                      uint32_t site)
{
    struct sonde_probe *probe = run->program->probe;
    switch (outcome) {
    case SONDE_COMMITTED: {
        struct sonde_probe_record record = {
            .probe_slot = probe->slot,
            .sequence = run->sequence,
            .unix_ns = (int64_t)run->accepted_ticks,
            .site = site,
            .body_size = run->cursor,
        };
        sonde_hit_ring_commit(run->ring, &record);
        sonde_hit_count(&probe->committed);
        sonde_hit_bucket_add(&probe->bytes, run->accepted_ticks, sizeof record + run->cursor);
        break;
    }
    case SONDE_CONDITION_FALSE:
        sonde_hit_count(&probe->condition_false);
        break;
    case SONDE_CONDITION_ERROR:
        sonde_hit_count(&probe->condition_errors[detail]);
        break;
    case SONDE_BROKEN:
        sonde_hit_count(&probe->lost[SONDE_LOST_BROKEN]);
        break;
    case SONDE_DROPPED:
        if (run->body != 0) {
            sonde_hit_ring_give(run->ring);
            sonde_hit_count(&probe->lost[detail]);
        }
        break;
    case SONDE_LIMITED:
    case SONDE_CLOSED:
        break;
    }
}
