/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of memory that may not be there: the only door for them.  */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Copies COUNT bytes from ADDRESS of this process to BUFFER with one process_vm_readv. Returns
   the bytes copied, fewer than COUNT where the mapping ends, or -1 if none could be read or the
   kernel forbids the call. Does not fault, whatever ADDRESS is; keeps errno.  */
int64_t sonde_read_memory(void *buffer, uint64_t address, size_t count);

/* Whether process_vm_readv works here, 1 or 0. Where a seccomp filter is active the call is tried
   in a child that shares this memory, because a filter may answer it by killing the caller.  */
int sonde_can_read_memory(void);
