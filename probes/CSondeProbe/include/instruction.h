/* SPDX-License-Identifier: Apache-2.0 */
/* An instruction as far as moving it goes, and pads made of moved instructions: pure functions of
   bytes, except that the decoder is a library, loaded when it is first needed.  */
#pragma once

#include <stdint.h>

#include "patch.h"

/* The longest instruction of x86-64, and the most that 5 bytes can begin.  */
#define SONDE_INSTRUCTION_BYTES 15u
#define SONDE_REGION_INSTRUCTIONS 5u
/* The bytes that a region can cover: four single bytes and the longest.  */
#define SONDE_REGION_BYTES (4u + SONDE_INSTRUCTION_BYTES)
/* More than any pad can need.  */
#define SONDE_PAD_BYTES 512u

/* How an instruction is moved.  */
enum sonde_instruction_kind {
    SONDE_INSTRUCTION_PLAIN = 0,         /* copied; an operand relative to rip is corrected */
    SONDE_INSTRUCTION_JUMP = 1,          /* jmp to TARGET */
    SONDE_INSTRUCTION_BRANCH = 2,        /* jcc to TARGET */
    SONDE_INSTRUCTION_LOOP = 3,          /* loop, loope, loopne, jrcxz, jecxz to TARGET */
    SONDE_INSTRUCTION_CALL = 4,          /* call TARGET */
    SONDE_INSTRUCTION_CALL_INDIRECT = 5, /* call through a register or memory */
    SONDE_INSTRUCTION_FIXED = 6,         /* means something else elsewhere, or may not be moved */
    SONDE_INSTRUCTION_BREAKPOINT = 7,    /* int3 */
};

struct sonde_instruction {
    uint64_t target; /* runtime address, of direct jumps and calls */
    uint8_t kind, length;
    uint8_t ends;           /* 1: what follows is not reached from here */
    uint8_t pads;           /* 1: fills a gap: nop, or int3 */
    uint8_t opcode;         /* last byte of the opcode */
    uint8_t address_prefix; /* 1: has the prefix 0x67 */
    uint8_t modrm_offset;   /* 0: none */
    uint8_t rip_offset;     /* of a 32-bit displacement relative to rip; 0: none */
};

/* Loads the decoder: 1, or 0 when libZydis.so.4.0 is not there.  */
int sonde_decoder_load(void);

/* Decodes the instruction that starts at BYTES, of which AVAILABLE may be read, and which runs at
   ADDRESS. Returns 1, or 0 when there is none or sonde_decoder_load failed.  */
int sonde_decode(const uint8_t *bytes, uint64_t available, uint64_t address,
                 struct sonde_instruction *instruction);

/* What a pad is made of: COUNT instructions that follow each other from START on, their BYTES, and
   for each the site (struct sonde_hit_site) whose programs run before it, or 0. ENTER is the
   address of sonde_hit_enter.  */
struct sonde_pad_plan {
    uint64_t start, enter;
    const uint8_t *bytes;
    uint32_t count;
    struct sonde_instruction instructions[SONDE_REGION_INSTRUCTIONS];
    uint64_t sites[SONDE_REGION_INSTRUCTIONS];
};

/* Builds the pad that will lie at BASE (8-aligned) into OUT, of SONDE_PAD_BYTES. ENTRIES[i] becomes
   the address to which a thread goes that arrives at instruction i. Returns the bytes written, or
   0 when an instruction cannot be moved there.  */
uint32_t sonde_pad_build(const struct sonde_pad_plan *plan, uint64_t base, uint8_t *out,
                         uint64_t *entries);
