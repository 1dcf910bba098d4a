/* SPDX-License-Identifier: Apache-2.0 */
/* Which share of a binary's statement addresses gets a jump, when all of them have a site.  */
#include "bench.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "region.h"

/* Counts of one binary.  */
struct share {
    uint64_t sites, jumps, refused, alone, alone_jumps;
};

static int ascending(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static uint64_t *read_addresses(const char *path, uint64_t *count)
{
    FILE *file = fopen(path, "r");
    uint64_t *addresses = 0, address, capacity = 0;
    *count = 0;
    while (file != 0 && fscanf(file, "%lx", &address) == 1) {
        if (*count == capacity) {
            capacity = capacity == 0 ? 4096 : capacity * 2;
            addresses = realloc(addresses, capacity * sizeof *addresses);
        }
        addresses[(*count)++] = address;
    }
    if (file != 0)
        fclose(file);
    if (addresses != 0)
        qsort(addresses, *count, sizeof *addresses, ascending);
    return addresses;
}

/* Plans all sites of a function together, as an install does, and each on its own.  */
static void plan_function(const struct sonde_function *function, const uint64_t *addresses,
                          uint64_t count, struct share *share)
{
    struct sonde_hit_site *memory = calloc(count, sizeof *memory);
    struct sonde_hit_site **sites = calloc(count, sizeof *sites);
    uint64_t covered = 0;
    int covered_by_jump = 0;
    for (uint64_t i = 0; i < count; i++) {
        memory[i].address = addresses[i];
        sites[i] = &memory[i];
    }
    for (uint64_t i = 0; i < count; i++) {
        struct sonde_region *region = 0;
        share->sites += 1;
        if (sonde_region_choose(function, sites + i, 1, 0, &region) != SONDE_PATCH_OK) {
            share->refused += 1;
            continue;
        }
        share->alone_jumps += region->patched_size != 1;
        if (addresses[i] >= covered) {
            sonde_region_choose(function, sites + i, (uint32_t)(count - i), 0, &region);
            covered = region->start + region->length;
            covered_by_jump = region->patched_size != 1;
        }
        share->jumps += (uint64_t)covered_by_jump;
    }
    free(memory);
    free(sites);
}

/* The bytes of ADDRESS in the file, if they are code; *LIMIT is where that ends.  */
static const uint8_t *code_at(const uint8_t *file, uint64_t address, uint64_t *limit)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(file + header->e_phoff);
    for (int i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *segment = &segments[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X) ||
            address < segment->p_vaddr || address >= segment->p_vaddr + segment->p_filesz)
            continue;
        *limit = segment->p_vaddr + segment->p_filesz;
        return file + segment->p_offset + (address - segment->p_vaddr);
    }
    return 0;
}

static void plan_symbol(const uint8_t *file, const Elf64_Sym *symbol, const uint64_t *addresses,
                        uint64_t count, struct share *share)
{
    uint64_t start = symbol->st_value, end = start + symbol->st_size, first = 0, limit = 0;
    const uint8_t *bytes = code_at(file, start, &limit);
    if (bytes == 0 || end > limit)
        return;
    while (first < count && addresses[first] < start)
        first++;
    uint64_t behind = first;
    while (behind < count && addresses[behind] < end)
        behind++;
    if (behind == first)
        return;
    struct sonde_function function = {
        .start = start,
        .end = end,
        .limit = limit - end < 16 ? limit : end + 16,
        .bytes = bytes,
        .marks = calloc(1, end - start + 16),
    };
    sonde_function_scan(&function);
    plan_function(&function, addresses + first, behind - first, share);
    free(function.marks);
}

static int by_value(const void *a, const void *b)
{
    const Elf64_Sym *left = a, *right = b;
    return (left->st_value > right->st_value) - (left->st_value < right->st_value);
}

/* Plans every function of the symbol table; aliases once.  */
static void plan_all(const uint8_t *file, const uint64_t *addresses, uint64_t count,
                     struct share *share)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)file;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(file + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        Elf64_Sym *symbols = malloc(sections[i].sh_size);
        memcpy(symbols, file + sections[i].sh_offset, sections[i].sh_size);
        uint64_t all = sections[i].sh_size / sizeof *symbols, end = 0;
        qsort(symbols, all, sizeof *symbols, by_value);
        for (uint64_t s = 0; s < all; s++) {
            if (ELF64_ST_TYPE(symbols[s].st_info) != STT_FUNC || symbols[s].st_value < end)
                continue;
            end = symbols[s].st_value + symbols[s].st_size;
            plan_symbol(file, &symbols[s], addresses, count, share);
        }
        free(symbols);
    }
}

int bench_share(const char *image, const char *statements, double *share_of_jumps)
{
    struct stat status;
    struct share share = { 0 };
    uint64_t count;
    uint64_t *addresses = read_addresses(statements, &count);
    int file = open(image, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0 || addresses == 0 || !sonde_decoder_load())
        return -1;
    const uint8_t *bytes = mmap(0, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (bytes == MAP_FAILED)
        return -1;
    plan_all(bytes, addresses, count, &share);
    munmap((void *)bytes, (size_t)status.st_size);
    free(addresses);
    if (share.sites == 0)
        return -1;
    uint64_t possible = share.sites - share.refused;
    printf("%s: %lu statement addresses in functions\n", image, share.sites);
    printf("  cannot be patched                %6lu  %5.1f %%\n", share.refused,
           100.0 * (double)share.refused / (double)share.sites);
    printf("  jump, one site at a time         %6lu  %5.1f %%\n", share.alone_jumps,
           100.0 * (double)share.alone_jumps / (double)share.sites);
    printf("  jump, all sites at once          %6lu  %5.1f %%\n", share.jumps,
           100.0 * (double)share.jumps / (double)share.sites);
    *share_of_jumps = (double)share.alone_jumps / (double)possible;
    return 0;
}
