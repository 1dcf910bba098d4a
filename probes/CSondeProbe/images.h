/* SPDX-License-Identifier: Apache-2.0 */
/* The code of this process: which of it may be patched.  */
#pragma once

#include <stdint.h>

/* A piece of executable memory of a loaded image.  */
struct sonde_text {
    uint64_t start, end;             /* of the piece */
    uint64_t image_low, image_high;  /* of all that the image has mapped */
    int denied;                      /* libc, the dynamic linker, the kernel's own */
};

/* Asks the dynamic linker anew. Call before sonde_text_of, which uses the answer.  */
void sonde_texts_read(void);

/* The piece that holds ADDRESS, or null.  */
const struct sonde_text *sonde_text_of(uint64_t address);

/* Whether a probe is refused there: our own code at a hit, a denied image, a denied range.  */
int sonde_text_is_denied(const struct sonde_text *text, uint64_t address);

/* Whether the image's file is libc, the dynamic linker or the kernel's.  */
int sonde_images_is_libc(const char *path);
