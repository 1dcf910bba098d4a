/* SPDX-License-Identifier: Apache-2.0 */
/* Reads at a hit: plain loads on the thread's own stack, process_vm_readv everywhere else.  */
#include <sys/syscall.h>
#include <sys/uio.h>

#include "machine_state.h"

#define PAGE 4096u
#define PAGES_A_CALL 32u
/* A first hit deeper than this below the stack's top reads the stack with guarded reads.  */
#define LONGEST_STACK ((uint64_t)1 << 20)

_Thread_local struct sonde_machine_thread sonde_machine_thread;

/* HIT CONTEXT. Reads foreign memory; returns the bytes copied, or less than 1.  */
SONDE_MACHINE_CONTEXT
static int64_t read_self(struct sonde_run *run, void *buffer, uint64_t address, uint64_t count)
{
    if (!sonde_machine.reads_memory)
        return -1;
    if (sonde_hit_read_directly(run, buffer, address, count) == 0)
        return (int64_t)count;
    struct iovec local = { buffer, count };
    /* Safety: the kernel reads ADDRESS, this process never does.  */
    struct iovec remote = { (void *)address, count };
    int64_t copied = sonde_hit_syscall6(SYS_process_vm_readv, sonde_machine.pid, (long)&local, 1,
                                        (long)&remote, 1, 0);
    if (copied > 0)
        sonde_hit_note_readable(run, address, (uint64_t)copied);
    return copied;
}

/* HIT CONTEXT. Whether a byte of each page of [LOW, HIGH) can be read.  */
SONDE_MACHINE_CONTEXT
static int pages_are_readable(uint64_t low, uint64_t high)
{
    struct iovec remote[PAGES_A_CALL];
    uint8_t bytes[PAGES_A_CALL];
    while (low < high) {
        uint32_t count = 0;
        for (; count < PAGES_A_CALL && low < high; count++, low += PAGE) {
            remote[count].iov_base = (void *)low;
            remote[count].iov_len = 1;
        }
        struct iovec local = { bytes, count };
        if (sonde_hit_syscall6(SYS_process_vm_readv, sonde_machine.pid, (long)&local, 1,
                               (long)remote, count, 0) != count)
            return 0;
    }
    return 1;
}

/* HIT CONTEXT. The top of the stack that RSP may be on, or 0. libc puts a thread's control block
   at its stack's top, and every stack of libc has an unreadable page below it; the main stack has a
   gap below it. So if nothing in between is unreadable, it is that stack, and while the thread
   runs on it, it stays.  */
SONDE_MACHINE_CONTEXT
static uint64_t stack_top(uint64_t rsp)
{
    uint64_t block;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(block));
    block &= ~(uint64_t)7;
    if (block > rsp && block - rsp < LONGEST_STACK)
        return block;
    uint64_t main_stack = sonde_machine.main_stack & ~(uint64_t)7;
    if (main_stack > rsp && main_stack - rsp < LONGEST_STACK)
        return main_stack;
    return 0;
}

SONDE_MACHINE_CONTEXT
void sonde_hit_find_stack(struct sonde_run *run, uint64_t rsp)
{
    struct sonde_machine_thread *thread = &sonde_machine_thread;
    if (rsp - thread->stack_low >= thread->stack_high - thread->stack_low) {
        /* Safety: what is vouched for is the window itself, so that the check needs no flag.  */
        run->stack_low = (uint64_t)run->window;
        run->stack_last = 0;
        run->is_own_stack = 0;
        uint64_t page = rsp & ~(uint64_t)(PAGE - 1);
        if (thread->refused_page == page || !sonde_machine.reads_memory)
            return;
        uint64_t top = stack_top(rsp);
        if (top == 0 || !pages_are_readable(page, top)) {
            thread->refused_page = page;
            return;
        }
        thread->stack_low = page;
        thread->stack_high = top;
    }
    run->is_own_stack = 1;
    run->stack_low = thread->stack_low;
    run->stack_last = thread->stack_high - thread->stack_low - 8;
}

SONDE_MACHINE_CONTEXT
const uint8_t *sonde_hit_view(struct sonde_run *run, uint64_t address, uint64_t want,
                              uint64_t *available)
{
    if (want > SONDE_WINDOW_BYTES)
        want = SONDE_WINDOW_BYTES;
    uint64_t into = address - run->stack_low;
    if (into <= run->stack_last) {
        uint64_t rest = run->stack_last + 8 - into;
        *available = want < rest ? want : rest;
        /* Safety: inside the stack that was vouched for.  */
        return (const uint8_t *)address;
    }
    into = address - run->window_low;
    if (into >= run->window_size || (run->window_size - into < want && into != 0)) {
        /* Some bytes before it, in the same page, often belong to the same object.  */
        uint64_t low = address & ~(uint64_t)63;
        int64_t copied = read_self(run, run->window, low, SONDE_WINDOW_BYTES);
        run->window_low = low;
        run->window_size = copied > 0 ? (uint64_t)copied : 0;
        into = address - low;
        if (into < run->window_size && run->window_size - into < want &&
            run->window_size == SONDE_WINDOW_BYTES) {
            copied = read_self(run, run->window, address, SONDE_WINDOW_BYTES);
            run->window_low = address;
            run->window_size = copied > 0 ? (uint64_t)copied : 0;
            into = 0;
        }
        if (into >= run->window_size) {
            run->window_size = 0;
            run->fault_detail = address;
            return 0;
        }
    }
    uint64_t rest = run->window_size - into;
    *available = want < rest ? want : rest;
    return run->window + into;
}

SONDE_MACHINE_CONTEXT
int sonde_hit_read(struct sonde_run *run, uint64_t address, uint8_t *to, uint64_t count)
{
    if (count > SONDE_WINDOW_BYTES / 2) {
        uint64_t into = address - run->stack_low;
        if (into <= run->stack_last && run->stack_last + 8 - into >= count) {
            sonde_hit_copy(to, (const uint8_t *)address, count);
            return 0;
        }
        int64_t copied = read_self(run, to, address, count);
        if (copied == (int64_t)count)
            return 0;
        run->fault_detail = address + (copied > 0 ? (uint64_t)copied : 0);
        return -1;
    }
    while (count > 0) {
        uint64_t available;
        const uint8_t *bytes = sonde_hit_view(run, address, count, &available);
        if (bytes == 0)
            return -1;
        sonde_hit_copy(to, bytes, available);
        address += available, to += available, count -= available;
    }
    return 0;
}

SONDE_MACHINE_CONTEXT
int sonde_hit_load_slow(struct sonde_run *run, uint64_t address, uint32_t bytes, uint64_t *value)
{
    uint64_t word = 0;
    uint64_t into = address - run->window_low;
    if (into < run->window_size && run->window_size - into >= bytes)
        sonde_hit_copy((uint8_t *)&word, run->window + into, bytes);
    else if (sonde_hit_read(run, address, (uint8_t *)&word, bytes) != 0) {
        run->fault_detail = address;
        return -1;
    }
    *value = word;
    return 0;
}
