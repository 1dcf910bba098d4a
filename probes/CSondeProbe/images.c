/* SPDX-License-Identifier: Apache-2.0 */
/* The loaded images' code, by the dynamic linker's list; ordinary context.  */
#include "images.h"

#include <link.h>
#include <string.h>

#include "patch.h"
#include "site.h"

#define TEXTS 4096u
#define DENIED_RANGES 256u

static struct sonde_text texts[TEXTS];
static uint32_t text_count;
static struct {
    uint64_t start, end;
} denied_ranges[DENIED_RANGES];
static uint32_t denied_count;

/* libc and the dynamic linker run with all signals blocked where threads begin and end and where
   children are made; an int3 there would end the process. Names of files, up to the version.  */
int sonde_images_is_libc(const char *path)
{
    static const char *const names[] = { "ld-linux",   "libc.so", "libc-2",  "libpthread",
                                         "linux-vdso", "ld-2",    "ld-musl", "libc.musl" };
    const char *slash = strrchr(path, '/');
    const char *name = slash == 0 ? path : slash + 1;
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return 1;
    return 0;
}

static int add_image(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    uint64_t low = UINT64_MAX, high = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD)
            continue;
        uint64_t start = info->dlpi_addr + header->p_vaddr;
        low = start < low ? start : low;
        high = start + header->p_memsz > high ? start + header->p_memsz : high;
    }
    for (int i = 0; i < info->dlpi_phnum && text_count < TEXTS; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X) || (header->p_flags & PF_W))
            continue;
        uint64_t start = info->dlpi_addr + header->p_vaddr;
        texts[text_count++] = (struct sonde_text){
            .start = start,
            .end = start + header->p_filesz,
            .image_low = low,
            .image_high = high,
            .denied = info->dlpi_name != 0 && sonde_images_is_libc(info->dlpi_name),
        };
    }
    return 0;
}

void sonde_texts_read(void)
{
    text_count = 0;
    dl_iterate_phdr(add_image, 0);
}

const struct sonde_text *sonde_text_of(uint64_t address)
{
    for (uint32_t i = 0; i < text_count; i++)
        if (address >= texts[i].start && address < texts[i].end)
            return &texts[i];
    return 0;
}

int sonde_text_is_denied(const struct sonde_text *text, uint64_t address)
{
    if (text->denied || (address >= (uint64_t)__start_sonde_text &&
                         address < (uint64_t)__stop_sonde_text))
        return 1;
    for (uint32_t i = 0; i < denied_count; i++)
        if (address >= denied_ranges[i].start && address < denied_ranges[i].end)
            return 1;
    return 0;
}

int sonde_patch_deny(uint64_t start, uint64_t end)
{
    if (denied_count == DENIED_RANGES)
        return -1;
    denied_ranges[denied_count].start = start;
    denied_ranges[denied_count++].end = end;
    return 0;
}
