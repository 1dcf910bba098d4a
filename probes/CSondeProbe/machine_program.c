/* SPDX-License-Identifier: Apache-2.0 */
/* Programs: copied and checked once, so that a hit needs not check operands. Ordinary context.  */
#include "machine_state.h"

void *sonde_machine_pages(uint64_t bytes);
void sonde_machine_give_pages(void *pages, uint64_t bytes);

#define MAX_WORDS 65536u
#define MAX_SITES 65536u
#define MAX_STRING_BYTES ((uint32_t)1 << 28)
#define MAX_ROUNDS 65536

#define FORM(name, number, text) [number] = text,
static const char *const forms[256] = { SONDE_OPCODES(FORM) };
#undef FORM

static int is_operand(char kind, uint8_t value)
{
    switch (kind) {
    case '-': return 1;
    case 'r': return value < SONDE_REGISTERS;
    case 's': return value < SONDE_SPANS;
    case 'v': return value < 16;
    case 'w': return value < 2;
    default: return 0;
    }
}

static int is_immediate(char kind, int32_t value, uint32_t index,
                        const struct sonde_program_parts *parts)
{
    switch (kind) {
    case '-':
    case 'i': return 1;
    case 'c': return value >= 0 && (uint32_t)value < parts->constant_count;
    case 't': return value >= 0 && (uint32_t)value < parts->string_count;
    case 'j': return value > 0 && (uint64_t)index + 1 + (uint32_t)value <= parts->word_count;
    case 'g': return value >= 0 && value <= 16;
    case 'x': return value >= 0 && value <= 3;
    case 'n': return value >= 0 && (uint32_t)value <= SONDE_RECORD_BODY_BYTES;
    case 'b': return value >= 1 && value <= 64;
    case 'l': return value >= 1 && value <= MAX_ROUNDS;
    case 'f': return value > SONDE_FAULT_NONE && value < SONDE_FAULTS;
    default: return 0;
    }
}

static struct sonde_instruction instruction(uint64_t word)
{
    struct sonde_instruction result;
    __builtin_memcpy(&result, &word, 8);
    return result;
}

/* Checks instructions and counts loops. Returns how many, or -1.  */
static int64_t check(const struct sonde_program_parts *parts)
{
    if (parts->word_count == 0 || parts->word_count > MAX_WORDS ||
        parts->entry_count > MAX_SITES || parts->record_bytes > SONDE_RECORD_BODY_BYTES)
        return -1;
    for (uint32_t i = 0; i < parts->entry_count; i++)
        if (parts->entries[i] >= parts->word_count)
            return -1;
    for (uint32_t i = 0; i < parts->string_count; i++)
        if (parts->string_starts[i] > parts->string_starts[i + 1] ||
            parts->string_starts[i + 1] > MAX_STRING_BYTES)
            return -1;
    int64_t loops = 0;
    for (uint32_t i = 0; i < parts->word_count; i++) {
        struct sonde_instruction one = instruction(parts->words[i]);
        const char *form = forms[one.op];
        if (form == 0 || !is_operand(form[0], one.d) || !is_operand(form[1], one.a) ||
            !is_operand(form[2], one.b) || !is_immediate(form[3], one.imm, i, parts))
            return -1;
        loops += one.op == SONDE_OP_loop_begin;
    }
    return loops;
}

/* Fills in where each loop ends; 0 when a loop has no end.  */
static int fill_loops(struct sonde_instruction *code, uint32_t count, struct sonde_loop_form *loops)
{
    uint32_t open[SONDE_LOOPS], depth = 0, made = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (code[i].op == SONDE_OP_loop_begin) {
            if (depth == SONDE_LOOPS)
                return 0;
            open[depth++] = made;
            loops[made].rounds = (uint32_t)code[i].imm;
            code[i].imm = (int32_t)made++;
        } else if (code[i].op == SONDE_OP_loop_end) {
            if (depth == 0)
                return 0;
            loops[open[--depth]].behind = i + 1;
        }
    }
    return depth == 0;
}

static uint64_t rounded(uint64_t bytes)
{
    return (bytes + 15) & ~(uint64_t)15;
}

static void copy(void *to, const void *from, uint64_t bytes)
{
    const uint8_t *source = from;
    for (uint64_t i = 0; i < bytes; i++)
        ((uint8_t *)to)[i] = source[i];
}

/* Lays the program out in its mapping and copies the parts.  */
static struct sonde_program *build(const struct sonde_program_parts *parts, uint32_t loop_count)
{
    uint32_t string_bytes = parts->string_count == 0 ? 0 : parts->string_starts[parts->string_count];
    uint64_t code = rounded(sizeof(struct sonde_program));
    uint64_t constants = code + rounded(((uint64_t)parts->word_count + 1) * 8);
    uint64_t starts = constants + rounded((uint64_t)parts->constant_count * 8);
    uint64_t bytes = starts + rounded(((uint64_t)parts->string_count + 1) * 4);
    uint64_t loops = bytes + rounded(string_bytes);
    uint64_t sites = loops + rounded((uint64_t)loop_count * sizeof(struct sonde_loop_form));
    uint64_t size = sites + (uint64_t)parts->entry_count * sizeof(struct sonde_site_program);
    uint8_t *base = sonde_machine_pages(size);
    if (base == 0)
        return 0;
    copy(base + code, parts->words, (uint64_t)parts->word_count * 8);
    copy(base + constants, parts->constants, (uint64_t)parts->constant_count * 8);
    if (parts->string_count != 0) {
        copy(base + starts, parts->string_starts, ((uint64_t)parts->string_count + 1) * 4);
        copy(base + bytes, parts->string_bytes, string_bytes);
    }
    /* Safety: each part starts 16-aligned within the mapping's SIZE bytes.  */
    struct sonde_program *program = (void *)base;
    program->size = size;
    program->code = (const void *)(base + code);
    program->constants = (const void *)(base + constants);
    program->string_starts = (const void *)(base + starts);
    program->string_bytes = base + bytes;
    program->loops = (const void *)(base + loops);
    program->sites = (void *)(base + sites);
    program->word_count = parts->word_count;
    program->site_count = parts->entry_count;
    program->steps = parts->steps;
    program->record_bytes = parts->record_bytes;
    return program;
}

struct sonde_program *sonde_program_make(struct sonde_probe *probe,
                                         const struct sonde_program_parts *parts,
                                         enum sonde_machine_status *status)
{
    int64_t loop_count = check(parts);
    *status = SONDE_MACHINE_BAD_PROGRAM;
    if (loop_count < 0)
        return 0;
    struct sonde_program *program = build(parts, (uint32_t)loop_count);
    if (program == 0) {
        *status = SONDE_MACHINE_NO_MEMORY;
        return 0;
    }
    program->probe = probe;
    /* Safety: nobody else has the program yet.  */
    if (!fill_loops((struct sonde_instruction *)program->code, program->word_count,
                    (struct sonde_loop_form *)program->loops)) {
        sonde_program_free(program);
        return 0;
    }
    for (uint32_t i = 0; i < parts->entry_count; i++)
        program->sites[i] = (struct sonde_site_program){ program, parts->entries[i], i };
    *status = SONDE_MACHINE_OK;
    return program;
}

void *sonde_program_context(struct sonde_program *program, uint32_t number)
{
    return number < program->site_count ? &program->sites[number] : 0;
}

void sonde_program_free(struct sonde_program *program)
{
    if (program != 0)
        sonde_machine_give_pages(program, program->size);
}
