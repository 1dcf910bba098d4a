/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to probe, and to compare code with its file.  */
#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "subject.h"

_Atomic uint64_t hit_count;

void count_hit(void *context, struct sonde_hit_registers *registers)
{
    _Atomic uint64_t *count = context;
    (void)registers;
    *(count == 0 ? &hit_count : count) += 1;
}

void keep_registers(void *context, struct sonde_hit_registers *registers)
{
    struct sonde_hit_registers *kept = context;
    *kept = *registers;
    hit_count += 1;
}

struct sonde_patch_request request_at(struct code code, uint64_t address)
{
    return (struct sonde_patch_request){
        .address = address,
        .function_start = code.start,
        .function_end = code.end,
        .run = count_hit,
    };
}

uint32_t requests_for(struct code code, struct sonde_patch_request *requests, uint32_t capacity)
{
    uint32_t count = 0;
    for (uint64_t address = code.start; address < code.end && count < capacity; address++) {
        struct sonde_patch_request request = request_at(code, address);
        if (sonde_patch_plan(&request).status == SONDE_PATCH_OK)
            requests[count++] = request;
    }
    return count;
}

/* This program's file, mapped for good, and its size; null when it cannot be read.  */
static const unsigned char *own_file(uint64_t *size)
{
    static const unsigned char *bytes;
    static uint64_t bytes_size;
    struct stat status;
    if (bytes == 0) {
        int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (file < 0 || fstat(file, &status) != 0)
            return 0;
        void *memory = mmap(0, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        close(file);
        if (memory == MAP_FAILED)
            return 0;
        bytes = memory;
        bytes_size = (uint64_t)status.st_size;
    }
    *size = bytes_size;
    return bytes;
}

struct code code_named(const char *name)
{
    uint64_t size;
    const unsigned char *bytes = own_file(&size);
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)bytes;
    const ElfW(Shdr) *sections = (const ElfW(Shdr) *)(bytes + header->e_shoff);
    uint64_t bias = _r_debug.r_map->l_addr;
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        const ElfW(Sym) *symbols = (const ElfW(Sym) *)(bytes + sections[i].sh_offset);
        const char *names = (const char *)bytes + sections[sections[i].sh_link].sh_offset;
        for (uint64_t s = 0; s < sections[i].sh_size / sizeof *symbols; s++)
            if (ELF64_ST_TYPE(symbols[s].st_info) == STT_FUNC && symbols[s].st_size != 0 &&
                strcmp(names + symbols[s].st_name, name) == 0)
                return (struct code){ bias + symbols[s].st_value,
                                      bias + symbols[s].st_value + symbols[s].st_size };
    }
    return (struct code){ 0, 0 };
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
        if (header->p_offset + header->p_filesz > comparison->size)
            return 1;
        const unsigned char *text =
            (const unsigned char *)(info->dlpi_addr + header->p_vaddr);
        for (uint64_t at = 0; at < header->p_filesz; at++)
            comparison->changed += text[at] != comparison->file[header->p_offset + at];
    }
    return 1; /* the program is the first */
}

long changed_text_bytes(void)
{
    uint64_t size;
    const unsigned char *bytes = own_file(&size);
    struct comparison comparison = { bytes, size, 0 };
    if (bytes == 0)
        return -1;
    dl_iterate_phdr(compare_text, &comparison);
    return comparison.changed;
}

uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}
