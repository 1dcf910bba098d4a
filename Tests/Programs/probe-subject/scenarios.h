/* SPDX-License-Identifier: Apache-2.0 */
/* The scenarios: each returns 0 when everything was as it should be.  */
#pragma once

/* Hard code: results, orders, counts, several programs, refusals.  */
int scenario_code(void);
int scenario_orders(void);
int scenario_counts(void);
int scenario_programs(void);
int scenario_refusals(void);

/* Registers and the stack.  */
int scenario_registers(void);
int scenario_relocation(void);
int scenario_small_stack(void);

/* Signals.  */
int scenario_signal_handler(void);
int scenario_foreign_before(void);
int scenario_foreign_after(void);
int scenario_foreign_default(void);
int scenario_blocked(void);
int scenario_masks(void);
int scenario_left_hit(void);

/* Threads.  */
int scenario_threads(void);
int scenario_load(void);
int scenario_recursion(void);
int scenario_reentry(void);
int scenario_allocator(void);
int scenario_program(void);

/* Processes and images. LIBRARY is the path of one that exports `answer` and `block_all`.  */
int scenario_fork(void);
int scenario_library(const char *library);
int scenario_loading(const char *library);

/* Hosts with rules of their own.  */
int scenario_filtered(void);
int scenario_hardened(void);
int scenario_traced(void);
