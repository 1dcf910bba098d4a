/* SPDX-License-Identifier: Apache-2.0 */
/* The browser's files, embedded in the binary. */
#pragma once
#include <stddef.h>

/* One embedded file. PATH is what a browser asks for, without the leading slash.  */
struct sonde_web_asset {
    const char *path;
    const char *content_type;
    const unsigned char *bytes;
    size_t size_bytes;
};

/* Returns the embedded files and stores their number in COUNT. They live as long as the process. */
const struct sonde_web_asset *sonde_web_assets(size_t *count);
