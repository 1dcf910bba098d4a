/* SPDX-License-Identifier: Apache-2.0 */
/* Moving instructions: pads made of hits and of copies that do what the originals did. Pure.  */
#include <stddef.h>
#include <string.h>

#include "instruction.h"

#define MAX_SLOTS 32u

/* A pad being written. SLOTS are words behind the code that instructions read relative to rip;
   each use is the place of a displacement that is filled in at the end.  */
struct writer {
    uint8_t *out;
    uint64_t base;
    uint32_t size, slot_count;
    int failed;
    uint64_t slots[MAX_SLOTS];
    uint32_t uses[MAX_SLOTS];
};

static void put(struct writer *writer, const void *bytes, uint32_t count)
{
    if (count > SONDE_PAD_BYTES - writer->size) {
        writer->failed = 1;
        return;
    }
    memcpy(writer->out + writer->size, bytes, count);
    writer->size += count;
}

static void put_byte(struct writer *writer, uint8_t byte)
{
    put(writer, &byte, 1);
}

static uint64_t here(const struct writer *writer)
{
    return writer->base + writer->size;
}

/* The last four bytes of an instruction: the distance from its end to TARGET.  */
static void put_distance(struct writer *writer, uint64_t target)
{
    int64_t distance = (int64_t)(target - (here(writer) + 4));
    int32_t narrow = (int32_t)distance;
    writer->failed |= narrow != distance;
    put(writer, &narrow, 4);
}

/* The last four bytes of an instruction that reads a word VALUE behind the code.  */
static void put_slot(struct writer *writer, uint64_t value)
{
    if (writer->slot_count == MAX_SLOTS) {
        writer->failed = 1;
        return;
    }
    writer->slots[writer->slot_count] = value;
    writer->uses[writer->slot_count++] = writer->size;
    put(writer, "\0\0\0", 4);
}

static int is_near(const struct writer *writer, uint64_t target)
{
    int64_t distance = (int64_t)(target - here(writer));
    return distance > INT32_MIN + 64 && distance < INT32_MAX - 64;
}

static void put_jump(struct writer *writer, uint64_t target)
{
    if (is_near(writer, target)) {
        put_byte(writer, 0xe9); /* jmp target */
        put_distance(writer, target);
    } else {
        put(writer, "\xff\x25", 2); /* jmp [rip + slot] */
        put_slot(writer, target);
    }
}

/* Skips the red zone, passes the site on the stack. sonde_hit_enter returns above both.  */
static void put_hit(struct writer *writer, const struct sonde_pad_plan *plan, uint64_t site)
{
    put(writer, "\x48\x8d\x64\x24\x80", 5); /* lea rsp, [rsp - 128] */
    put(writer, "\xff\x35", 2);             /* push [rip + slot] */
    put_slot(writer, site);
    put(writer, "\xff\x15", 2); /* call [rip + slot] */
    put_slot(writer, plan->enter);
}

/* Pushes the address RETURN_TO, which is the original's, so that whoever unwinds sees code that it
   knows. The call before it has the processor predict a return for the callee's ret, wrongly, so
   that the returns of all callers are predicted rightly; one of distance 0 would not count.  */
static void put_return_address(struct writer *writer, uint64_t return_to)
{
    put(writer, "\xe8\x01\x00\x00\x00\xcc", 6); /* call over the int3 */
    put(writer, "\x48\x8d\x64\x24\x08", 5);     /* lea rsp, [rsp + 8] */
    put(writer, "\xff\x35", 2);                 /* push [rip + slot] */
    put_slot(writer, return_to);
}

/* Copies INSTRUCTION and corrects its operand relative to rip.  */
static void put_copy(struct writer *writer, const struct sonde_instruction *instruction,
                     const uint8_t *bytes, uint64_t address)
{
    uint32_t at = writer->size;
    put(writer, bytes, instruction->length);
    if (instruction->rip_offset == 0 || writer->failed)
        return;
    int32_t displacement;
    memcpy(&displacement, bytes + instruction->rip_offset, 4);
    int64_t moved = (int64_t)(address - (writer->base + at)) + displacement;
    int32_t narrow = (int32_t)moved;
    writer->failed |= narrow != moved;
    memcpy(writer->out + at + instruction->rip_offset, &narrow, 4);
}

/* A call through a register or memory becomes a push of the return address and a jump through the
   same. Where the operand is relative to rsp it is 8 further away after the push.  */
static void put_indirect_call(struct writer *writer, const struct sonde_instruction *instruction,
                              const uint8_t *bytes, uint64_t address)
{
    uint8_t copy[SONDE_INSTRUCTION_BYTES + 1];
    struct sonde_instruction jump = *instruction;
    uint32_t at = instruction->modrm_offset;
    uint8_t rex = at >= 2 && (bytes[at - 2] & 0xf0) == 0x40 ? bytes[at - 2] : 0;
    uint8_t mod = bytes[at] >> 6, rm = bytes[at] & 7;
    memcpy(copy, bytes, instruction->length);
    copy[at] = (uint8_t)((bytes[at] & 0xc7) | 4 << 3); /* /2 call becomes /4 jmp */
    int through_rsp = rm == 4 && !(rex & 1);
    if (through_rsp && mod == 3)
        writer->failed = 1; /* call rsp */
    through_rsp = through_rsp && mod != 3 && (bytes[at + 1] & 7) == 4;
    if (through_rsp && mod == 0) {
        copy[at] = (uint8_t)(copy[at] | 1 << 6);
        copy[at + 2] = 8;
        jump.length = (uint8_t)(at + 3);
    } else if (through_rsp && mod == 1) {
        writer->failed |= bytes[at + 2] >= 0x78; /* too far, or below the stack pointer */
        copy[at + 2] = (uint8_t)(bytes[at + 2] + 8);
    } else if (through_rsp && mod == 2) {
        int32_t displacement;
        memcpy(&displacement, bytes + at + 2, 4);
        writer->failed |= displacement < 0 || displacement > INT32_MAX - 8;
        displacement = (int32_t)((uint32_t)displacement + 8);
        memcpy(copy + at + 2, &displacement, 4);
    }
    put_return_address(writer, address + instruction->length);
    put_copy(writer, &jump, copy, address);
}

static void put_instruction(struct writer *writer, const struct sonde_instruction *instruction,
                            const uint8_t *bytes, uint64_t address, uint64_t target)
{
    switch ((enum sonde_instruction_kind)instruction->kind) {
    case SONDE_INSTRUCTION_PLAIN:
        put_copy(writer, instruction, bytes, address);
        break;
    case SONDE_INSTRUCTION_JUMP:
        put_jump(writer, target);
        break;
    case SONDE_INSTRUCTION_BRANCH:
        put_byte(writer, 0x0f);
        put_byte(writer, (uint8_t)(0x80 | (instruction->opcode & 15)));
        put_distance(writer, target);
        break;
    case SONDE_INSTRUCTION_LOOP:
        if (instruction->address_prefix)
            put_byte(writer, 0x67);
        put_byte(writer, instruction->opcode);
        put(writer, "\x02\xeb\x05", 3); /* to the jump below, which is jumped over otherwise */
        put_byte(writer, 0xe9);
        put_distance(writer, target);
        break;
    case SONDE_INSTRUCTION_CALL:
        put_return_address(writer, address + instruction->length);
        put_jump(writer, target);
        break;
    case SONDE_INSTRUCTION_CALL_INDIRECT:
        put_indirect_call(writer, instruction, bytes, address);
        break;
    default:
        writer->failed = 1;
    }
}

/* Where a branch of a moved instruction goes: to the copy, if its target was moved too.  */
static uint64_t moved_target(const struct sonde_pad_plan *plan, uint64_t target,
                             const uint64_t *entries)
{
    uint64_t address = plan->start;
    for (uint32_t i = 0; i < plan->count; i++) {
        if (target == address)
            return entries[i];
        address += plan->instructions[i].length;
    }
    return target;
}

/* Ends the code: the words it reads, and their places in it.  */
static uint32_t put_slots(struct writer *writer)
{
    while (writer->size % 8 != 0)
        put_byte(writer, 0xcc);
    for (uint32_t i = 0; i < writer->slot_count && !writer->failed; i++) {
        uint32_t use = writer->uses[i];
        int32_t distance = (int32_t)(writer->size - (use + 4));
        memcpy(writer->out + use, &distance, 4);
        put(writer, &writer->slots[i], 8);
    }
    return writer->failed ? 0 : writer->size;
}

static uint32_t build_once(const struct sonde_pad_plan *plan, uint64_t base, uint8_t *out,
                           uint64_t *entries)
{
    struct writer writer = { .out = out, .base = base };
    uint64_t address = plan->start;
    const uint8_t *bytes = plan->bytes;
    int ends = 0;
    for (uint32_t i = 0; i < plan->count; i++) {
        const struct sonde_instruction *instruction = &plan->instructions[i];
        entries[i] = here(&writer);
        if (plan->sites[i] != 0)
            put_hit(&writer, plan, plan->sites[i]);
        uint64_t target = moved_target(plan, instruction->target, entries);
        put_instruction(&writer, instruction, bytes, address, target);
        bytes += instruction->length;
        address += instruction->length;
        ends = instruction->ends || instruction->kind == SONDE_INSTRUCTION_CALL ||
               instruction->kind == SONDE_INSTRUCTION_CALL_INDIRECT;
    }
    if (!ends)
        put_jump(&writer, address);
    return put_slots(&writer);
}

uint32_t sonde_pad_build(const struct sonde_pad_plan *plan, uint64_t base, uint8_t *out,
                         uint64_t *entries)
{
    if (plan->count == 0 || plan->count > SONDE_REGION_INSTRUCTIONS || base % 8 != 0)
        return 0;
    /* The first time tells where the copies are to which a copy may jump.  */
    for (uint32_t i = 0; i < plan->count; i++)
        entries[i] = base;
    return build_once(plan, base, out, entries) == 0 ? 0 : build_once(plan, base, out, entries);
}
