/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter: one table of opcodes, each of which ends by jumping to the next.  */
#include "machine_record.h"

/* One hit in as many is measured, on average; see sonde_hit_charge.  */
#define MEASURED_ONE_IN 8u
/* What a program of the service may not have set: exceptions masked, rounding to nearest.  */
#define OWN_MXCSR 0x1f80u

/* HIT CONTEXT. How a run ended, and its steps.  */
struct ending {
    enum sonde_outcome outcome;
    uint32_t detail;
    uint32_t steps_left;
};

SONDE_MACHINE_CONTEXT
static void use_own_mxcsr(struct sonde_run *run)
{
    if (run->has_own_mxcsr)
        return;
    uint32_t own = OWN_MXCSR;
    __asm__ volatile("stmxcsr %0\n\tldmxcsr %1" : "=m"(run->caller_mxcsr) : "m"(own));
    run->has_own_mxcsr = 1;
}

/* HIT CONTEXT. Loads 1, 2, 4 or 8 bytes.  */
SONDE_MACHINE_CONTEXT
static inline int load(struct sonde_run *run, uint64_t address, uint32_t bytes, uint64_t *value)
{
    run->bytes_read += bytes;
    if (__builtin_expect(address - run->stack_low > run->stack_last, 0))
        return sonde_hit_load_slow(run, address, bytes, value);
    uint64_t word = 0;
    /* Safety: up to 8 bytes there lie in the stack that was vouched for.  */
    __builtin_memcpy(&word, (const void *)address, bytes);
    *value = word;
    return 0;
}

/* HIT CONTEXT. The steps of reading BYTES beyond an instruction's own.  */
SONDE_MACHINE_CONTEXT
static inline uint32_t steps_for(uint64_t bytes)
{
    return (uint32_t)(bytes / 16);
}

#define LABEL(name, number, form) [number] = &&op_##name,
#define D run->registers[op.d]
#define A run->registers[op.a]
#define B run->registers[op.b]
#define IMM ((uint64_t)(int64_t)op.imm)
/* Fetches and goes on. PC stays within the code: jumps were checked, and behind the last
   instruction stands one of opcode 0.  */
#define NEXT                                                                                       \
    do {                                                                                           \
        op = code[pc++];                                                                           \
        if (__builtin_expect(steps == 0, 0))                                                       \
            goto broken;                                                                           \
        steps--;                                                                                   \
        goto *labels[op.op];                                                                       \
    } while (0)
#define FAULT(kind)                                                                                \
    do {                                                                                           \
        fault = (kind);                                                                            \
        goto faulted;                                                                              \
    } while (0)
#define CHECK(expression)                                                                          \
    do {                                                                                           \
        fault = (expression);                                                                      \
        if (__builtin_expect(fault != SONDE_FAULT_NONE, 0))                                        \
            goto faulted;                                                                          \
    } while (0)
#define SPEND(bytes)                                                                               \
    do {                                                                                           \
        if (steps < steps_for(bytes))                                                              \
            goto broken;                                                                           \
        steps -= steps_for(bytes);                                                                 \
    } while (0)
#define LOAD(type, bytes)                                                                          \
    do {                                                                                           \
        if (__builtin_expect(load(run, A + IMM, bytes, &value) != 0, 0))                           \
            FAULT(SONDE_FAULT_UNREADABLE);                                                         \
        D = (uint64_t)(int64_t)(type)value;                                                        \
        NEXT;                                                                                      \
    } while (0)
#define CHECKED(operation, type)                                                                   \
    do {                                                                                           \
        type result;                                                                               \
        if (operation((type)A, (type)B, &result))                                                  \
            FAULT(SONDE_FAULT_OVERFLOW);                                                           \
        D = (uint64_t)result;                                                                      \
        NEXT;                                                                                      \
    } while (0)
#define WRITE(bytes)                                                                               \
    do {                                                                                           \
        uint8_t *place = sonde_hit_room(run, bytes);                                               \
        if (place == 0)                                                                            \
            FAULT(SONDE_FAULT_RECORD_FULL);                                                        \
        value = A;                                                                                 \
        __builtin_memcpy(place, &value, bytes);                                                    \
        NEXT;                                                                                      \
    } while (0)

/* HIT CONTEXT. Runs from instruction PC until something ends the hit.  */
SONDE_MACHINE_CONTEXT
static struct ending interpret(struct sonde_run *run, uint32_t pc,
                               const struct sonde_hit_registers *registers)
{
    static const void *const labels[256] = { [0] = &&broken, SONDE_OPCODES(LABEL) };
    const struct sonde_instruction *code = run->program->code;
    uint32_t steps = run->program->steps;
    struct sonde_instruction op;
    enum sonde_fault fault;
    uint64_t value;
    uint32_t detail;
    NEXT;

op_load_immediate: D = IMM; NEXT;
op_load_constant: D = run->program->constants[op.imm]; NEXT;
op_move: D = A; NEXT;
op_read_register: D = op.imm == 16 ? registers->rip : registers->gpr[op.imm]; NEXT;
op_read_vector: D = registers->xmm[op.a][op.b]; NEXT;
op_read_context: D = sonde_hit_context_word((uint32_t)op.imm); NEXT;

op_load_8u: LOAD(uint8_t, 1);
op_load_8s: LOAD(int8_t, 1);
op_load_16u: LOAD(uint16_t, 2);
op_load_16s: LOAD(int16_t, 2);
op_load_32u: LOAD(uint32_t, 4);
op_load_32s: LOAD(int32_t, 4);
op_load_64: LOAD(int64_t, 8);

op_add: D = A + B; NEXT;
op_sub: D = A - B; NEXT;
op_mul: D = A * B; NEXT;
op_add_checked_s: CHECKED(__builtin_add_overflow, int64_t);
op_add_checked_u: CHECKED(__builtin_add_overflow, uint64_t);
op_sub_checked_s: CHECKED(__builtin_sub_overflow, int64_t);
op_sub_checked_u: CHECKED(__builtin_sub_overflow, uint64_t);
op_mul_checked_s: CHECKED(__builtin_mul_overflow, int64_t);
op_mul_checked_u: CHECKED(__builtin_mul_overflow, uint64_t);
op_div_s:
op_rem_s:
    if (B == 0)
        FAULT(SONDE_FAULT_DIVISION_BY_ZERO);
    if (A == (uint64_t)INT64_MIN && B == UINT64_MAX)
        FAULT(SONDE_FAULT_OVERFLOW);
    D = op.op == SONDE_OP_div_s ? (uint64_t)((int64_t)A / (int64_t)B)
                                : (uint64_t)((int64_t)A % (int64_t)B);
    NEXT;
op_div_u:
op_rem_u:
    if (B == 0)
        FAULT(SONDE_FAULT_DIVISION_BY_ZERO);
    D = op.op == SONDE_OP_div_u ? A / B : A % B;
    NEXT;
op_and: D = A & B; NEXT;
op_or: D = A | B; NEXT;
op_xor: D = A ^ B; NEXT;
op_shl: D = B > 63 ? 0 : A << B; NEXT;
op_shr_u: D = B > 63 ? 0 : A >> B; NEXT;
op_shr_s: D = (uint64_t)((int64_t)A >> (B > 63 ? 63 : B)); NEXT;
op_neg: D = -A; NEXT;
op_not: D = ~A; NEXT;
op_add_immediate: D = A + IMM; NEXT;
op_narrow_s:
    value = A << (64 - op.imm);
    if ((uint64_t)((int64_t)value >> (64 - op.imm)) != A)
        FAULT(SONDE_FAULT_OVERFLOW);
    D = A;
    NEXT;
op_narrow_u:
    if (op.imm < 64 && A >> op.imm != 0)
        FAULT(SONDE_FAULT_OVERFLOW);
    D = A;
    NEXT;
op_sign_extend: D = (uint64_t)((int64_t)(A << (64 - op.imm)) >> (64 - op.imm)); NEXT;
op_zero_extend: D = A << (64 - op.imm) >> (64 - op.imm); NEXT;

op_fneg: D = A ^ (uint64_t)1 << 63; NEXT;
op_fadd:
op_fsub:
op_fmul:
op_fdiv:
op_feq:
op_flt:
op_fle:
    use_own_mxcsr(run);
    D = sonde_hit_float(op.op, A, B);
    NEXT;
op_f32_to_f64:
op_int_to_float:
op_uint_to_float:
    use_own_mxcsr(run);
    D = sonde_hit_float(op.op, A, 0);
    NEXT;

op_eq: D = A == B; NEXT;
op_ne: D = A != B; NEXT;
op_lt_s: D = (int64_t)A < (int64_t)B; NEXT;
op_le_s: D = (int64_t)A <= (int64_t)B; NEXT;
op_lt_u: D = A < B; NEXT;
op_le_u: D = A <= B; NEXT;

op_jump: pc += (uint32_t)op.imm; NEXT;
op_jump_if_zero: pc += A == 0 ? (uint32_t)op.imm : 0; NEXT;
op_jump_if_not_zero: pc += A != 0 ? (uint32_t)op.imm : 0; NEXT;
op_loop_begin: {
    const struct sonde_loop_form *form = &run->program->loops[op.imm];
    value = A;
    D = 0;
    if (value == 0) {
        pc = form->behind;
        NEXT;
    }
    if (run->loop_count == SONDE_LOOPS)
        goto broken;
    struct sonde_loop *loop = &run->loops[run->loop_count++];
    loop->rounds = value < form->rounds ? value : form->rounds;
    loop->done = 0;
    loop->body = pc;
    loop->d = op.d;
    NEXT;
}
op_loop_end: {
    if (run->loop_count == 0)
        goto broken;
    struct sonde_loop *loop = &run->loops[run->loop_count - 1];
    if (++loop->done < loop->rounds) {
        run->registers[loop->d] = loop->done;
        pc = loop->body;
    } else {
        run->loop_count--;
    }
    NEXT;
}

op_span_constant: {
    struct sonde_span *span = &run->spans[op.d];
    uint32_t start = run->program->string_starts[op.imm];
    span->place = SONDE_SPAN_OWN;
    span->address = (uint64_t)(run->program->string_bytes + start);
    span->length = span->readable = run->program->string_starts[op.imm + 1] - start;
    NEXT;
}
op_span_swift_string: CHECK(sonde_hit_span_swift(&run->spans[op.d], A, B)); NEXT;
op_span_memory: {
    struct sonde_span *span = &run->spans[op.d];
    span->place = SONDE_SPAN_FOREIGN;
    span->address = A;
    span->length = B;
    span->readable = B < IMM ? B : IMM;
    NEXT;
}
op_span_c_string:
    SPEND(IMM);
    CHECK(sonde_hit_span_c(run, &run->spans[op.d], A, IMM));
    NEXT;
op_span_equal:
op_span_less:
op_span_has_prefix:
op_span_has_suffix:
    SPEND(2 * SONDE_COMPARED_BYTES);
    CHECK(sonde_hit_span_compare(run, &run->spans[op.a & 7], &run->spans[op.b & 7], op.op, &value));
    D = value;
    NEXT;
op_span_contains:
    SPEND(SONDE_COMPARED_BYTES + SONDE_SOUGHT_BYTES);
    CHECK(sonde_hit_span_compare(run, &run->spans[op.a & 7], &run->spans[op.b & 7], op.op, &value));
    D = value;
    NEXT;
op_span_length: D = run->spans[op.a & 7].length; NEXT;
op_span_is_empty: D = run->spans[op.a & 7].length == 0; NEXT;

op_guard: {
    if (run->guard_count == SONDE_GUARDS)
        goto broken;
    struct sonde_guard *guard = &run->guards[run->guard_count];
    guard->target = pc + (uint32_t)op.imm;
    guard->cursor = run->cursor;
    guard->loops = run->loop_count;
    if (run->body != 0) {
        uint8_t *place = sonde_hit_room(run, 1);
        if (place == 0)
            FAULT(SONDE_FAULT_RECORD_FULL);
        *place = SONDE_FAULT_NONE;
    }
    run->guard_count++;
    NEXT;
}
op_end_guard:
    if (run->guard_count == 0)
        goto broken;
    run->guard_count--;
    NEXT;
op_fault:
    run->fault_detail = 0;
    FAULT((enum sonde_fault)op.imm);

op_stop_if_zero:
    if (run->body != 0)
        goto broken;
    if (A == 0)
        return (struct ending){ SONDE_CONDITION_FALSE, 0, steps };
    NEXT;
op_accept: {
    if (run->body != 0)
        goto broken;
    enum sonde_outcome outcome = sonde_hit_accept(run, &detail);
    if (outcome != SONDE_COMMITTED)
        return (struct ending){ outcome, detail, steps };
    NEXT;
}
op_commit:
    if (run->body == 0)
        goto broken;
    return (struct ending){ SONDE_COMMITTED, 0, steps };
op_write_8: WRITE(1);
op_write_16: WRITE(2);
op_write_32: WRITE(4);
op_write_64: WRITE(8);
op_write_span:
    SPEND(IMM);
    CHECK(sonde_hit_write_span(run, &run->spans[op.a & 7], IMM));
    NEXT;
op_write_memory:
    SPEND(IMM);
    CHECK(sonde_hit_write_memory(run, A, B, IMM));
    NEXT;

faulted:
    if ((pc = sonde_hit_recover(run, fault)) != 0)
        NEXT;
    if (run->body != 0)
        return (struct ending){ SONDE_DROPPED, SONDE_LOST_FAULT, steps };
    return (struct ending){ SONDE_CONDITION_ERROR, fault, steps };
broken:
    if (run->body != 0)
        return (struct ending){ SONDE_DROPPED, SONDE_LOST_BROKEN, steps };
    return (struct ending){ SONDE_BROKEN, 0, steps };
}

SONDE_MACHINE_CONTEXT
static struct ending run_site(const struct sonde_site_program *site,
                              const struct sonde_hit_registers *registers, struct sonde_run *run)
{
    run->program = site->program;
    run->guard_count = run->loop_count = 0;
    run->window_low = run->window_size = 0;
    run->body = 0;
    run->cursor = run->capacity = 0;
    run->bytes_read = run->fault_detail = 0;
    run->has_own_mxcsr = 0;
    run->now = 0;
    sonde_hit_find_stack(run, registers->gpr[7]);
    struct ending ending = interpret(run, site->entry, registers);
    if (run->has_own_mxcsr)
        __asm__ volatile("ldmxcsr %0" : : "m"(run->caller_mxcsr));
    sonde_hit_finish(run, ending.outcome, ending.detail, site->number);
    return ending;
}

/* HIT CONTEXT. Runs a site unless its probe is closed; measures some of the runs.  */
SONDE_MACHINE_CONTEXT
static inline struct ending run_open(const struct sonde_site_program *site,
                                     const struct sonde_hit_registers *registers,
                                     struct sonde_run *run)
{
    struct sonde_probe *probe = site->program->probe;
    if (atomic_load_explicit(&probe->closed, memory_order_relaxed)) {
        sonde_hit_count(&probe->closed_hits);
        return (struct ending){ SONDE_CLOSED, 0, site->program->steps };
    }
    /* Threads begin at different places, or many short-lived ones would all be measured.  */
    struct sonde_machine_thread *thread = &sonde_machine_thread;
    if (thread->turn == 0)
        thread->turn = (uint32_t)((uint64_t)thread >> 12) | 1;
    if (thread->turn++ % MEASURED_ONE_IN != 0)
        return run_site(site, registers, run);
    uint64_t begin = sonde_hit_ticks();
    struct ending ending = run_site(site, registers, run);
    uint64_t end = sonde_hit_ticks();
    sonde_hit_charge(probe, end - begin, end);
    return ending;
}

SONDE_MACHINE_CONTEXT
void sonde_hit_run_program(void *context, struct sonde_hit_registers *registers)
{
    struct sonde_run run;
    run_open(context, registers, &run);
}

SONDE_MACHINE_CONTEXT
struct sonde_run_report sonde_hit_report_program(void *context,
                                                 struct sonde_hit_registers *registers)
{
    const struct sonde_site_program *site = context;
    struct sonde_run run;
    run.bytes_read = run.cursor = 0;
    struct ending ending = run_open(site, registers, &run);
    return (struct sonde_run_report){
        .outcome = ending.outcome,
        .detail = ending.detail,
        .steps = site->program->steps - ending.steps_left,
        .bytes_read = run.bytes_read,
        .record_bytes = run.cursor,
    };
}
