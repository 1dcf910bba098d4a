/* SPDX-License-Identifier: Apache-2.0 */
/* Frame-pointer unwinding: pure, bounded, without a load that MEMORY does not allow.  */
#include "sonde_unwind.h"

#include "machine.h"

/* The highest user address plus one with 4-level paging; with 5 levels nothing is mapped above
   unless the program asks for it by a hint.  */
#define ADDRESS_LIMIT ((uint64_t)1 << 47)

/* The first page is never mapped for code, so smaller numbers are no addresses.  */
#define ADDRESS_FIRST ((uint64_t)4096)

/* How many words above the stack pointer the caller's return address lies where the frame is not
   set up; NO_PROLOGUE where it is.  */
enum { NO_PROLOGUE = -1 };

/* Where a frame is not set up, by the instructions around the program counter.  */
struct prologue {
    unsigned char code[12];
    uint8_t size;
    uint8_t before; /* how many of these bytes were executed already */
    int8_t words;
};

/* SIGNAL CONTEXT. Loads the two words at ADDRESS, inside the window or through the reader.
   Returns 0 and fills WORDS, or -1 and sets *END.  */
SONDE_SIGNAL_CONTEXT
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

/* The code that compilers emit around frames, in the order of likelihood. An async Swift function
   keeps its context between the saved frame pointer and the locals.  */
static const struct prologue prologues[] = {
    /* ret */
    { { 0xc3 }, 1, 0, 0 },
    /* push rbp; mov rbp, rsp: at its first, and at its second instruction */
    { { 0x55, 0x48, 0x89, 0xe5 }, 4, 0, 0 },
    { { 0x55, 0x48, 0x89, 0xe5 }, 4, 1, 1 },
    /* endbr64; push rbp */
    { { 0xf3, 0x0f, 0x1e, 0xfa, 0x55 }, 5, 0, 0 },
    /* push rbp; push r14; lea rbp, [rsp+8]: an async function, at each instruction */
    { { 0x55, 0x41, 0x56, 0x48, 0x8d, 0x6c, 0x24, 0x08 }, 8, 0, 0 },
    { { 0x55, 0x41, 0x56, 0x48, 0x8d, 0x6c, 0x24, 0x08 }, 8, 1, 1 },
    { { 0x55, 0x41, 0x56, 0x48, 0x8d, 0x6c, 0x24, 0x08 }, 8, 3, 2 },
    /* pop rbp; jmp: a tail call, at the jump */
    { { 0x5d, 0xe9 }, 2, 1, 0 },
    /* jmp [rip+n], with its prefixes: a stub of the procedure linkage table */
    { { 0xff, 0x25 }, 2, 0, 0 },
    { { 0xf2, 0xff, 0x25 }, 3, 0, 0 },
    { { 0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25 }, 6, 0, 0 },
    { { 0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25 }, 7, 0, 0 },
};

/* SIGNAL CONTEXT. Whether the bytes around the program counter are those of PROLOGUE.  */
SONDE_SIGNAL_CONTEXT
static int matches(const struct sonde_sig_memory *memory,
                   const struct prologue *prologue)
{
    if (memory->code_offset < prologue->before)
        return 0;
    uint32_t start = memory->code_offset - prologue->before;
    if (start > memory->code_size || memory->code_size - start < prologue->size)
        return 0;
    for (uint32_t i = 0; i < prologue->size; i++)
        if (memory->code[start + i] != prologue->code[i])
            return 0;
    return 1;
}

/* SIGNAL CONTEXT. Where a frame is not yet, or no longer, set up, the frame pointer is still the
   caller's: its own return address lies near the stack's top and would be missed.  */
SONDE_SIGNAL_CONTEXT
static int prologue_at(const struct sonde_sig_memory *memory)
{
    if (memory->code == 0)
        return NO_PROLOGUE;
    for (uint32_t i = 0; i < sizeof prologues / sizeof prologues[0]; i++)
        if (matches(memory, &prologues[i]))
            return prologues[i].words;
    return NO_PROLOGUE;
}

SONDE_SIGNAL_CONTEXT
static int is_code_address(uint64_t address)
{
    return address >= ADDRESS_FIRST && address < ADDRESS_LIMIT;
}

/* SIGNAL CONTEXT. The caller that the frame pointers miss, or 0.  */
SONDE_SIGNAL_CONTEXT
static uint64_t missed_caller(const struct sonde_sig_registers *registers,
                              const struct sonde_sig_memory *memory)
{
    int words_above = prologue_at(memory);
    if (words_above == NO_PROLOGUE || registers->sp % 8 != 0)
        return 0;
    uint64_t address = registers->sp + 8 * (uint64_t)words_above;
    uint64_t words[2];
    enum sonde_sig_end ignored;
    if (address < registers->sp || address >= memory->limit ||
        load(memory, address, words, &ignored) != 0)
        return 0;
    uint64_t caller = words[0];
    return is_code_address(caller) ? caller : 0;
}

SONDE_SIGNAL_CONTEXT
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
            fp >= ADDRESS_LIMIT || fp - lowest > SONDE_SIG_MAX_FRAME_BYTES) {
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
