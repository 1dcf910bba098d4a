/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that block SIGTRAP: the kernel ends the process when one of them meets an int3. And who
   traces us: a debugger takes the signal for its own and lets the thread go on behind the int3.  */
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "kernel.h"
#include "trap.h"

/* How long a thread may block everything, as libc does while threads begin and end.  */
#define ROUNDS 50
#define ROUND_NS 2000000

/* The kernel's directory entry (getdents64(2)); libc's may differ.  */
struct directory_entry {
    uint64_t inode;
    int64_t offset;
    uint16_t length;
    uint8_t type;
    char name[];
};

/* The number that a directory entry's name spells, or 0 when it is none.  */
static int32_t number(const char *name)
{
    int64_t value = 0;
    for (int i = 0; name[i] != 0; i++) {
        if (name[i] < '0' || name[i] > '9' || i > 9)
            return 0;
        value = value * 10 + (name[i] - '0');
    }
    return value > INT32_MAX ? 0 : (int32_t)value;
}

static long read_status(int32_t tid, char *buffer, long capacity)
{
    char path[64] = "/proc/self/task/", digits[12];
    size_t length = strlen(path);
    int count = 0;
    for (int32_t rest = tid; rest > 0; rest /= 10)
        digits[count++] = (char)('0' + rest % 10);
    while (count > 0)
        path[length++] = digits[--count];
    memcpy(path + length, "/status", 8);
    long file = sonde_hit_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (file < 0)
        return 0;
    long bytes = sonde_hit_syscall(SYS_read, file, (long)buffer, capacity - 1, 0);
    sonde_hit_syscall(SYS_close, file, 0, 0, 0);
    buffer[bytes < 0 ? 0 : bytes] = 0;
    return bytes;
}

/* Whether the line SigBlk, hexadecimal digits, has the bit of SIGTRAP: 1 or 0. A thread that
   ended, or an answer that is not understood, blocks nothing.  */
static int blocks_traps(int32_t tid)
{
    char status[4096];
    if (read_status(tid, status, sizeof status) <= 0)
        return 0;
    const char *line = strstr(status, "\nSigBlk:");
    const char *end = line == 0 ? 0 : strchr(line + 1, '\n');
    if (end == 0 || end - line < 10)
        return 0;
    char digit = end[-2]; /* signals 5 to 8 */
    int value = digit >= 'a' ? digit - 'a' + 10 : digit - '0';
    return value & 1 && strstr(status, "\nState:\tZ") == 0;
}

/* The first thread that blocks SIGTRAP, or 0.  */
static int32_t first_blocked(void)
{
    _Alignas(8) char buffer[8192];
    int32_t found = 0;
    long file = sonde_hit_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/task",
                                  O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (file < 0)
        return 0;
    long bytes;
    while (found == 0 && (bytes = sonde_hit_syscall(SYS_getdents64, file, (long)buffer,
                                                    sizeof buffer, 0)) > 0) {
        for (long place = 0; place < bytes && found == 0;) {
            /* Safety: the kernel fills whole entries, 8-aligned, with lengths that end inside.  */
            const struct directory_entry *entry =
                (const struct directory_entry *)(buffer + place);
            int32_t tid = number(entry->name);
            if (tid > 0 && blocks_traps(tid))
                found = tid;
            place += entry->length;
        }
    }
    sonde_hit_syscall(SYS_close, file, 0, 0, 0);
    return found;
}

int32_t sonde_trap_blocked_thread(void)
{
    struct timespec pause = { 0, ROUND_NS };
    int32_t tid = first_blocked();
    for (int round = 0; tid != 0 && round < ROUNDS; round++) {
        sonde_hit_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0);
        if (blocks_traps(tid))
            continue;
        tid = first_blocked();
    }
    return tid;
}

int32_t sonde_trap_tracer(void)
{
    char status[4096];
    int32_t pid = (int32_t)sonde_hit_syscall(SYS_getpid, 0, 0, 0, 0);
    if (read_status(pid, status, sizeof status) <= 0)
        return 0;
    char *line = strstr(status, "\nTracerPid:\t");
    char *end = line == 0 ? 0 : strchr(line + 1, '\n');
    if (end == 0)
        return 0;
    *end = 0;
    return number(line + 12);
}
