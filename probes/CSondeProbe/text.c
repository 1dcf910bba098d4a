/* SPDX-License-Identifier: Apache-2.0 */
/* Writing code through /proc/self/mem: the kernel makes a private copy of the page and its
   protection never changes, so no page is ever writable and executable, and none is not executable
   while others run on it.  */
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "kernel.h"
#include "patch.h"

#define RUN_BYTES 4096u
/* How far apart two bytes may be that are written together.  */
#define MOST_BETWEEN 256u

static long memory = -1;

/* Bytes that wait to be written: SIZE from START on, of READ that were read there.  */
static struct {
    uint64_t start;
    uint32_t size, read;
    int failed;
    uint8_t bytes[RUN_BYTES];
} run;

static int register_for_barrier(void)
{
    long commands = sonde_hit_syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0, 0);
    return commands >= 0 && (commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE) &&
           sonde_hit_syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
                             0, 0, 0) == 0;
}

/* What a child does to find out whether a filter lets our calls pass: each of those that a program
   rarely makes itself.  */
static int make_calls(void)
{
    if (!register_for_barrier())
        return 0;
    long page = sonde_hit_syscall6(SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long file = sonde_hit_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/mem",
                                  O_RDWR | O_CLOEXEC, 0);
    char byte = 0;
    return page > 0 && file >= 0 &&
           sonde_hit_syscall(SYS_pwrite64, file, (long)&byte, 1, page) == 1 &&
           sonde_hit_syscall(SYS_pread64, file, (long)&byte, 1, page) == 1 &&
           sonde_hit_syscall(SYS_madvise, page, 4096, MADV_WIPEONFORK, 0) <= 0 &&
           /* How masks.c asks whether a page is sealed, of one that is.  */
           sonde_hit_syscall6(SYS_futex, page, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, page,
                              FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)) == -EFAULT;
}

/* Whether a seccomp filter, if there is one, lets us make our calls. It may answer one by killing
   the caller, so a child makes them first, which has a copy of our memory and no exit signal. Asked
   once: filters only ever get stricter, but who installs one late starts its probes later.  */
static int filter_lets_pass(void)
{
    static int known, passes;
    if (known)
        return passes;
    known = passes = 1;
    if (sonde_hit_syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0) == 0)
        return passes;
    long child = sonde_hit_syscall6(SYS_clone, 0, 0, 0, 0, 0, 0);
    if (child == 0)
        for (int status = make_calls() ? 0 : 1;;)
            sonde_hit_syscall(SYS_exit_group, status, 0, 0, 0);
    int status = 1;
    long waited = -4;
    while (child > 0 && waited == -4 /* EINTR */)
        waited = sonde_hit_syscall(SYS_wait4, child, (long)&status, (long)__WALL, 0);
    passes = waited == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    return passes;
}

int sonde_text_open(void)
{
    if (memory >= 0)
        return SONDE_PATCH_OK;
    if (!filter_lets_pass() || !register_for_barrier())
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

/* Writes what waits.  */
static void end_run(void)
{
    if (run.size != 0 && sonde_text_write(run.start, run.bytes, run.size) != 0)
        run.failed = 1;
    run.size = 0;
}

/* Begins to collect at ADDRESS: with what stands there, as far as it can be read.  */
static void begin_run(uint64_t address)
{
    long count = sonde_hit_syscall(SYS_pread64, memory, (long)run.bytes, RUN_BYTES, (long)address);
    run.start = address;
    run.read = count > 0 ? (uint32_t)count : 0;
}

void sonde_text_put(uint64_t address, uint8_t byte)
{
    uint64_t offset = address - run.start;
    if (run.size == 0 || offset >= run.read || offset >= run.size + MOST_BETWEEN) {
        end_run();
        begin_run(address);
        offset = 0;
    }
    if (run.read == 0) {
        run.failed = 1;
        return;
    }
    run.bytes[offset] = byte;
    if (offset >= run.size)
        run.size = (uint32_t)offset + 1;
}

int sonde_text_flush(void)
{
    end_run();
    int failed = run.failed;
    run.failed = 0;
    return failed ? -1 : 0;
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
