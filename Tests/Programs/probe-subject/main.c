/* SPDX-License-Identifier: Apache-2.0 */
/* A program that probes itself: one scenario a run, `done 1` at its end. CSondeProbeTests runs
   it.  */
#include <signal.h>
#include <string.h>

#include "scenarios.h"
#include "subject.h"

static const struct {
    const char *name;
    int (*run)(void);
} scenarios[] = {
    { "code", scenario_code },
    { "orders", scenario_orders },
    { "counts", scenario_counts },
    { "programs", scenario_programs },
    { "refusals", scenario_refusals },
    { "registers", scenario_registers },
    { "relocation", scenario_relocation },
    { "small_stack", scenario_small_stack },
    { "signal_handler", scenario_signal_handler },
    { "foreign_before", scenario_foreign_before },
    { "foreign_after", scenario_foreign_after },
    { "foreign_default", scenario_foreign_default },
    { "blocked", scenario_blocked },
    { "masks", scenario_masks },
    { "left_hit", scenario_left_hit },
    { "threads", scenario_threads },
    { "load", scenario_load },
    { "recursion", scenario_recursion },
    { "reentry", scenario_reentry },
    { "allocator", scenario_allocator },
    { "program", scenario_program },
    { "fork", scenario_fork },
    { "filtered", scenario_filtered },
    { "hardened", scenario_hardened },
    { "traced", scenario_traced },
};

int main(int count, char **arguments)
{
    /* Whoever starts us may have blocked signals, which we inherit.  */
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, 0);
    if (count == 1) {
        for (uint32_t i = 0; i < sizeof scenarios / sizeof scenarios[0]; i++)
            puts(scenarios[i].name);
        return 0;
    }
    int failed = -1;
    if (count == 3 && strcmp(arguments[1], "library") == 0)
        failed = scenario_library(arguments[2]);
    else if (count == 3 && strcmp(arguments[1], "loading") == 0)
        failed = scenario_loading(arguments[2]);
    for (uint32_t i = 0; failed < 0 && i < sizeof scenarios / sizeof scenarios[0]; i++)
        if (strcmp(arguments[1], scenarios[i].name) == 0)
            failed = scenarios[i].run();
    if (failed < 0)
        fprintf(stderr, "no scenario %s\n", arguments[1]);
    else if (failed == 0)
        puts("done 1");
    return failed < 0 ? 2 : failed;
}
