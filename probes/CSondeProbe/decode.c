/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions by Zydis, which is loaded when the first probe comes: a service that is only
   profiled does not need the library, and one without it runs on without probes.  */
#include <dlfcn.h>
#include <stddef.h>

#include <Zydis/Zydis.h>

#include "instruction.h"

#define LIBRARY "libZydis.so.4.0"

typedef ZyanStatus decode_function(const ZydisDecoder *, ZydisDecoderContext *, const void *,
                                   ZyanUSize, ZydisDecodedInstruction *);
typedef ZyanStatus init_function(ZydisDecoder *, ZydisMachineMode, ZydisStackWidth);
typedef ZyanU64 version_function(void);

static ZydisDecoder decoder;
static decode_function *decode_instruction;

int sonde_decoder_load(void)
{
    if (decode_instruction != 0)
        return 1;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (library == 0)
        return 0;
    /* Safety: these are the functions' types in the headers of the version that is checked.  */
    version_function *version = (version_function *)dlsym(library, "ZydisGetVersion");
    init_function *init = (init_function *)dlsym(library, "ZydisDecoderInit");
    decode_function *decode = (decode_function *)dlsym(library, "ZydisDecoderDecodeInstruction");
    if (version == 0 || init == 0 || decode == 0 ||
        ZYDIS_VERSION_MAJOR(version()) != ZYDIS_VERSION_MAJOR(ZYDIS_VERSION) ||
        ZYDIS_VERSION_MINOR(version()) != ZYDIS_VERSION_MINOR(ZYDIS_VERSION) ||
        !ZYAN_SUCCESS(init(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64))) {
        dlclose(library);
        return 0;
    }
    decode_instruction = decode;
    return 1;
}

/* What only works where it is: it depends on its own address in a way that is not corrected here,
   changes it in one of the ways that the kernel knows, or is meant to fault there.  */
static int is_fixed(const ZydisDecodedInstruction *decoded)
{
    switch (decoded->mnemonic) {
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2:
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_XBEGIN:
    case ZYDIS_MNEMONIC_INT:
    case ZYDIS_MNEMONIC_INT1:
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_SYSENTER:
    case ZYDIS_MNEMONIC_SYSEXIT:
    case ZYDIS_MNEMONIC_SYSRET:
        return 1;
    default:
        return decoded->meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
    }
}

/* Whether a branch has the prefix of 16-bit operands and nothing that overrides it: processors
   disagree about what it does. With REX.W, as in calls of __tls_get_addr, it is filling.  */
static int is_narrow(const ZydisDecodedInstruction *decoded)
{
    for (int i = 0; i < decoded->raw.prefix_count; i++)
        if (decoded->raw.prefixes[i].value == 0x66)
            return !((decoded->attributes & ZYDIS_ATTRIB_HAS_REX) && decoded->raw.rex.W);
    return 0;
}

static uint8_t kind_of_branch(const ZydisDecodedInstruction *decoded)
{
    int is_direct = decoded->raw.imm[0].is_relative;
    if (is_narrow(decoded))
        return SONDE_INSTRUCTION_FIXED;
    switch (decoded->meta.category) {
    case ZYDIS_CATEGORY_CALL:
        return is_direct ? SONDE_INSTRUCTION_CALL : SONDE_INSTRUCTION_CALL_INDIRECT;
    case ZYDIS_CATEGORY_UNCOND_BR:
        return is_direct ? SONDE_INSTRUCTION_JUMP : SONDE_INSTRUCTION_PLAIN;
    default:
        if (!is_direct)
            return SONDE_INSTRUCTION_FIXED;
        return decoded->opcode >= 0xe0 && decoded->opcode <= 0xe3 &&
                       decoded->opcode_map == ZYDIS_OPCODE_MAP_DEFAULT
                   ? SONDE_INSTRUCTION_LOOP
                   : SONDE_INSTRUCTION_BRANCH;
    }
}

static uint8_t kind_of(const ZydisDecodedInstruction *decoded)
{
    if (decoded->mnemonic == ZYDIS_MNEMONIC_INT3)
        return SONDE_INSTRUCTION_BREAKPOINT;
    if (is_fixed(decoded))
        return SONDE_INSTRUCTION_FIXED;
    switch (decoded->meta.category) {
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_COND_BR:
        return kind_of_branch(decoded);
    default:
        return decoded->raw.imm[0].is_relative ? SONDE_INSTRUCTION_FIXED
                                               : SONDE_INSTRUCTION_PLAIN;
    }
}

static int is_relative_to_rip(const ZydisDecodedInstruction *decoded)
{
    return (decoded->attributes & ZYDIS_ATTRIB_HAS_MODRM) && decoded->raw.modrm.mod == 0 &&
           decoded->raw.modrm.rm == 5;
}

int sonde_decode(const uint8_t *bytes, uint64_t available, uint64_t address,
                 struct sonde_instruction *instruction)
{
    ZydisDecodedInstruction decoded;
    if (decode_instruction == 0 ||
        !ZYAN_SUCCESS(decode_instruction(&decoder, 0, bytes, available, &decoded)))
        return 0;
    *instruction = (struct sonde_instruction){
        .kind = kind_of(&decoded),
        .length = decoded.length,
        .opcode = decoded.opcode,
        .address_prefix = (decoded.attributes & ZYDIS_ATTRIB_HAS_ADDRESSSIZE) != 0,
        .ends = decoded.meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
                decoded.meta.category == ZYDIS_CATEGORY_RET,
        .pads = decoded.mnemonic == ZYDIS_MNEMONIC_NOP ||
                decoded.mnemonic == ZYDIS_MNEMONIC_INT3,
    };
    if (decoded.attributes & ZYDIS_ATTRIB_HAS_MODRM)
        instruction->modrm_offset = decoded.raw.modrm.offset;
    if (is_relative_to_rip(&decoded)) {
        instruction->rip_offset = decoded.raw.disp.offset;
        if (instruction->address_prefix)
            instruction->kind = SONDE_INSTRUCTION_FIXED; /* wraps at 4 GiB */
    }
    if (decoded.raw.imm[0].is_relative)
        instruction->target = address + decoded.length + (uint64_t)decoded.raw.imm[0].value.s;
    return 1;
}
