/* SPDX-License-Identifier: Apache-2.0 */
/* Frame-pointer unwinding as a pure function: registers and memory in, addresses out.  */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Why a walk ended.  */
enum sonde_sig_end {
    SONDE_SIG_END_ROOT = 0,       /* a zero frame pointer: the ABI's mark of the outermost frame */
    SONDE_SIG_END_DEPTH = 1,      /* CAPACITY frames were written; there may be more */
    SONDE_SIG_END_BROKEN = 2,     /* not a frame: misaligned, not above the last one, or beyond
                                     the stack; the usual end inside code without frame pointers */
    SONDE_SIG_END_UNREADABLE = 3, /* the guarded read failed */
    SONDE_SIG_END_NO_READER = 4,  /* outside the window, and there is no guarded read */
};

/* The registers that a walk starts from.  */
struct sonde_sig_registers {
    uint64_t pc, sp, fp;
};

/* Reads the two words at ADDRESS (8-aligned) into WORDS. Returns 0, or -1 if they cannot be read.
   Must not fault, whatever ADDRESS is.  */
typedef int (*sonde_sig_reader)(void *context, uint64_t address, uint64_t words[2]);

/* What a walk may read. Addresses in [LOW, HIGH) are loaded from BYTES + (address - LOW), so a
   test can replay a stack from a file; in a live thread BYTES is LOW itself. All other addresses
   below LIMIT go through READ, or end the walk where READ is null. A frame at or above LIMIT is
   none. CODE, where not null, holds the CODE_SIZE bytes around the program counter, which is at
   CODE[CODE_OFFSET].  */
struct sonde_sig_memory {
    const unsigned char *bytes;
    uint64_t low, high, limit;
    sonde_sig_reader read;
    void *context;
    const unsigned char *code;
    uint32_t code_size, code_offset;
};

/* The most bytes that one frame may span. Swift and C frames of a megabyte exist (large local
   arrays); more than this is taken for a wild pointer.  */
#define SONDE_SIG_MAX_FRAME_BYTES ((uint64_t)16 << 20)

/* SIGNAL CONTEXT. Walks the frame pointers from REGISTERS, writing at most CAPACITY runtime
   addresses to FRAMES, leaf first: FRAMES[0] is the program counter, the others are return
   addresses. Frames must be 8-aligned and strictly ascending. Where CODE shows that the program
   counter stands in a prologue or before a return, the caller that the frame pointers miss is
   taken from the stack's top. Returns the number written, >= 1 if CAPACITY >= 1, and sets *END.
   Reads only what MEMORY allows; never locks or sets errno.
   Source of the frame layout: System V x86-64 psABI, "The Stack Frame".  */
uint32_t sonde_sig_unwind(const struct sonde_sig_registers *registers,
                          const struct sonde_sig_memory *memory, uint64_t *frames,
                          uint32_t capacity, enum sonde_sig_end *end);
