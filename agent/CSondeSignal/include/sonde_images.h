/* SPDX-License-Identifier: Apache-2.0 */
/* The loader's list of images, and what the kernel told this process at its start.  */
#pragma once

#include <elf.h>
#include <stdint.h>

/* One image. NAME and HEADERS belong to the loader and are valid during the callback only.  */
struct sonde_image {
    const char *name;
    uint64_t bias;
    const Elf64_Phdr *headers;
    uint32_t header_count;
};

/* Calls VISIT for each image, the program first, until it returns other than 0. The loader's lock
   is held meanwhile.  */
void sonde_visit_images(int (*visit)(const struct sonde_image *image, void *context),
                        void *context);

/* How many images were ever loaded and unloaded; changes whenever the list does.  */
uint64_t sonde_image_changes(void);

/* AT_HWCAP2 and AT_SYSINFO_EHDR of the auxiliary vector, or 0.  */
uint64_t sonde_hwcap2(void);
uint64_t sonde_vdso_address(void);
