/* SPDX-License-Identifier: Apache-2.0 */
/* Byte strings: Swift's, C's, and comparing them.  */
#include "machine_state.h"

/* How many bytes of each side are compared at a time.  */
#define CHUNK 128u

/* Source of the layout: the Swift runtime, stdlib/public/core/StringObject.swift. The highest four
   bits of the second word tell the form, and bit 60 of the first whether the bytes stand behind the
   object; what is neither small nor such a one is kept by somebody else, and not read.  */
SONDE_MACHINE_CONTEXT
enum sonde_fault sonde_hit_span_swift(struct sonde_span *span, uint64_t w0, uint64_t w1)
{
    uint64_t form = w1 >> 60;
    if (form == 0xe || form == 0xa) {
        span->place = SONDE_SPAN_INLINE;
        span->length = w1 >> 56 & 15;
        /* Safety: 16 bytes, of which the last is the form's.  */
        __builtin_memcpy(span->inline_bytes, &w0, 8);
        __builtin_memcpy(span->inline_bytes + 8, &w1, 8);
    } else if ((form == 0 || form == 8) && w1 << 4 != 0 && (w0 >> 60 & 1) != 0) {
        span->place = SONDE_SPAN_FOREIGN;
        span->address = (w1 & 0x0fffffffffffffff) + 32;
        span->length = w0 & 0xffffffffffff;
    } else {
        return SONDE_FAULT_BRIDGED_STRING;
    }
    span->readable = span->length;
    return SONDE_FAULT_NONE;
}

SONDE_MACHINE_CONTEXT
enum sonde_fault sonde_hit_span_c(struct sonde_run *run, struct sonde_span *span, uint64_t address,
                                  uint64_t cap)
{
    uint64_t length = 0;
    while (length < cap) {
        uint64_t available;
        const uint8_t *bytes = sonde_hit_view(run, address + length, cap - length, &available);
        if (bytes == 0)
            return SONDE_FAULT_UNREADABLE;
        run->bytes_read += available;
        uint64_t i = 0;
        while (i < available && bytes[i] != 0)
            i++;
        length += i;
        if (i < available)
            break;
    }
    /* Only now: after a fault a span is what it was before.  */
    span->place = SONDE_SPAN_FOREIGN;
    span->address = address;
    span->length = length;
    span->readable = length;
    return SONDE_FAULT_NONE;
}

SONDE_MACHINE_CONTEXT
enum sonde_fault sonde_hit_span_read(struct sonde_run *run, const struct sonde_span *span,
                                     uint64_t from, uint8_t *to, uint64_t count)
{
    if (count == 0)
        return SONDE_FAULT_NONE;
    if (span->place == SONDE_SPAN_INLINE) {
        for (uint64_t i = 0; i < count; i++)
            to[i] = from + i < 16 ? span->inline_bytes[from + i] : 0;
        return SONDE_FAULT_NONE;
    }
    if (span->place == SONDE_SPAN_OWN) {
        /* Safety: the program's own string; FROM and COUNT are within its length.  */
        sonde_hit_copy(to, (const uint8_t *)(span->address + from), count);
        return SONDE_FAULT_NONE;
    }
    run->bytes_read += count;
    return sonde_hit_read(run, span->address + from, to, count) == 0 ? SONDE_FAULT_NONE
                                                                     : SONDE_FAULT_UNREADABLE;
}

/* HIT CONTEXT. Finds the first difference of COUNT bytes: *ORDER is -1, 0 or 1.  */
SONDE_MACHINE_CONTEXT
static enum sonde_fault compare(struct sonde_run *run, const struct sonde_span *a, uint64_t from_a,
                                const struct sonde_span *b, uint64_t from_b, uint64_t count,
                                int *order)
{
    uint8_t left[CHUNK], right[CHUNK];
    *order = 0;
    while (count > 0) {
        uint64_t size = count < CHUNK ? count : CHUNK;
        enum sonde_fault fault = sonde_hit_span_read(run, a, from_a, left, size);
        if (fault == SONDE_FAULT_NONE)
            fault = sonde_hit_span_read(run, b, from_b, right, size);
        if (fault != SONDE_FAULT_NONE)
            return fault;
        for (uint64_t i = 0; i < size; i++)
            if (left[i] != right[i]) {
                *order = left[i] < right[i] ? -1 : 1;
                return SONDE_FAULT_NONE;
            }
        from_a += size, from_b += size, count -= size;
    }
    return SONDE_FAULT_NONE;
}

/* HIT CONTEXT. Compares as many of WANT bytes as may be looked at. *ORDER is 0 only when all of
   them were equal; when that is not known, the fault is TOO_LONG.  */
SONDE_MACHINE_CONTEXT
static enum sonde_fault compare_within(struct sonde_run *run, const struct sonde_span *a,
                                       uint64_t from_a, const struct sonde_span *b, uint64_t want,
                                       int *order)
{
    uint64_t count = want < SONDE_COMPARED_BYTES ? want : SONDE_COMPARED_BYTES;
    uint64_t readable_a = a->readable > from_a ? a->readable - from_a : 0;
    if (count > readable_a)
        count = readable_a;
    if (count > b->readable)
        count = b->readable;
    enum sonde_fault fault = compare(run, a, from_a, b, 0, count, order);
    if (fault != SONDE_FAULT_NONE)
        return fault;
    return *order == 0 && count < want ? SONDE_FAULT_TOO_LONG : SONDE_FAULT_NONE;
}

/* HIT CONTEXT. Looks for B in A (Knuth, Morris and Pratt), reading each byte of A once.  */
SONDE_MACHINE_CONTEXT
static enum sonde_fault contains(struct sonde_run *run, const struct sonde_span *a,
                                 const struct sonde_span *b, uint64_t *result)
{
    uint8_t sought[SONDE_SOUGHT_BYTES + 1], back[SONDE_SOUGHT_BYTES + 1], chunk[CHUNK];
    *result = b->length == 0;
    if (b->length == 0 || b->length > a->length)
        return SONDE_FAULT_NONE;
    if (b->length > SONDE_SOUGHT_BYTES || b->readable < b->length)
        return SONDE_FAULT_TOO_LONG;
    enum sonde_fault fault = sonde_hit_span_read(run, b, 0, sought, b->length);
    if (fault != SONDE_FAULT_NONE)
        return fault;
    back[0] = 0;
    uint32_t matched = 0, length = (uint32_t)b->length;
    for (uint32_t i = 1; i < length; i++) {
        while (matched > 0 && sought[i] != sought[matched])
            matched = back[matched - 1];
        matched += sought[i] == sought[matched];
        back[i] = (uint8_t)matched;
    }
    uint64_t end = a->readable < SONDE_COMPARED_BYTES ? a->readable : SONDE_COMPARED_BYTES;
    matched = 0;
    for (uint64_t from = 0; from < end;) {
        uint64_t size = end - from < CHUNK ? end - from : CHUNK;
        fault = sonde_hit_span_read(run, a, from, chunk, size);
        if (fault != SONDE_FAULT_NONE)
            return fault;
        for (uint64_t i = 0; i < size; i++) {
            while (matched > 0 && chunk[i] != sought[matched])
                matched = back[matched - 1];
            matched += chunk[i] == sought[matched];
            if (matched == length) {
                *result = 1;
                return SONDE_FAULT_NONE;
            }
        }
        from += size;
    }
    return end < a->length ? SONDE_FAULT_TOO_LONG : SONDE_FAULT_NONE;
}

SONDE_MACHINE_CONTEXT
enum sonde_fault sonde_hit_span_compare(struct sonde_run *run, const struct sonde_span *a,
                                        const struct sonde_span *b, uint8_t op, uint64_t *result)
{
    int order = 0;
    enum sonde_fault fault;
    uint64_t shorter = a->length < b->length ? a->length : b->length;
    switch (op) {
    case SONDE_OP_span_contains:
        return contains(run, a, b, result);
    case SONDE_OP_span_less:
        fault = compare_within(run, a, 0, b, shorter, &order);
        *result = order < 0 || (order == 0 && a->length < b->length);
        return fault;
    case SONDE_OP_span_equal:
        *result = 0;
        if (a->length != b->length)
            return SONDE_FAULT_NONE;
        break;
    default:
        *result = 0;
        if (a->length < b->length)
            return SONDE_FAULT_NONE;
    }
    uint64_t from = op == SONDE_OP_span_has_suffix ? a->length - b->length : 0;
    fault = compare_within(run, a, from, b, b->length, &order);
    *result = order == 0;
    return fault;
}
