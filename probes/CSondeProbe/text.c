/* SPDX-License-Identifier: Apache-2.0 */
/* Writing code through /proc/self/mem: the kernel makes a private copy of the page and its
   protection never changes, so no page is ever writable and executable, and none is not executable
   while others run on it.  */
#include "text.h"

#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>

#include "kernel.h"
#include "patch.h"

static long memory = -1;

int sonde_text_open(void)
{
    if (memory >= 0)
        return SONDE_PATCH_OK;
    long commands = sonde_hit_syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0, 0);
    if (commands < 0 || !(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) ||
        sonde_hit_syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0,
                          0, 0) != 0)
        return SONDE_PATCH_NO_BARRIER;
    memory = sonde_hit_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/mem", O_RDWR | O_CLOEXEC,
                               0);
    return memory < 0 ? SONDE_PATCH_NO_WRITE : SONDE_PATCH_OK;
}

void sonde_text_close(void)
{
    if (memory >= 0)
        sonde_hit_syscall(SYS_close, memory, 0, 0, 0);
    memory = -1;
}

int sonde_text_write(uint64_t address, const void *bytes, uint32_t count)
{
    /* Safety: the kernel writes to ADDRESS, and answers with an error where nothing is mapped.  */
    return sonde_hit_syscall(SYS_pwrite64, memory, (long)bytes, count, (long)address) ==
                   (long)count
               ? 0
               : -1;
}

int sonde_text_read(uint64_t address, void *bytes, uint64_t count)
{
    return sonde_hit_syscall(SYS_pread64, memory, (long)bytes, (long)count, (long)address) ==
                   (long)count
               ? 0
               : -1;
}

void sonde_text_barrier(void)
{
    sonde_hit_syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0, 0, 0);
}
