/* SPDX-License-Identifier: Apache-2.0 */
/* Plain loads that may fail: of pages that were readable a moment ago, and recovered from when they
   are not any more. Why this is safe enough: docs/decisions/0008-reading-at-a-hit.md.  */
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "machine_state.h"

#define PAGE_BITS 12u
#define TABLE_BITS 10u
/* A unit of time is 2^26 ticks, 20 to 40 ms; a page is believed in for so many.  */
#define UNIT_BITS 26u
#define TIME_BITS 29u
#define FRESH_UNITS 8u
#define LAST_PAGE (((uint64_t)1 << 35) - 1)

/* As the kernel has it.  */
struct kernel_action {
    uint64_t handler, flags, restorer, mask;
};

/* Pages and when they were read: 35 bits of page, 29 of time. Relaxed: an entry is one word, and a
   wrong one costs a fault that is recovered from.  */
static _Atomic uint64_t pages[1u << TABLE_BITS];
/* What the program had for SIGSEGV and SIGBUS, since before ours.  */
static struct kernel_action earlier[2];
static const int signals[2] = { SIGSEGV, SIGBUS };
static int has_signals;
static _Atomic uint64_t recovered;

static void sonde_hit_fault(int signal, siginfo_t *info, void *context);

/* Copies RDX bytes from RSI to RDI. Returns 0, or 1 when a page on the way is not there. Touches no
   stack, so that the handler can let it go on at its end from anywhere.  */
__asm__(".pushsection sonde_text,\"ax\",@progbits\n"
        ".balign 16\n"
        ".globl sonde_hit_try_copy\n"
        ".hidden sonde_hit_try_copy\n"
        ".type sonde_hit_try_copy, @function\n"
        "sonde_hit_try_copy:\n\t"
        ".cfi_startproc\n\t"
        "jmp 2f\n"
        "1:\t"
        "movq (%rsi), %rax\n\t"
        "movq %rax, (%rdi)\n\t"
        "addq $8, %rsi\n\t"
        "addq $8, %rdi\n\t"
        "subq $8, %rdx\n"
        "2:\t"
        "cmpq $8, %rdx\n\t"
        "jae 1b\n\t"
        "jmp 4f\n"
        "3:\t"
        "movb (%rsi), %al\n\t"
        "movb %al, (%rdi)\n\t"
        "incq %rsi\n\t"
        "incq %rdi\n\t"
        "decq %rdx\n"
        "4:\t"
        "testq %rdx, %rdx\n\t"
        "jnz 3b\n\t"
        "xorl %eax, %eax\n\t"
        "ret\n"
        ".globl sonde_hit_copy_failed\n"
        ".hidden sonde_hit_copy_failed\n"
        "sonde_hit_copy_failed:\n\t"
        "movl $1, %eax\n\t"
        "ret\n\t"
        ".cfi_endproc\n"
        ".size sonde_hit_try_copy, . - sonde_hit_try_copy\n"
        ".popsection\n");

int sonde_hit_try_copy(void *to, uint64_t from, uint64_t count);
extern const char sonde_hit_copy_failed[];

/* HIT CONTEXT. Calls what the program had before us, for a handler that was put in front of ours and
   calls it. Returns 0 when there was none.  */
SONDE_MACHINE_CONTEXT
static int call_earlier(int signal, siginfo_t *info, void *context)
{
    const struct kernel_action *action = &earlier[signal == SIGBUS];
    if (action->handler <= 1 /* SIG_DFL, SIG_IGN */)
        return 0;
    /* Safety: the kernel would have called it so.  */
    if (action->flags & SA_SIGINFO)
        ((void (*)(int, siginfo_t *, void *))action->handler)(signal, info, context);
    else
        ((void (*)(int))action->handler)(signal);
    return 1;
}

/* HIT CONTEXT. Lets the program's own handler have a signal that is not ours, now and for ever: it
   is put back, and the fault happens again.  */
SONDE_MACHINE_CONTEXT
static void give_way(int signal, siginfo_t *info, void *context)
{
    atomic_store_explicit(&sonde_machine.direct, 0, memory_order_relaxed);
    struct kernel_action now = { 0 };
    sonde_hit_syscall(SYS_rt_sigaction, signal, 0, (long)&now, 8);
    if (now.handler != (uint64_t)sonde_hit_fault && call_earlier(signal, info, context))
        return;
    sonde_hit_syscall(SYS_rt_sigaction, signal, (long)&earlier[signal == SIGBUS], 0, 8);
    if (info->si_code > 0)
        return;
    /* Sent by somebody: it would not happen again.  */
    long pid = sonde_hit_syscall(SYS_getpid, 0, 0, 0, 0);
    long tid = sonde_hit_syscall(SYS_gettid, 0, 0, 0, 0);
    sonde_hit_syscall(SYS_rt_tgsigqueueinfo, pid, tid, signal, (long)info);
}

/* HIT CONTEXT. The handler of both signals.  */
SONDE_MACHINE_CONTEXT
static void sonde_hit_fault(int signal, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    greg_t *registers = interrupted->uc_mcontext.gregs;
    uint64_t start = (uint64_t)sonde_hit_try_copy;
    uint64_t place = (uint64_t)registers[REG_RIP];
    if (info->si_code > 0 && place - start < (uint64_t)sonde_hit_copy_failed - start) {
        registers[REG_RIP] = (greg_t)(uint64_t)sonde_hit_copy_failed;
        sonde_hit_count(&recovered);
    } else {
        give_way(signal, info, context);
    }
}

SONDE_MACHINE_CONTEXT
static uint64_t entry_of(struct sonde_run *run, uint64_t page)
{
    if (run->now == 0)
        run->now = sonde_hit_ticks();
    return page << TIME_BITS | (run->now >> UNIT_BITS & (((uint64_t)1 << TIME_BITS) - 1));
}

SONDE_MACHINE_CONTEXT
static _Atomic uint64_t *place_of(uint64_t page)
{
    return &pages[page * 0x9e3779b97f4a7c15u >> (64 - TABLE_BITS)];
}

/* HIT CONTEXT. Whether this thread lets both signals through; asked about once a second.  */
SONDE_MACHINE_CONTEXT
static int lets_signals_through(struct sonde_run *run)
{
    struct sonde_machine_thread *thread = &sonde_machine_thread;
    if (run->now == 0)
        run->now = sonde_hit_ticks();
    if (run->now - thread->mask_read_at < sonde_machine.ticks_per_second)
        return thread->lets_signals_through;
    uint64_t mask = 0, wanted = (uint64_t)1 << (SIGSEGV - 1) | (uint64_t)1 << (SIGBUS - 1);
    long status = sonde_hit_syscall(SYS_rt_sigprocmask, SIG_BLOCK, 0, (long)&mask, 8);
    thread->mask_read_at = run->now;
    thread->lets_signals_through = status == 0 && (mask & wanted) == 0;
    return thread->lets_signals_through;
}

SONDE_MACHINE_CONTEXT
int sonde_hit_read_directly(struct sonde_run *run, void *to, uint64_t address, uint64_t count)
{
    uint64_t page = address >> PAGE_BITS, last = (address + count - 1) >> PAGE_BITS;
    if (!atomic_load_explicit(&sonde_machine.direct, memory_order_relaxed) || !run->is_own_stack ||
        last > LAST_PAGE || page > last || !lets_signals_through(run))
        return -1;
    for (uint64_t i = page; i <= last; i++) {
        /* The page must be the same, and its time not long ago: both are one comparison.  */
        uint64_t known = atomic_load_explicit(place_of(i), memory_order_relaxed);
        if (entry_of(run, i) - known > FRESH_UNITS)
            return -1;
    }
    if (sonde_hit_try_copy(to, address, count) == 0)
        return 0;
    for (uint64_t i = page; i <= last; i++)
        atomic_store_explicit(place_of(i), 0, memory_order_relaxed);
    return -1;
}

SONDE_MACHINE_CONTEXT
void sonde_hit_note_readable(struct sonde_run *run, uint64_t address, uint64_t count)
{
    if (!atomic_load_explicit(&sonde_machine.direct, memory_order_relaxed))
        return;
    uint64_t page = address >> PAGE_BITS, last = (address + count - 1) >> PAGE_BITS;
    for (uint64_t i = page; i <= last && i <= LAST_PAGE; i++)
        atomic_store_explicit(place_of(i), entry_of(run, i), memory_order_relaxed);
}

static int is_ours(const struct kernel_action *action)
{
    return action->handler == (uint64_t)sonde_hit_fault;
}

/* Whether both signals lead to us.  */
static int owns_signals(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        struct kernel_action action = { 0 };
        if (sonde_hit_syscall(SYS_rt_sigaction, signals[i], 0, (long)&action, 8) != 0 ||
            !is_ours(&action))
            return 0;
    }
    return 1;
}

int sonde_machine_use_direct_reads(void)
{
    if (!has_signals) {
        for (uint32_t i = 0; i < 2; i++) {
            sonde_hit_syscall(SYS_rt_sigaction, signals[i], 0, (long)&earlier[i], 8);
            struct sigaction action = { 0 };
            action.sa_sigaction = sonde_hit_fault;
            /* Not blocking itself: what it gives way to happens at its return.  */
            action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
            if (sigaction(signals[i], &action, 0) != 0)
                return 0;
        }
        has_signals = 1;
    }
    /* Once somebody else has wanted one of the signals, it is theirs.  */
    uint32_t direct = (uint32_t)owns_signals();
    atomic_store_explicit(&sonde_machine.direct, direct, memory_order_relaxed);
    return (int)direct;
}

int sonde_machine_check_direct_reads(void)
{
    if (atomic_load_explicit(&sonde_machine.direct, memory_order_relaxed) && !owns_signals())
        atomic_store_explicit(&sonde_machine.direct, 0, memory_order_relaxed);
    return (int)atomic_load_explicit(&sonde_machine.direct, memory_order_relaxed);
}

void sonde_machine_end_direct_reads(void)
{
    atomic_store_explicit(&sonde_machine.direct, 0, memory_order_relaxed);
    if (has_signals && owns_signals())
        for (uint32_t i = 0; i < 2; i++)
            sonde_hit_syscall(SYS_rt_sigaction, signals[i], (long)&earlier[i], 0, 8);
    has_signals = 0;
}

uint64_t sonde_machine_recovered_reads(void)
{
    return atomic_load_explicit(&recovered, memory_order_relaxed);
}
