/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's opcodes: numbers as in SondeProbeProgram's Opcode, and what each operand is.

   X(name, number, "dabi"), where for d, a and b: r a register, s a span, v a vector register's
   number, w a word's number, - nothing; and for imm: i any number, c a constant's index, t a
   string's, j a distance to jump, g a register's number, x a word of the thread's context, n a
   count of bytes, b a count of bits, l a count of rounds, f a fault, - nothing.  */
#pragma once

#define SONDE_OPCODES(X)                                                                           \
    X(load_immediate, 1, "r--i")                                                                   \
    X(load_constant, 2, "r--c")                                                                    \
    X(move, 3, "rr--")                                                                             \
    X(read_register, 4, "r--g")                                                                    \
    X(read_vector, 5, "rvw-")                                                                      \
    X(read_context, 6, "r--x")                                                                     \
    X(load_8u, 10, "rr-i")                                                                         \
    X(load_8s, 11, "rr-i")                                                                         \
    X(load_16u, 12, "rr-i")                                                                        \
    X(load_16s, 13, "rr-i")                                                                        \
    X(load_32u, 14, "rr-i")                                                                        \
    X(load_32s, 15, "rr-i")                                                                        \
    X(load_64, 16, "rr-i")                                                                         \
    X(add, 20, "rrr-")                                                                             \
    X(sub, 21, "rrr-")                                                                             \
    X(mul, 22, "rrr-")                                                                             \
    X(add_checked_s, 23, "rrr-")                                                                   \
    X(add_checked_u, 24, "rrr-")                                                                   \
    X(sub_checked_s, 25, "rrr-")                                                                   \
    X(sub_checked_u, 26, "rrr-")                                                                   \
    X(mul_checked_s, 27, "rrr-")                                                                   \
    X(mul_checked_u, 28, "rrr-")                                                                   \
    X(div_s, 29, "rrr-")                                                                           \
    X(div_u, 30, "rrr-")                                                                           \
    X(rem_s, 31, "rrr-")                                                                           \
    X(rem_u, 32, "rrr-")                                                                           \
    X(and, 33, "rrr-")                                                                             \
    X(or, 34, "rrr-")                                                                              \
    X(xor, 35, "rrr-")                                                                             \
    X(shl, 36, "rrr-")                                                                             \
    X(shr_u, 37, "rrr-")                                                                           \
    X(shr_s, 38, "rrr-")                                                                           \
    X(neg, 39, "rr--")                                                                             \
    X(not, 40, "rr--")                                                                             \
    X(add_immediate, 41, "rr-i")                                                                   \
    X(narrow_s, 42, "rr-b")                                                                        \
    X(narrow_u, 43, "rr-b")                                                                        \
    X(sign_extend, 44, "rr-b")                                                                     \
    X(zero_extend, 45, "rr-b")                                                                     \
    X(fadd, 50, "rrr-")                                                                            \
    X(fsub, 51, "rrr-")                                                                            \
    X(fmul, 52, "rrr-")                                                                            \
    X(fdiv, 53, "rrr-")                                                                            \
    X(fneg, 54, "rr--")                                                                            \
    X(f32_to_f64, 55, "rr--")                                                                      \
    X(int_to_float, 56, "rr--")                                                                    \
    X(uint_to_float, 57, "rr--")                                                                   \
    X(feq, 58, "rrr-")                                                                             \
    X(flt, 59, "rrr-")                                                                             \
    X(fle, 60, "rrr-")                                                                             \
    X(eq, 70, "rrr-")                                                                              \
    X(ne, 71, "rrr-")                                                                              \
    X(lt_s, 72, "rrr-")                                                                            \
    X(le_s, 73, "rrr-")                                                                            \
    X(lt_u, 74, "rrr-")                                                                            \
    X(le_u, 75, "rrr-")                                                                            \
    X(jump, 80, "---j")                                                                            \
    X(jump_if_zero, 81, "-r-j")                                                                    \
    X(jump_if_not_zero, 82, "-r-j")                                                                \
    X(loop_begin, 83, "rr-l")                                                                      \
    X(loop_end, 84, "----")                                                                        \
    X(span_constant, 90, "s--t")                                                                   \
    X(span_swift_string, 91, "srr-")                                                               \
    X(span_memory, 92, "srrn")                                                                     \
    X(span_c_string, 93, "sr-n")                                                                   \
    X(span_equal, 94, "rss-")                                                                      \
    X(span_less, 95, "rss-")                                                                       \
    X(span_has_prefix, 96, "rss-")                                                                 \
    X(span_has_suffix, 97, "rss-")                                                                 \
    X(span_contains, 98, "rss-")                                                                   \
    X(span_length, 99, "rs--")                                                                     \
    X(span_is_empty, 100, "rs--")                                                                  \
    X(guard, 110, "---j")                                                                          \
    X(end_guard, 111, "----")                                                                      \
    X(fault, 112, "---f")                                                                          \
    X(stop_if_zero, 120, "-r--")                                                                   \
    X(accept, 121, "----")                                                                         \
    X(commit, 122, "----")                                                                         \
    X(write_8, 130, "-r--")                                                                        \
    X(write_16, 131, "-r--")                                                                       \
    X(write_32, 132, "-r--")                                                                       \
    X(write_64, 133, "-r--")                                                                       \
    X(write_span, 134, "-s-n")                                                                     \
    X(write_memory, 135, "-rrn")

#define SONDE_OPCODE_CONSTANT(name, number, form) SONDE_OP_##name = number,
enum sonde_opcode { SONDE_OPCODES(SONDE_OPCODE_CONSTANT) };
#undef SONDE_OPCODE_CONSTANT
