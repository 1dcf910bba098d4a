/* SPDX-License-Identifier: Apache-2.0 */
/* SIGTRAP: the handler changes nothing but the program counter. A thread that met an int3 of ours
   goes on in a pad as if it had met a jump; so nothing else runs in signal context.  */
#include "trap.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "kernel.h"
#include "patch.h"

#define ENTRIES (1u << 17)
#define MOST_ENTRIES (ENTRIES / 4 * 3)
/* The processor's number for int3; siginfo's code cannot tell it from others.  */
#define BREAKPOINT_EXCEPTION 3

/* One address. TARGET is stored with release before ADDRESS; pairs with the acquire load of
   ADDRESS in find. An address never leaves the table; its target may change or become 0.  */
struct entry {
    _Atomic uint64_t address, target;
};

static struct entry *table;
static uint32_t used;
static _Atomic uint64_t taken, passed_on, retaken;
/* What the program had for SIGTRAP. Two, so that a handler may still read the old one while the
   new one is written. CURRENT is stored with release; pairs with the acquire load in pass_on.  */
static struct sigaction others[2];
static _Atomic uint32_t current;
static int installed;

SONDE_HIT_CONTEXT
static uint32_t first_place(uint64_t address)
{
    return (uint32_t)(address * 0x9e3779b97f4a7c15u >> (64 - 17));
}

/* HIT CONTEXT. The entry of ADDRESS, or the empty one where it would be.  */
SONDE_HIT_CONTEXT
static struct entry *find(uint64_t address)
{
    uint32_t place = first_place(address);
    for (;;) {
        struct entry *entry = &table[place];
        uint64_t there = atomic_load_explicit(&entry->address, memory_order_acquire);
        if (there == address || there == 0)
            return entry;
        place = (place + 1) & (ENTRIES - 1);
    }
}

/* HIT CONTEXT. What the kernel does by default: the process ends by SIGTRAP.  */
SONDE_HIT_CONTEXT
static void end_by_default(void)
{
    struct {
        uint64_t handler, flags, restorer, mask;
    } action = { 0 };
    sonde_hit_syscall(SYS_rt_sigaction, SIGTRAP, (long)&action, 0, 8);
    long pid = sonde_hit_syscall(SYS_getpid, 0, 0, 0, 0);
    long tid = sonde_hit_syscall(SYS_gettid, 0, 0, 0, 0);
    uint64_t mask = (uint64_t)1 << (SIGTRAP - 1);
    sonde_hit_syscall(SYS_tgkill, pid, tid, SIGTRAP, 0);
    sonde_hit_syscall(SYS_rt_sigprocmask, SIG_UNBLOCK, (long)&mask, 0, 8);
}

/* HIT CONTEXT. Does with a signal that is not ours what would have happened without us.  */
SONDE_HIT_CONTEXT
static void pass_on(int signal, siginfo_t *info, void *context)
{
    atomic_fetch_add_explicit(&passed_on, 1, memory_order_relaxed);
    uint32_t which = atomic_load_explicit(&current, memory_order_acquire);
    const struct sigaction *action = &others[which & 1];
    int has_info = (action->sa_flags & SA_SIGINFO) != 0;
    if (!has_info && action->sa_handler == SIG_IGN && info->si_code <= 0)
        return; /* sent by somebody; what the processor raises cannot be ignored */
    if (!has_info && (action->sa_handler == SIG_DFL || action->sa_handler == SIG_IGN)) {
        end_by_default();
        return;
    }
    /* The signals that the program wants blocked meanwhile, but never SIGTRAP: the kernel ends a
       process that meets an int3 with SIGTRAP blocked. Our return restores the mask.  */
    uint64_t mask;
    __builtin_memcpy(&mask, &action->sa_mask, sizeof mask);
    mask &= ~((uint64_t)1 << (SIGTRAP - 1));
    sonde_hit_syscall(SYS_rt_sigprocmask, SIG_BLOCK, (long)&mask, 0, 8);
    if (has_info)
        action->sa_sigaction(signal, info, context);
    else
        action->sa_handler(signal);
}

/* HIT CONTEXT. The handler.  */
SONDE_HIT_CONTEXT
static void sonde_hit_trap(int signal, siginfo_t *info, void *context)
{
    ucontext_t *interrupted = context;
    greg_t *registers = interrupted->uc_mcontext.gregs;
    if (info->si_code == SI_KERNEL && registers[REG_TRAPNO] == BREAKPOINT_EXCEPTION) {
        uint64_t address = (uint64_t)registers[REG_RIP] - 1;
        struct entry *entry = find(address);
        uint64_t target = atomic_load_explicit(&entry->target, memory_order_acquire);
        if (atomic_load_explicit(&entry->address, memory_order_acquire) == address &&
            target != 0) {
            registers[REG_RIP] = (greg_t)target;
            atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);
            return;
        }
    }
    pass_on(signal, info, context);
}

static int is_ours(const struct sigaction *action)
{
    return (action->sa_flags & SA_SIGINFO) && action->sa_sigaction == sonde_hit_trap;
}

int sonde_trap_install(void)
{
    if (table == 0) {
        void *memory = mmap(0, ENTRIES * sizeof(struct entry), PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
            return SONDE_PATCH_NO_MEMORY;
        table = memory;
    }
    uint32_t next = atomic_load_explicit(&current, memory_order_relaxed) + 1;
    struct sigaction *there = &others[next & 1];
    if (sigaction(SIGTRAP, 0, there) != 0)
        return SONDE_PATCH_NO_HANDLER;
    if (is_ours(there))
        return SONDE_PATCH_OK;
    atomic_store_explicit(&current, next, memory_order_release);
    struct sigaction action = { 0 };
    action.sa_sigaction = sonde_hit_trap;
    /* On the alternate stack if the thread has one: a signal's frame is 3 KiB. Not blocking itself:
       the program's handler that is called from ours may meet an int3.  */
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
    if (sigaction(SIGTRAP, &action, 0) != 0)
        return SONDE_PATCH_NO_HANDLER;
    if (installed)
        atomic_fetch_add_explicit(&retaken, 1, memory_order_relaxed);
    installed = 1;
    return SONDE_PATCH_OK;
}

int sonde_trap_set(uint64_t address, uint64_t target)
{
    struct entry *entry = find(address);
    int is_new = atomic_load_explicit(&entry->address, memory_order_relaxed) == 0;
    if (is_new && used >= MOST_ENTRIES)
        return -1;
    used += (uint32_t)is_new;
    atomic_store_explicit(&entry->target, target, memory_order_release);
    atomic_store_explicit(&entry->address, address, memory_order_release);
    return 0;
}

void sonde_trap_forget(uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; table != 0 && i < ENTRIES; i++) {
        uint64_t address = atomic_load_explicit(&table[i].address, memory_order_relaxed);
        if (address >= start && address < end)
            atomic_store_explicit(&table[i].target, 0, memory_order_release);
    }
}

uint32_t sonde_trap_unblock_handlers(void)
{
    uint32_t changed = 0;
    for (int signal = 1; signal <= 64; signal++) {
        struct sigaction action;
        if (signal == SIGTRAP || sigaction(signal, 0, &action) != 0)
            continue;
        int has_handler = (action.sa_flags & SA_SIGINFO) ||
                          (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
        if (!has_handler || sigismember(&action.sa_mask, SIGTRAP) != 1)
            continue;
        sigdelset(&action.sa_mask, SIGTRAP);
        changed += sigaction(signal, &action, 0) == 0;
    }
    return changed;
}

uint64_t sonde_traps_taken(void)
{
    return atomic_load_explicit(&taken, memory_order_relaxed);
}

uint64_t sonde_traps_passed_on(void)
{
    return atomic_load_explicit(&passed_on, memory_order_relaxed);
}

uint64_t sonde_traps_retaken(void)
{
    return atomic_load_explicit(&retaken, memory_order_relaxed);
}
