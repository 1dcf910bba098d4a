/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program: probes on a list of addresses, all at once, put in and taken out again
   and again while the program works. Compiled by StormTests together with CSondeProbe.

   STORM_SITES: a file with a line for each place, `address start end` of its function, hexadecimal,
   as the program's file numbers them. STORM_ROUNDS: how often. STORM_REPORT: where it is said how it
   went; the last line is `done 1` when all was well.  */
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "patch.h"

#define HITS_A_ROUND 200u
#define LONGEST_WAIT_NS 50000000

static struct sonde_patch_request requests[SONDE_MAX_SITES];
static struct sonde_patch_outcome outcomes[SONDE_MAX_SITES];
/* One for each of many threads, so that hits do not wait for each other.  */
static struct {
    _Alignas(64) _Atomic uint64_t count;
} hits[64];

static void count_hit(void *context, struct sonde_hit_registers *registers)
{
    (void)context;
    hits[registers->gpr[7] >> 16 & 63].count += 1;
}

static uint64_t all_hits(void)
{
    uint64_t sum = 0;
    for (int i = 0; i < 64; i++)
        sum += hits[i].count;
    return sum;
}

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

struct comparison {
    const unsigned char *file;
    uint64_t size;
    long changed;
};

static int compare_text(struct dl_phdr_info *info, size_t size, void *context)
{
    struct comparison *comparison = context;
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X))
            continue;
        const unsigned char *text = (const unsigned char *)(info->dlpi_addr + header->p_vaddr);
        const unsigned char *file = comparison->file + header->p_offset;
        if (header->p_offset + header->p_filesz > comparison->size)
            comparison->changed += 1;
        else if (memcmp(text, file, header->p_filesz) != 0)
            for (uint64_t at = 0; at < header->p_filesz; at++)
                comparison->changed += text[at] != file[at];
    }
    return 1; /* the program is the first */
}

/* The bytes in which the program's text differs from its file.  */
static long changed_bytes(void)
{
    static struct comparison comparison;
    if (comparison.file == 0) {
        struct stat status;
        int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (file < 0 || fstat(file, &status) != 0)
            return -1;
        void *bytes = mmap(0, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        close(file);
        if (bytes == MAP_FAILED)
            return -1;
        comparison.file = bytes;
        comparison.size = (uint64_t)status.st_size;
    }
    comparison.changed = 0;
    dl_iterate_phdr(compare_text, &comparison);
    return comparison.changed;
}

/* Reads the places that can be patched; *REFUSED counts the others.  */
static uint32_t read_sites(const char *path, uint32_t *refused)
{
    uint64_t bias = _r_debug.r_map->l_addr, address, start, end;
    uint32_t count = 0;
    FILE *file = fopen(path, "re");
    if (file == 0)
        return 0;
    while (count < SONDE_MAX_SITES && fscanf(file, "%lx %lx %lx", &address, &start, &end) == 3) {
        struct sonde_patch_request request = {
            .address = bias + address,
            .function_start = bias + start,
            .function_end = bias + end,
            .run = count_hit,
        };
        if (sonde_patch_plan(&request).status == SONDE_PATCH_OK)
            requests[count++] = request;
        else
            *refused += 1;
    }
    fclose(file);
    return count;
}

/* All in, until the program has hit some; all out; compared. Returns what went wrong, or null.  */
static const char *run_round(uint32_t count)
{
    struct timespec pause = { 0, 1000000 };
    uint64_t before = all_hits();
    enum sonde_patch_status status = sonde_patch_install(requests, count, outcomes);
    if (status != SONDE_PATCH_OK)
        return sonde_patch_words(status);
    int64_t deadline_ns = now_ns() + LONGEST_WAIT_NS;
    while (all_hits() - before < HITS_A_ROUND && now_ns() < deadline_ns)
        nanosleep(&pause, 0);
    sonde_patch_remove(requests, count);
    return changed_bytes() == 0 ? 0 : "the text differs from the file";
}

static void *storm(void *context)
{
    FILE *report = context;
    uint32_t refused = 0, jumps = 0, round = 0, rounds = (uint32_t)atoi(getenv("STORM_ROUNDS"));
    uint32_t count = read_sites(getenv("STORM_SITES"), &refused);
    const char *problem = count == 0 ? "no site" : 0;
    int64_t began_ns = now_ns();
    for (; round < rounds && problem == 0; round++)
        problem = run_round(count);
    for (uint32_t i = 0; i < count; i++)
        jumps += outcomes[i].form == SONDE_PATCH_JUMP;
    if (problem == 0 && sonde_hits_settle(5000000000) != 1)
        problem = "does not settle";
    fprintf(report, "sites %u\nrefused %u\njumps %u\nrounds %u\nhits %lu\ntraps %lu\nms %ld\n", count,
            refused, jumps, round, all_hits(), sonde_patch_counters().traps,
            (now_ns() - began_ns) / 1000000);
    if (problem != 0)
        fprintf(report, "problem %s\n", problem);
    fprintf(report, "done %d\n", problem == 0);
    fclose(report);
    return 0;
}

__attribute__((constructor)) static void start(void)
{
    pthread_t thread;
    sigset_t all, before;
    const char *path = getenv("STORM_REPORT");
    FILE *report = path == 0 ? 0 : fopen(path, "we");
    if (report == 0 || getenv("STORM_ROUNDS") == 0 || getenv("STORM_SITES") == 0)
        return;
    /* The program's signals are the program's threads' business.  */
    sigfillset(&all);
    sigdelset(&all, SIGTRAP);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pthread_create(&thread, 0, storm, report);
    pthread_sigmask(SIG_SETMASK, &before, 0);
}
