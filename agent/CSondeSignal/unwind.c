/* SPDX-License-Identifier: Apache-2.0 */
/* Frame-pointer unwinding: pure, bounded, without a load that MEMORY does not allow.  */
#include "sonde_unwind.h"

/* The highest user address plus one with 4-level paging; with 5 levels nothing is mapped above
   unless the program asks for it by a hint.  */
#define ADDRESS_LIMIT ((uint64_t)1 << 47)

/* The first page is never mapped for code, so smaller numbers are no addresses.  */
#define ADDRESS_FIRST ((uint64_t)4096)

enum prologue { NO_PROLOGUE, CALLER_AT_SP, CALLER_ABOVE_SP };

/* SIGNAL CONTEXT. Loads the two words at ADDRESS, inside the window or through the reader.
   Returns 0 and fills WORDS, or -1 and sets *END.  */
static int load(const struct sonde_sig_memory *memory, uint64_t address, uint64_t words[2],
                enum sonde_sig_end *end)
{
    if (address >= memory->low && address < memory->high && memory->high - address >= 16) {
        /* Safety: [low, high) is mapped for as long as this runs, as the caller vouches; the
           address is 8-aligned relative to the process, and x86-64 loads need no alignment.  */
        const unsigned char *place = memory->bytes + (address - memory->low);
        __builtin_memcpy(words, place, 16);
        return 0;
    }
    if (memory->read == 0) {
        *end = SONDE_SIG_END_NO_READER;
        return -1;
    }
    if (memory->read(memory->context, address, words) != 0) {
        *end = SONDE_SIG_END_UNREADABLE;
        return -1;
    }
    return 0;
}

/* SIGNAL CONTEXT. Whether an instruction of SIZE bytes stands AFTER bytes from the program counter
   (negative: before it).  */
static int code_is(const struct sonde_sig_memory *memory, int after, const unsigned char *want,
                   uint32_t size)
{
    int64_t start = (int64_t)memory->code_offset + after;
    if (start < 0 || start + (int64_t)size > (int64_t)memory->code_size)
        return 0;
    for (uint32_t i = 0; i < size; i++)
        if (memory->code[start + i] != want[i])
            return 0;
    return 1;
}

/* SIGNAL CONTEXT. Where a frame is not yet, or no longer, set up, the frame pointer is still the
   caller's: its own return address lies at the stack's top and would be missed.  */
static enum prologue prologue_at(const struct sonde_sig_memory *memory)
{
    static const unsigned char push_fp[] = { 0x55 };
    static const unsigned char endbr_push_fp[] = { 0xf3, 0x0f, 0x1e, 0xfa, 0x55 };
    static const unsigned char move_fp[] = { 0x48, 0x89, 0xe5 };
    static const unsigned char push_move_fp[] = { 0x55, 0x48, 0x89, 0xe5 };
    static const unsigned char ret[] = { 0xc3 };

    if (memory->code == 0)
        return NO_PROLOGUE;
    if (code_is(memory, 0, push_move_fp, 4) || code_is(memory, 0, endbr_push_fp, 5))
        return CALLER_AT_SP;
    if (code_is(memory, 0, ret, 1))
        return CALLER_AT_SP;
    if (code_is(memory, 0, move_fp, 3) && code_is(memory, -1, push_fp, 1))
        return CALLER_ABOVE_SP;
    return NO_PROLOGUE;
}

static int is_code_address(uint64_t address)
{
    return address >= ADDRESS_FIRST && address < ADDRESS_LIMIT;
}

/* SIGNAL CONTEXT. The caller that the frame pointers miss, or 0.  */
static uint64_t missed_caller(const struct sonde_sig_registers *registers,
                              const struct sonde_sig_memory *memory)
{
    enum prologue prologue = prologue_at(memory);
    if (prologue == NO_PROLOGUE || registers->sp % 8 != 0)
        return 0;
    uint64_t words[2];
    enum sonde_sig_end ignored;
    if (registers->sp >= memory->limit || load(memory, registers->sp, words, &ignored) != 0)
        return 0;
    uint64_t caller = prologue == CALLER_AT_SP ? words[0] : words[1];
    return is_code_address(caller) ? caller : 0;
}

uint32_t sonde_sig_unwind(const struct sonde_sig_registers *registers,
                          const struct sonde_sig_memory *memory, uint64_t *frames,
                          uint32_t capacity, enum sonde_sig_end *end)
{
    uint32_t count = 0;
    *end = SONDE_SIG_END_DEPTH;
    if (capacity == 0)
        return 0;
    frames[count++] = registers->pc;
    uint64_t missed = missed_caller(registers, memory);
    if (missed != 0 && count < capacity)
        frames[count++] = missed;

    uint64_t fp = registers->fp;
    /* The frame pointer lies at or above the stack pointer, also in a prologue.  */
    uint64_t lowest = registers->sp;
    while (count < capacity) {
        if (fp == 0) {
            *end = SONDE_SIG_END_ROOT;
            return count;
        }
        if (fp % 8 != 0 || fp < lowest || fp >= memory->limit ||
            fp - lowest > SONDE_SIG_MAX_FRAME_BYTES) {
            *end = SONDE_SIG_END_BROKEN;
            return count;
        }
        uint64_t words[2];
        if (load(memory, fp, words, end) != 0)
            return count;
        if (words[1] == 0) {
            /* The outermost frame of a thread whose starter pushed a zero for a caller.  */
            *end = SONDE_SIG_END_ROOT;
            return count;
        }
        if (!is_code_address(words[1])) {
            *end = SONDE_SIG_END_BROKEN;
            return count;
        }
        frames[count++] = words[1];
        /* Strictly ascending, so a chain cannot run in circles.  */
        lowest = fp + 16;
        fp = words[0];
    }
    *end = SONDE_SIG_END_DEPTH;
    return count;
}
