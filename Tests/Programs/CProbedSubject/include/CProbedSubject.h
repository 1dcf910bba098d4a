/* SPDX-License-Identifier: Apache-2.0 */
/* A function whose instructions tests know by their addresses.  */
#pragma once
#include <stdint.h>

/* Returns A * 3 + B. At SUBJECT_LINE both are still in rdi and rsi.  */
uint64_t subject_settle(uint64_t a, uint64_t b);

/* The same with a string: at SUBJECT_TEXT_LINE rdi points at it. Returns its first byte.  */
uint64_t subject_read(const char *text);

/* Runtime addresses: a function's first instruction, the probed one, and behind its last.  */
enum subject_place {
    SUBJECT_START = 0,
    SUBJECT_LINE = 1,
    SUBJECT_END = 2,
    SUBJECT_TEXT_START = 3,
    SUBJECT_TEXT_LINE = 4,
    SUBJECT_TEXT_END = 5,
};
uint64_t subject_address(enum subject_place place);

/* The calling thread's number.  */
uint32_t subject_thread(void);
