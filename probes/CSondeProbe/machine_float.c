/* SPDX-License-Identifier: Apache-2.0 */
/* Doubles. A file of its own, so that nothing of it is computed before MXCSR is set.  */
#include "machine_state.h"

SONDE_MACHINE_CONTEXT
static double number(uint64_t bits)
{
    double value;
    __builtin_memcpy(&value, &bits, 8);
    return value;
}

SONDE_MACHINE_CONTEXT
static uint64_t bits(double value)
{
    uint64_t result;
    __builtin_memcpy(&result, &value, 8);
    return result;
}

SONDE_MACHINE_CONTEXT
static double widened(uint64_t a)
{
    uint32_t low = (uint32_t)a;
    float value;
    __builtin_memcpy(&value, &low, 4);
    return value;
}

SONDE_MACHINE_CONTEXT
uint64_t sonde_hit_float(uint8_t op, uint64_t a, uint64_t b)
{
    switch (op) {
    case SONDE_OP_fadd: return bits(number(a) + number(b));
    case SONDE_OP_fsub: return bits(number(a) - number(b));
    case SONDE_OP_fmul: return bits(number(a) * number(b));
    case SONDE_OP_fdiv: return bits(number(a) / number(b));
    case SONDE_OP_f32_to_f64: return bits(widened(a));
    case SONDE_OP_int_to_float: return bits((double)(int64_t)a);
    case SONDE_OP_uint_to_float: return bits((double)a);
    case SONDE_OP_feq: return number(a) == number(b);
    case SONDE_OP_flt: return number(a) < number(b);
    case SONDE_OP_fle: return number(a) <= number(b);
    default: return 0;
    }
}
