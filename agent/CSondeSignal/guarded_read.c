/* SPDX-License-Identifier: Apache-2.0 */
/* Reads of memory that may not be there: process_vm_readv on ourselves, never a load.  */
#include "sonde_memory.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "machine.h"
#include "state.h"

/* SIGNAL CONTEXT. One process_vm_readv on process PID, which is this one.  */
SONDE_SIGNAL_CONTEXT
static int64_t read_self(int32_t pid, void *buffer, uint64_t address, size_t count)
{
    struct iovec local = { buffer, count };
    /* Safety: the kernel reads ADDRESS, this process never does.  */
    struct iovec remote = { (void *)address, count };
    return sonde_sig_syscall6(SYS_process_vm_readv, pid, (long)&local, 1, (long)&remote, 1, 0);
}

SONDE_SIGNAL_CONTEXT
int sonde_sig_read_guarded(void *context, uint64_t address, uint64_t words[2])
{
    struct sonde_sig_shard *shard = context;
    uint64_t into = address - shard->window_low;
    if (into >= shard->window_size || shard->window_size - into < 16) {
        int32_t pid = sonde_sig_state.pid;
        /* As much as the window holds saves calls, but less may be mapped.  */
        int64_t copied = read_self(pid, shard->window, address, sizeof shard->window);
        if (copied < 16)
            copied = read_self(pid, shard->window, address, 16);
        if (copied < 16) {
            shard->window_size = 0;
            return -1;
        }
        shard->window_low = address;
        shard->window_size = (uint64_t)copied;
        into = 0;
    }
    /* Safety: 16 bytes from INTO lie inside the window, as was just checked.  */
    __builtin_memcpy(words, (const unsigned char *)shard->window + into, 16);
    return 0;
}

int64_t sonde_read_memory(void *buffer, uint64_t address, size_t count)
{
    int32_t pid = (int32_t)sonde_sig_syscall(SYS_getpid, 0, 0, 0, 0);
    int64_t copied = read_self(pid, buffer, address, count);
    return copied < 0 ? -1 : copied;
}

/* Makes the call in a child that ends at once, all in registers. The child has a copy of our
   memory, not the memory itself: before Linux 5.16 the core dump of a process that a filter kills
   took everyone who shares its memory along. It has no exit signal, so that the host's SIGCHLD
   handler and its wait() never see it.  */
static int child_can_read(const struct iovec *local, const struct iovec *remote)
{
    long child = SYS_clone;
    register long r10 __asm__("r10") = 0;
    register long r8 __asm__("r8") = 0;
    register long r12 __asm__("r12") = (long)local;
    register long r13 __asm__("r13") = (long)remote;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "mov %[getpid], %%eax\n\t"
                     "syscall\n\t"
                     "mov %%rax, %%rdi\n\t"
                     "mov %%r12, %%rsi\n\t"
                     "mov $1, %%edx\n\t"
                     "mov %%r13, %%r10\n\t"
                     "mov $1, %%r8d\n\t"
                     "xor %%r9d, %%r9d\n\t"
                     "mov %[read], %%eax\n\t"
                     "syscall\n\t"
                     "xor %%edi, %%edi\n\t"
                     "cmp $8, %%rax\n\t"
                     "setne %%dil\n\t"
                     "mov %[exit], %%eax\n\t"
                     "syscall\n\t"
                     "1:"
                     : "+a"(child), "+r"(r10), "+r"(r8)
                     : "D"(0L), "S"(0L), "d"(0L), "r"(r12), "r"(r13), [getpid] "i"(SYS_getpid),
                       [read] "i"(SYS_process_vm_readv), [exit] "i"(SYS_exit)
                     : "rcx", "r9", "r11", "memory");
    if (child <= 0)
        return 0;
    int status = 0;
    long waited;
    do
        waited = sonde_sig_syscall(SYS_wait4, child, (long)&status, (long)__WALL, 0);
    while (waited == -4 /* EINTR */);
    return waited == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int sonde_can_read_memory(void)
{
    uint64_t from = 0x5a5a5a5a5a5a5a5a, to = 0;
    int32_t pid = (int32_t)sonde_sig_syscall(SYS_getpid, 0, 0, 0, 0);
    struct iovec local = { &to, sizeof to };
    struct iovec remote = { &from, sizeof from };
    if (sonde_sig_syscall(SYS_prctl, PR_GET_SECCOMP, 0, 0, 0) != 0 &&
        !child_can_read(&local, &remote))
        return 0;
    return read_self(pid, &to, (uint64_t)&from, sizeof from) == (int64_t)sizeof from && to == from;
}
