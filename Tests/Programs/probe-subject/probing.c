/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to probe, and to compare code with its file.  */
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
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
    struct stat status;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0)
        return -1;
    unsigned char *bytes = malloc((size_t)status.st_size);
    struct comparison comparison = { bytes, (uint64_t)status.st_size, 0 };
    for (off_t at = 0; bytes != 0 && at < status.st_size;) {
        ssize_t count = read(file, bytes + at, (size_t)(status.st_size - at));
        if (count <= 0)
            return -1;
        at += count;
    }
    close(file);
    if (bytes == 0)
        return -1;
    dl_iterate_phdr(compare_text, &comparison);
    free(bytes);
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
