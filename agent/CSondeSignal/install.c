/* SPDX-License-Identifier: Apache-2.0 */
/* Taking a signal, and giving it back so that nothing on its way can hurt.  */
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "machine.h"
#include "sonde_memory.h"
#include "state.h"

#define HWCAP2_FSGSBASE 2u
#define GIVE_BACK_MILLISECONDS 100

struct sonde_sig_state sonde_sig_state;

/* The signal in use, or 0, and what it did before.  */
static int used_signal;
static struct sigaction previous_action;

static int is_free(int signal)
{
    struct sigaction action;
    return sigaction(signal, 0, &action) == 0 && !(action.sa_flags & SA_SIGINFO) &&
           action.sa_handler == SIG_DFL;
}

/* Everything is blocked while we run, so that no handler of the host jumps out of ours: except
   what a fault raises, which the host's crash reporter has to see.  */
static void set_mask(sigset_t *mask)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
    unsigned char *bytes = (unsigned char *)mask;
    for (size_t i = 0; i < sizeof *mask; i++)
        bytes[i] = 0xff;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        bytes[(faults[i] - 1) / 8] &= (unsigned char)~(1u << ((faults[i] - 1) % 8));
}

static int take(int signal)
{
    struct sigaction action = { 0 };
    action.sa_sigaction = sonde_sig_handle;
    action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
    set_mask(&action.sa_mask);
    if (!is_free(signal) || sigaction(signal, &action, &previous_action) != 0)
        return 0;
    used_signal = signal;
    return 1;
}

/* SIGPROF first: debuggers let it pass, and they stop at real-time signals. Then real-time signals
   from the top, because programs take theirs from the bottom.  */
static int take_any(void)
{
    if (take(SIGPROF))
        return 1;
    for (int signal = SONDE_LAST_REAL_TIME - 1; signal > SONDE_FIRST_REAL_TIME; signal--)
        if (take(signal))
            return 1;
    return 0;
}

static void *reserve_memory(uint64_t bytes)
{
    long address = sonde_sig_syscall6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    /* Safety: the kernel returns an address or a small negative number.  */
    return address < 0 && address > -4096 ? 0 : (void *)address;
}

static uint64_t slots_bytes(void)
{
    return (uint64_t)SONDE_MAX_THREADS * sizeof(struct sonde_sig_slot);
}

static int prepare_memory(uint32_t shards)
{
    struct sonde_sig_state *state = &sonde_sig_state;
    if (state->slots == 0) {
        uint32_t count = 1;
        while (count < shards && count < SONDE_MAX_SHARDS)
            count *= 2;
        void *slots = reserve_memory(slots_bytes());
        void *rings = reserve_memory((uint64_t)count * sizeof(struct sonde_sig_shard));
        if (slots == 0 || rings == 0)
            return 0;
        state->slots = slots;
        state->shards = rings;
        state->shard_mask = count - 1;
    }
    /* Counters begin at zero.  */
    sonde_sig_syscall(SYS_madvise, (long)state->slots, (long)slots_bytes(), MADV_DONTNEED, 0);
    for (int loss = 0; loss < SONDE_LOSS_COUNT; loss++) {
        atomic_store_explicit(&state->lost_samples[loss], 0, memory_order_relaxed);
        atomic_store_explicit(&state->lost_ns[loss], 0, memory_order_relaxed);
    }
    /* A ring that a delayed handler of an earlier session still holds is left alone.  */
    for (uint32_t i = 0; i <= state->shard_mask; i++) {
        struct sonde_sig_shard *shard = &state->shards[i];
        if (atomic_load_explicit(&shard->busy, memory_order_acquire) == 0) {
            atomic_store_explicit(&shard->head, 0, memory_order_relaxed);
            atomic_store_explicit(&shard->tail, 0, memory_order_relaxed);
        }
    }
    return 1;
}

/* Throws away what a child of fork inherited: its threads, timers and handlers do not exist.  */
static void forget_parent(int32_t pid)
{
    struct sonde_sig_state *state = &sonde_sig_state;
    if (state->pid == 0 || state->pid == pid)
        return;
    if (sonde_owns_signal())
        sigaction(used_signal, &previous_action, 0);
    used_signal = 0;
    state->slots = 0;
    state->shards = 0;
    atomic_store_explicit(&state->session, 0, memory_order_relaxed);
}

enum sonde_status sonde_install(uint32_t shards, uint32_t max_depth, uint64_t hwcap2, int *signal)
{
    struct sonde_sig_state *state = &sonde_sig_state;
    int32_t pid = (int32_t)sonde_sig_syscall(SYS_getpid, 0, 0, 0, 0);
    forget_parent(pid);
    if (used_signal != 0)
        return SONDE_ALREADY_RUNNING;
    if (!prepare_memory(shards))
        return SONDE_NO_MEMORY;
    state->pid = pid;
    state->max_depth = max_depth == 0 ? 1 : max_depth;
    if (state->max_depth > SONDE_MAX_DEPTH)
        state->max_depth = SONDE_MAX_DEPTH;
    state->can_read = sonde_can_read_memory();
    state->has_fsgsbase = (hwcap2 & HWCAP2_FSGSBASE) != 0;
    if (!take_any())
        return SONDE_NO_FREE_SIGNAL;
    static uint32_t sessions;
    uint32_t session = (sessions++ * 0x9e37u + (uint32_t)sonde_sig_ticks()) & SONDE_SESSION_MASK;
    atomic_store_explicit(&state->session, session == 0 ? 1 : session, memory_order_release);
    *signal = used_signal;
    return SONDE_OK;
}

int sonde_used_signal(void)
{
    return used_signal;
}

int sonde_owns_signal(void)
{
    struct sigaction action;
    return used_signal != 0 && sigaction(used_signal, 0, &action) == 0 &&
           (action.sa_flags & SA_SIGINFO) && action.sa_sigaction == sonde_sig_handle;
}

enum sonde_status sonde_change_signal(int *signal)
{
    if (!take_any())
        return SONDE_NO_FREE_SIGNAL;
    *signal = used_signal;
    return SONDE_OK;
}

/* Waits until no handler holds ring SHARD, as long as *PATIENCE milliseconds are left.  */
static void settle(struct sonde_sig_shard *shard, int *patience)
{
    struct timespec pause = { 0, 1000000 };
    while (atomic_load_explicit(&shard->busy, memory_order_acquire) != 0 && *patience > 0) {
        sonde_sig_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0);
        *patience -= 1;
    }
}

void sonde_uninstall(void)
{
    struct sonde_sig_state *state = &sonde_sig_state;
    if (used_signal == 0)
        return;
    atomic_store_explicit(&state->session, 0, memory_order_release);
    if (sonde_owns_signal()) {
        /* Ignoring a signal discards it wherever it is pending, also where it is blocked; only
           then is it safe to give it back, because its default action ends the process.  */
        struct sigaction ignore = { 0 };
        ignore.sa_handler = SIG_IGN;
        sigaction(used_signal, &ignore, 0);
        sigaction(used_signal, &previous_action, 0);
    }
    used_signal = 0;
    int patience = GIVE_BACK_MILLISECONDS;
    for (uint32_t i = 0; i <= state->shard_mask; i++)
        settle(&state->shards[i], &patience);
}

void sonde_release_memory(void)
{
    struct sonde_sig_state *state = &sonde_sig_state;
    if (used_signal != 0 || state->shards == 0)
        return;
    for (uint32_t i = 0; i <= state->shard_mask; i++) {
        struct sonde_sig_shard *shard = &state->shards[i];
        if (atomic_load_explicit(&shard->busy, memory_order_acquire) == 0)
            sonde_sig_syscall(SYS_madvise, (long)shard, sizeof *shard, MADV_DONTNEED, 0);
    }
}
