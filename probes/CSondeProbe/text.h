/* SPDX-License-Identifier: Apache-2.0 */
/* The one door through which code is written, and the barrier that makes it known.  */
#pragma once

#include <stdint.h>

/* Opens the door: registers for the barrier. Returns SONDE_PATCH_OK, SONDE_PATCH_NO_BARRIER or
   SONDE_PATCH_NO_WRITE. Closed again by sonde_text_close; no descriptor stays open, because the
   host could close it and then it would be somebody else's.  */
int sonde_text_open(void);
void sonde_text_close(void);

/* Writes COUNT bytes to code at ADDRESS, whatever its protection. Returns 0, or -1 when it could
   not: what is mapped there is gone, shared, or the kernel forbids it. The door must be open.  */
int sonde_text_write(uint64_t address, const void *bytes, uint32_t count);

/* Writes single bytes, many with one call of the kernel: those that are not far from each other and
   come in ascending order, with what stands between them written as it was. Done when
   sonde_text_flush returns; in any order until then. A failure is what sonde_text_write's is, and
   told by the flush.  */
void sonde_text_put(uint64_t address, uint8_t byte);
int sonde_text_flush(void);

/* Reads COUNT bytes at ADDRESS without a load. Returns 0 or -1. The door must be open.  */
int sonde_text_read(uint64_t address, void *bytes, uint64_t count);

/* Afterwards no thread of this process executes code as it was before.  */
void sonde_text_barrier(void);
