/* SPDX-License-Identifier: Apache-2.0 */
/* Starting the machine, its clock, probes and what they counted. Ordinary context.  */
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "machine_state.h"

struct sonde_machine sonde_machine;

static int64_t clock_ns(long clock)
{
    struct timespec time = { 0, 0 };
    sonde_hit_syscall(SYS_clock_gettime, clock, (long)&time, 0, 0);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void *sonde_machine_pages(uint64_t bytes)
{
    long address = sonde_hit_syscall6(SYS_mmap, 0, (long)bytes, PROT_READ | PROT_WRITE,
                                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return address < 0 && address > -4096 ? 0 : (void *)address;
}

void sonde_machine_give_pages(void *pages, uint64_t bytes)
{
    sonde_hit_syscall(SYS_munmap, (long)pages, (long)bytes, 0, 0);
}

/* A bucket for RATE events of PER_SECOND ticks, BURST of them at once.  */
static void set_bucket(struct sonde_bucket *bucket, uint64_t rate, uint64_t burst)
{
    uint64_t second = sonde_machine.ticks_per_second;
    bucket->interval = rate == 0 ? second : (second + rate - 1) / rate;
    if (rate == 0 || __builtin_mul_overflow(bucket->interval, burst, &bucket->tolerance) ||
        bucket->tolerance > UINT64_MAX / 4)
        bucket->tolerance = rate == 0 ? 0 : UINT64_MAX / 4;
    atomic_store_explicit(&bucket->empty_at, 0, memory_order_relaxed);
}

/* A bucket for a share of a core: a tick of work stands for as many ticks of time as it would take
   at that share. A second of time ahead is forgiven.  */
static void set_share(struct sonde_bucket *bucket, uint32_t millionths)
{
    bucket->interval = millionths == 0 ? 1000000 : (1000000 + millionths - 1) / millionths;
    bucket->tolerance = millionths == 0 ? 0 : sonde_machine.ticks_per_second;
    atomic_store_explicit(&bucket->empty_at, 0, memory_order_relaxed);
}

static void read_clocks(void)
{
    struct sonde_machine *machine = &sonde_machine;
    uint64_t before = sonde_hit_ticks();
    machine->base_unix_ns = clock_ns(CLOCK_REALTIME);
    machine->base_monotonic_ns = clock_ns(CLOCK_MONOTONIC);
    machine->base_ticks = before + (sonde_hit_ticks() - before) / 2;
}

void sonde_machine_adjust_clock(void)
{
    struct sonde_machine *machine = &sonde_machine;
    read_clocks();
    int64_t ns = machine->base_monotonic_ns - machine->first_monotonic_ns;
    uint64_t ticks = machine->base_ticks - machine->first_ticks;
    if (ns < 1000000)
        return;
    uint64_t rate = (uint64_t)((double)ticks * 1e9 / (double)ns);
    machine->ticks_per_second = rate == 0 ? 1 : rate;
}

/* The rings' memory; kept when the machine is started again in the same process.  */
static int make_rings(const struct sonde_machine_settings *settings)
{
    struct sonde_machine *machine = &sonde_machine;
    uint32_t rings = 1;
    while (rings < settings->rings && rings < SONDE_MAX_RINGS)
        rings *= 2;
    uint64_t each = SONDE_MIN_RING_BYTES;
    while (each * 2 * rings <= settings->ring_bytes && each < (uint64_t)1 << 30)
        each *= 2;
    uint8_t *bytes = sonde_machine_pages(each * rings);
    if (bytes == 0)
        return 0;
    for (uint32_t i = 0; i < rings; i++) {
        struct sonde_ring *ring = &machine->rings[i];
        ring->bytes = bytes + each * i;
        atomic_store_explicit(&ring->owner, 0, memory_order_relaxed);
        atomic_store_explicit(&ring->head, 0, memory_order_relaxed);
        atomic_store_explicit(&ring->tail, 0, memory_order_relaxed);
        ring->suspect = 0;
    }
    machine->ring_mask = rings - 1;
    machine->ring_bytes = (uint32_t)each;
    return 1;
}

enum sonde_machine_status sonde_machine_start(const struct sonde_machine_settings *settings)
{
    struct sonde_machine *machine = &sonde_machine;
    int32_t pid = (int32_t)sonde_hit_syscall(SYS_getpid, 0, 0, 0, 0);
    uint32_t started = atomic_load_explicit(&machine->started, memory_order_acquire);
    if (started == 0 || machine->pid != pid) {
        /* In a child of fork the parent's rings stay mapped and unused: a thread of the child may
           hold a pointer into them.  */
        atomic_store_explicit(&machine->started, 0, memory_order_relaxed);
        if (!make_rings(settings))
            return SONDE_MACHINE_NO_MEMORY;
        machine->pid = pid;
        machine->main_stack = getauxval(AT_RANDOM);
        read_clocks();
        machine->first_ticks = machine->base_ticks;
        machine->first_monotonic_ns = machine->base_monotonic_ns;
        struct timespec pause = { 0, 2000000 };
        sonde_hit_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0);
        sonde_machine_adjust_clock();
    }
    machine->reads_memory = settings->reads_memory && sonde_machine_may_read();
    set_bucket(&machine->lines, settings->lines_per_second, settings->burst);
    set_share(&machine->cpu, settings->cpu_millionths);
    atomic_store_explicit(&machine->started, 1, memory_order_release);
    return SONDE_MACHINE_OK;
}

uint64_t sonde_machine_ticks(void)
{
    return sonde_hit_ticks();
}

uint64_t sonde_machine_ticks_per_second(void)
{
    return sonde_machine.ticks_per_second;
}

struct sonde_probe *sonde_probe_make(const struct sonde_probe_settings *settings)
{
    if (atomic_load_explicit(&sonde_machine.started, memory_order_acquire) == 0)
        return 0;
    struct sonde_probe *probe = sonde_machine_pages(sizeof *probe);
    if (probe == 0)
        return 0;
    probe->slot = settings->slot;
    probe->hits = settings->hits;
    probe->first_sequence = settings->first_sequence;
    set_bucket(&probe->lines, settings->lines_per_second, settings->burst);
    /* A second's worth at once.  */
    set_bucket(&probe->bytes, settings->bytes_per_second, settings->bytes_per_second);
    set_share(&probe->cpu, settings->cpu_millionths);
    return probe;
}

void sonde_probe_close(struct sonde_probe *probe)
{
    atomic_store_explicit(&probe->closed, 1, memory_order_relaxed);
}

void sonde_probe_free(struct sonde_probe *probe)
{
    if (probe != 0)
        sonde_machine_give_pages(probe, sizeof *probe);
}

static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

struct sonde_probe_counts sonde_probe_counts(const struct sonde_probe *probe)
{
    struct sonde_probe_counts counts = { 0 };
    counts.committed = get(&probe->committed);
    counts.condition_false = get(&probe->condition_false);
    counts.closed = get(&probe->closed_hits);
    counts.hits = counts.committed + counts.condition_false + counts.closed;
    for (uint32_t i = 0; i < SONDE_FAULTS; i++)
        counts.hits += counts.condition_errors[i] = get(&probe->condition_errors[i]);
    for (uint32_t i = 0; i < SONDE_LIMITS; i++)
        counts.hits += counts.limited[i] = get(&probe->limited[i]);
    for (uint32_t i = 0; i < SONDE_RECORD_LOSSES; i++)
        counts.hits += counts.lost[i] = get(&probe->lost[i]);
    uint64_t accepted = get(&probe->accepted);
    counts.last_sequence =
        probe->first_sequence + (accepted < probe->hits ? accepted : probe->hits);
    counts.closed_by = atomic_load_explicit(&probe->closed_by, memory_order_relaxed);
    uint64_t second = sonde_machine.ticks_per_second;
    if (second != 0)
        counts.cpu_ns = (uint64_t)((double)get(&probe->cpu_ticks) * 1e9 / (double)second);
    return counts;
}
