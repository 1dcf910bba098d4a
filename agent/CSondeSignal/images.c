/* SPDX-License-Identifier: Apache-2.0 */
/* The loader's list of images; ordinary context.  */
#include "sonde_images.h"

#include <link.h>
#include <stddef.h>
#include <sys/auxv.h>

struct visit {
    int (*visit)(const struct sonde_image *image, void *context);
    void *context;
};

static int visit_one(struct dl_phdr_info *info, size_t size, void *context)
{
    const struct visit *visit = context;
    struct sonde_image image = {
        .name = info->dlpi_name,
        .bias = info->dlpi_addr,
        .headers = info->dlpi_phdr,
        .header_count = info->dlpi_phnum,
    };
    (void)size;
    return visit->visit(&image, visit->context);
}

void sonde_visit_images(int (*visit)(const struct sonde_image *image, void *context),
                        void *context)
{
    struct visit pair = { visit, context };
    dl_iterate_phdr(visit_one, &pair);
}

static int count_changes(struct dl_phdr_info *info, size_t size, void *context)
{
    uint64_t *changes = context;
    if (size >= offsetof(struct dl_phdr_info, dlpi_subs) + sizeof info->dlpi_subs)
        *changes = info->dlpi_adds + info->dlpi_subs;
    return 1;
}

uint64_t sonde_image_changes(void)
{
    uint64_t changes = 0;
    dl_iterate_phdr(count_changes, &changes);
    return changes;
}

uint64_t sonde_hwcap2(void)
{
    return getauxval(AT_HWCAP2);
}

uint64_t sonde_vdso_address(void)
{
    return getauxval(AT_SYSINFO_EHDR);
}
