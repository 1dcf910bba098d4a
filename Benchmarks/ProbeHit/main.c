/* SPDX-License-Identifier: Apache-2.0 */
/* Hits and jumps, against the thresholds of a file.  */
#include <stdio.h>
#include <string.h>

#include "bench.h"

/* Compares with the line `NAME at-least|at-most VALUE` of the file. Returns 0 when it holds.  */
static int check(const char *path, const char *name, double value)
{
    char line[256], found[64], kind[16];
    double limit;
    FILE *file = fopen(path, "r");
    int holds = -1, is_minimum = 0;
    while (file != 0 && holds < 0 && fgets(line, sizeof line, file) != 0) {
        if (line[0] == '#' || sscanf(line, "%63s %15s %lf", found, kind, &limit) != 3 ||
            strcmp(found, name) != 0)
            continue;
        is_minimum = strcmp(kind, "at-least") == 0;
        holds = is_minimum ? value >= limit : value <= limit;
    }
    if (file != 0)
        fclose(file);
    if (holds < 0)
        printf("  %s: no threshold\n", name);
    else
        printf("  %s = %.3f; want %s %g%s\n", name, value, is_minimum ? "at least" : "at most",
               limit, holds ? "" : "  FAILED");
    return holds == 1 ? 0 : 1;
}

int main(int count, char **arguments)
{
    struct bench_hits hits;
    double share, uprobe_ns;
    if (count == 2 && strcmp(arguments[1], "--serve") == 0)
        return bench_serve();
    if (count != 4) {
        fprintf(stderr, "cannot measure: got %d arguments; want thresholds, image, statements\n",
                count - 1);
        return 2;
    }
    if (bench_share(arguments[2], arguments[3], &share) != 0) {
        fprintf(stderr, "cannot measure: %s or its statements cannot be read\n", arguments[2]);
        return 1;
    }
    int failed = check(arguments[1], "jump-share", share);
    if (bench_hits(&hits) != 0)
        return 1;
    printf("a hit that runs nothing, CPU time\n");
    printf("  by jump            %8.1f ns\n", hits.jump_ns);
    printf("  by trap            %8.1f ns\n", hits.trap_ns);
    printf("  a bare SIGTRAP     %8.1f ns\n", hits.bare_trap_ns);
    if (bench_uprobe(&uprobe_ns) == 0)
        printf("  a kernel uprobe    %8.1f ns\n", uprobe_ns);
    failed |= check(arguments[1], "trap-to-bare-trap", hits.trap_ns / hits.bare_trap_ns);
    failed |= check(arguments[1], "bare-trap-to-jump", hits.bare_trap_ns / hits.jump_ns);
    failed |= check(arguments[1], "jump-nanoseconds", hits.jump_ns);
    return failed;
}
