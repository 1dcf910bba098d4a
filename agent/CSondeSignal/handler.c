/* SPDX-License-Identifier: Apache-2.0 */
/* The signal handler: one sample of the interrupted thread, into a ring. Uses no libc function,
   no thread-local storage and about 350 bytes of stack.  */
#include <signal.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "machine.h"
#include "state.h"

/* Bytes of text looked at on each side of the program counter.  */
#define CODE_BEFORE 8u
#define CODE_AFTER 8u
#define ARCH_GET_FS 0x1003

/* SIGNAL CONTEXT. Adds to a counter that only this thread writes, without a locked instruction.  */
SONDE_SIGNAL_CONTEXT
static void add(_Atomic uint64_t *counter, uint64_t value)
{
    uint64_t old = atomic_load_explicit(counter, memory_order_relaxed);
    atomic_store_explicit(counter, old + value, memory_order_relaxed);
}

/* SIGNAL CONTEXT. Counts a loss; relaxed, because each counter stands on its own.  */
SONDE_SIGNAL_CONTEXT
static void lose(enum sonde_loss loss, uint64_t periods, uint64_t weight_ns)
{
    struct sonde_sig_state *state = &sonde_sig_state;
    atomic_fetch_add_explicit(&state->lost_samples[loss], periods, memory_order_relaxed);
    atomic_fetch_add_explicit(&state->lost_ns[loss], weight_ns, memory_order_relaxed);
}

/* SIGNAL CONTEXT. The thread pointer: it lies at the top of a glibc thread's stack.  */
SONDE_SIGNAL_CONTEXT
static uint64_t thread_pointer(void)
{
    uint64_t fs = 0;
    if (sonde_sig_state.has_fsgsbase)
        __asm__ volatile("rdfsbase %0" : "=r"(fs));
    else
        sonde_sig_syscall(SYS_arch_prctl, ARCH_GET_FS, (long)&fs, 0, 0);
    return fs;
}

/* SIGNAL CONTEXT. Lets the walk look at the text around PC where that is known to be readable.  */
SONDE_SIGNAL_CONTEXT
static void find_code(uint64_t pc, struct sonde_sig_memory *memory)
{
    struct sonde_sig_state *state = &sonde_sig_state;
    uint32_t current = atomic_load_explicit(&state->text_current, memory_order_acquire);
    const struct sonde_sig_text *text = &state->texts[current & 1];
    uint32_t low = 0, high = text->count <= SONDE_TEXT_RANGES ? text->count : 0;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (pc >= text->pairs[middle * 2 + 1])
            low = middle + 1;
        else
            high = middle;
    }
    if (low >= text->count || low >= SONDE_TEXT_RANGES)
        return;
    uint64_t start = text->pairs[low * 2], limit = text->pairs[low * 2 + 1];
    if (pc < start || pc >= limit)
        return;
    uint64_t before = pc - start < CODE_BEFORE ? pc - start : CODE_BEFORE;
    uint64_t after = limit - pc < CODE_AFTER ? limit - pc : CODE_AFTER;
    /* Safety: PC lies in a readable segment, and the thread executes there right now.  */
    memory->code = (const unsigned char *)(pc - before);
    memory->code_size = (uint32_t)(before + after);
    memory->code_offset = (uint32_t)before;
}

/* SIGNAL CONTEXT. Says what may be read: plain loads inside the thread's own verified stack, and
   guarded reads anywhere else, until the helper thread has verified where this stack ends.  */
SONDE_SIGNAL_CONTEXT
static void find_stack(struct sonde_sig_slot *slot, uint64_t sp, struct sonde_sig_shard *shard,
                       struct sonde_sig_memory *memory)
{
    uint64_t low = atomic_load_explicit(&slot->stack_low, memory_order_acquire);
    uint64_t high = atomic_load_explicit(&slot->stack_high, memory_order_relaxed);
    if (sp >= low && sp < high) {
        /* Safety: this thread runs in [low, high), which stays mapped while it does.  */
        memory->low = sp;
        memory->high = high;
        memory->limit = high;
        memory->bytes = (const unsigned char *)sp;
        return;
    }
    uint64_t fs = thread_pointer();
    atomic_store_explicit(&slot->wanted_fs, fs, memory_order_relaxed);
    atomic_store_explicit(&slot->wanted_sp, sp, memory_order_release);
    /* No frame of this stack lies above the thread's control block.  */
    memory->limit = sp < fs ? fs : UINT64_MAX;
    if (sonde_sig_state.can_read) {
        shard->window_size = 0;
        memory->read = sonde_sig_read_guarded;
        memory->context = shard;
    }
}

/* SIGNAL CONTEXT. Captures the interrupted thread's stack into a ring. Returns 0, or -1 and sets
   *LOSS.  */
SONDE_SIGNAL_CONTEXT
static int capture(const ucontext_t *context, struct sonde_sig_slot *slot,
                   struct sonde_sample *sample, enum sonde_loss *loss)
{
    uint32_t capacity = sonde_sig_state.max_depth;
    uint64_t *frames;
    struct sonde_sig_shard *shard = sonde_sig_ring_take(sample->slot, capacity, &frames, loss);
    if (shard == 0)
        return -1;
    const greg_t *registers = context->uc_mcontext.gregs;
    struct sonde_sig_registers start = {
        .pc = (uint64_t)registers[REG_RIP],
        .sp = (uint64_t)registers[REG_RSP],
        .fp = (uint64_t)registers[REG_RBP],
    };
    struct sonde_sig_memory memory = { 0 };
    find_stack(slot, start.sp, shard, &memory);
    find_code(start.pc, &memory);
    enum sonde_sig_end end;
    sample->depth = sonde_sig_unwind(&start, &memory, frames, capacity, &end);
    sample->end = end;
    sonde_sig_ring_commit(shard, sample);
    sonde_sig_ring_give(shard);
    return 0;
}

SONDE_SIGNAL_CONTEXT
void sonde_sig_handle(int signal, siginfo_t *info, void *context)
{
    uint64_t began = sonde_sig_ticks();
    (void)signal;
    if (info->si_code != SI_TIMER) {
        lose(SONDE_LOSS_FOREIGN, 1, 0);
        return;
    }
    uint64_t value = (uint64_t)info->si_value.sival_ptr;
    uint64_t period_ns = value & 0x3fffffff;
    uint32_t number = (uint32_t)(value >> 30 & 0xffff);
    uint32_t session = (uint32_t)(value >> 46);
    uint64_t periods = info->si_overrun < 0 ? 1 : (uint64_t)info->si_overrun + 1;
    uint64_t weight_ns = periods * period_ns;
    struct sonde_sig_state *state = &sonde_sig_state;
    uint32_t current = atomic_load_explicit(&state->session, memory_order_acquire);
    if (current == 0 || session != current || number >= SONDE_MAX_THREADS) {
        lose(SONDE_LOSS_STALE, periods, 0);
        return;
    }
    struct sonde_sig_slot *slot = &state->slots[number];
    struct sonde_sample sample = {
        .weight_ns = weight_ns,
        .slot = number,
        .periods = periods > UINT32_MAX ? UINT32_MAX : (uint32_t)periods,
    };
    enum sonde_loss loss;
    if (capture(context, slot, &sample, &loss) == 0) {
        add(&slot->samples, 1);
        add(&slot->sampled_ns, weight_ns);
    } else {
        lose(loss, periods, weight_ns);
    }
    add(&slot->handler_ticks, sonde_sig_ticks() - began);
}
