/* SPDX-License-Identifier: Apache-2.0 */
/* Installing and removing sets of sites: all of a set or none of it.  */
#include "patch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "change.h"
#include "images.h"
#include "kernel.h"
#include "masks.h"
#include "near.h"
#include "sites.h"
#include "text.h"
#include "transition.h"
#include "trap.h"

#define HWCAP2_FSGSBASE 2u
/* arch_prctl(2): asks for the thread's features of the shadow stack (Linux 6.6).  */
#define ARCH_SHSTK_STATUS 0x5005

/* What this process knows of its patches. BUSY while a change is being made: a child of fork that
   inherits it set cannot know what its code looks like.  */
static struct {
    int32_t pid, busy;
    uint64_t unblocked, masks, lost;
} state;

static int32_t process(void)
{
    return (int32_t)sonde_hit_syscall(SYS_getpid, 0, 0, 0, 0);
}

/* A word that is our process's id here and 0 in a child of fork.  */
static enum sonde_patch_status mark_alive(void)
{
    if (atomic_load_explicit(&sonde_hit_alive, memory_order_relaxed) == 0) {
        void *page = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
            return SONDE_PATCH_NO_MEMORY;
        if (madvise(page, 4096, MADV_WIPEONFORK) != 0) {
            munmap(page, 4096);
            return SONDE_PATCH_NO_BARRIER; /* a kernel older than both */
        }
        sonde_hit_has_fsgsbase = (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) != 0;
        atomic_store_explicit(&sonde_hit_alive, (_Atomic uint32_t *)page, memory_order_release);
    }
    atomic_store_explicit(atomic_load_explicit(&sonde_hit_alive, memory_order_relaxed),
                          (uint32_t)process(), memory_order_relaxed);
    return SONDE_PATCH_OK;
}

/* Begins a change. In a child of fork the inheritance is given up first: its code becomes as it
   was, and no hit of it runs anything until something is installed.  */
static enum sonde_patch_status begin(void)
{
    int32_t pid = process();
    if (state.busy)
        return state.pid == pid ? SONDE_PATCH_NOT_TRIED : SONDE_PATCH_FORKED;
    int is_child = state.pid != 0 && state.pid != pid;
    state.pid = pid;
    state.busy = 1;
    if (is_child && sonde_text_open() == SONDE_PATCH_OK) {
        sonde_hits_forget_parent();
        sonde_sites_drop(0, UINT64_MAX);
        sonde_change_undo_all(&state.lost);
    }
    return SONDE_PATCH_OK;
}

static void end(void)
{
    sonde_text_close();
    state.busy = 0;
}

/* Whether the processor checks return addresses: moved calls push theirs themselves.  */
static int has_shadow_stack(void)
{
    uint64_t features = 0;
    return sonde_hit_syscall(SYS_arch_prctl, ARCH_SHSTK_STATUS, (long)&features, 0, 0) == 0 &&
           (features & 1) != 0;
}

/* Lets SIGTRAP through wherever the program blocks it: from now on, and in handlers that it has. A
   thread that just entered the call that was exchanged gets time to come back.  */
static void let_traps_through(void)
{
    struct timespec pause = { 0, 2000000 };
    uint32_t taken = sonde_masks_take();
    state.masks += taken;
    state.unblocked += sonde_trap_unblock_handlers();
    if (taken > 0)
        sonde_hit_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0);
}

/* What every install needs, besides the request's own place.  */
static enum sonde_patch_status prepare(uint64_t *detail)
{
    if (!sonde_decoder_load())
        return SONDE_PATCH_NO_DECODER;
    enum sonde_patch_status status = (enum sonde_patch_status)sonde_text_open();
    if (status == SONDE_PATCH_OK)
        status = mark_alive();
    if (status == SONDE_PATCH_OK)
        status = (enum sonde_patch_status)sonde_trap_install();
    if (status != SONDE_PATCH_OK)
        return status;
    if (has_shadow_stack())
        return SONDE_PATCH_SHADOW_STACK;
    *detail = (uint64_t)sonde_trap_tracer();
    if (*detail != 0)
        return SONDE_PATCH_TRACED;
    let_traps_through();
    int32_t tid = sonde_trap_blocked_thread();
    *detail = (uint64_t)tid;
    return tid == 0 ? SONDE_PATCH_OK : SONDE_PATCH_TRAP_BLOCKED;
}

/* Whether the request's place may be patched at all.  */
static enum sonde_patch_status check_place(const struct sonde_patch_request *request)
{
    const struct sonde_text *text = sonde_text_of(request->address);
    if (text == 0 || request->function_start < text->start || request->function_end > text->end)
        return SONDE_PATCH_NOT_TEXT;
    if (sonde_text_is_denied(text, request->address))
        return SONDE_PATCH_DENIED;
    if (request->address < request->function_start || request->address >= request->function_end)
        return SONDE_PATCH_NOT_AN_INSTRUCTION;
    return SONDE_PATCH_OK;
}

/* Checks all places; sets the outcome of each that is refused. Returns the first refusal.  */
static enum sonde_patch_status check_places(const struct sonde_patch_request *requests,
                                            uint32_t count, struct sonde_patch_outcome *outcomes)
{
    enum sonde_patch_status first = SONDE_PATCH_OK;
    sonde_texts_read();
    for (uint32_t i = 0; i < count; i++) {
        enum sonde_patch_status status = check_place(&requests[i]);
        if (status == SONDE_PATCH_OK)
            continue;
        outcomes[i].status = status;
        first = first == SONDE_PATCH_OK ? status : first;
    }
    return first;
}

/* Makes the requests' sites and prepares their programs.  */
static enum sonde_patch_status add_programs(const struct sonde_patch_request *requests,
                                            uint32_t count, struct sonde_patch_outcome *outcomes)
{
    if (sonde_sites_make(requests, count) != 0)
        return SONDE_PATCH_NO_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        const struct sonde_patch_request *request = &requests[i];
        struct sonde_hit_site *site = sonde_site_at(request->address);
        if (site == 0)
            return SONDE_PATCH_NO_MEMORY;
        if (!sonde_site_is_wanted(site)) {
            site->function_start = request->function_start;
            site->function_end = request->function_end;
        }
        if (site->function_start != request->function_start ||
            site->function_end != request->function_end) {
            outcomes[i].status = SONDE_PATCH_OVERLAP;
            return SONDE_PATCH_OVERLAP;
        }
        if (sonde_site_add(site, request->run, request->context) != 0)
            return SONDE_PATCH_NO_MEMORY;
    }
    return SONDE_PATCH_OK;
}

static enum sonde_patch_status install(const struct sonde_patch_request *requests, uint32_t count,
                                       struct sonde_patch_outcome *outcomes)
{
    uint64_t detail = 0;
    enum sonde_patch_status status = prepare(&detail);
    if (status != SONDE_PATCH_OK) {
        for (uint32_t i = 0; i < count; i++)
            outcomes[i] = (struct sonde_patch_outcome){ .status = status, .detail = detail };
        return status;
    }
    status = check_places(requests, count, outcomes);
    if (status != SONDE_PATCH_OK)
        return status;
    sonde_sites_collect();
    status = add_programs(requests, count, outcomes);
    struct sonde_change change = { .requests = requests, .count = count, .outcomes = outcomes };
    if (status == SONDE_PATCH_OK)
        status = sonde_change_plan(&change);
    if (status == SONDE_PATCH_OK)
        status = sonde_change_make(&change, &state.lost);
    if (status == SONDE_PATCH_OK)
        sonde_sites_commit();
    else
        sonde_sites_abandon();
    sonde_change_end(&change);
    return status;
}

enum sonde_patch_status sonde_patch_install(const struct sonde_patch_request *requests,
                                            uint32_t count, struct sonde_patch_outcome *outcomes)
{
    enum sonde_patch_status status = begin();
    for (uint32_t i = 0; i < count; i++)
        outcomes[i] = (struct sonde_patch_outcome){
            .status = status == SONDE_PATCH_OK ? SONDE_PATCH_NOT_TRIED : status,
        };
    if (status != SONDE_PATCH_OK)
        return status;
    status = install(requests, count, outcomes);
    end();
    for (uint32_t i = 0; i < count && status == SONDE_PATCH_OK; i++)
        outcomes[i] = (struct sonde_patch_outcome){
            .form = sonde_patch_form_at(requests[i].address),
        };
    return status;
}

void sonde_patch_remove(const struct sonde_patch_request *requests, uint32_t count)
{
    if (begin() != SONDE_PATCH_OK)
        return;
    sonde_sites_collect();
    for (uint32_t i = 0; i < count; i++) {
        struct sonde_hit_site *site = sonde_site_at(requests[i].address);
        if (site != 0)
            sonde_site_drop(site, requests[i].run, requests[i].context);
    }
    struct sonde_change change = { 0 };
    sonde_texts_read();
    /* The programs go in any case; the code as far as it can be written.  */
    if (sonde_text_open() == SONDE_PATCH_OK && sonde_change_plan(&change) == SONDE_PATCH_OK)
        sonde_change_make(&change, &state.lost);
    sonde_sites_commit();
    sonde_change_end(&change);
    end();
}

struct sonde_patch_outcome sonde_patch_plan(const struct sonde_patch_request *request)
{
    struct sonde_patch_outcome outcome = { .status = begin() };
    if (outcome.status != SONDE_PATCH_OK)
        return outcome;
    if (!sonde_decoder_load())
        outcome.status = SONDE_PATCH_NO_DECODER;
    else
        outcome.status = (enum sonde_patch_status)sonde_text_open();
    if (outcome.status == SONDE_PATCH_OK)
        check_places(request, 1, &outcome);
    if (outcome.status == SONDE_PATCH_OK)
        outcome.status = sonde_change_try(request, &outcome.form);
    end();
    return outcome;
}

enum sonde_patch_form sonde_patch_form_at(uint64_t address)
{
    const struct sonde_hit_site *site = sonde_site_at(address);
    const struct sonde_region *region = sonde_change_region_at(address);
    if (site == 0 || region == 0 || !sonde_site_is_wanted(site))
        return SONDE_PATCH_NONE;
    return region->patched_size == 1 ? SONDE_PATCH_TRAP : SONDE_PATCH_JUMP;
}

enum sonde_patch_status sonde_patch_check(uint64_t *detail)
{
    enum sonde_patch_status status = begin();
    if (status != SONDE_PATCH_OK)
        return status;
    sonde_hits_collect();
    if (sonde_change_is_any()) {
        status = (enum sonde_patch_status)sonde_trap_install();
        let_traps_through();
        int32_t tid = sonde_trap_blocked_thread();
        if (status == SONDE_PATCH_OK && tid != 0) {
            *detail = (uint64_t)tid;
            status = SONDE_PATCH_TRAP_BLOCKED;
        }
    }
    end();
    return status;
}

void sonde_patch_forget(uint64_t start, uint64_t end_address)
{
    if (begin() != SONDE_PATCH_OK)
        return;
    sonde_change_forget(start, end_address);
    sonde_sites_drop(start, end_address);
    end();
}

struct sonde_patch_counters sonde_patch_counters(void)
{
    struct sonde_patch_counters counters = {
        .pad_bytes = sonde_near_bytes(),
        .traps = sonde_traps_taken(),
        .foreign_traps = sonde_traps_passed_on(),
        .retaken_handlers = sonde_traps_retaken(),
        .unblocked_handlers = state.unblocked,
        .exchanged_masks = state.masks,
        .lost_writes = state.lost,
    };
    uint32_t count;
    struct sonde_hit_site *const *sites = sonde_sites(&count);
    for (uint32_t i = 0; i < count; i++) {
        enum sonde_patch_form form = sonde_patch_form_at(sites[i]->address);
        counters.sites += form != SONDE_PATCH_NONE;
        counters.jump_sites += form == SONDE_PATCH_JUMP;
        counters.trap_sites += form == SONDE_PATCH_TRAP;
    }
    return counters;
}

const char *sonde_patch_words(enum sonde_patch_status status)
{
    static const char *const words[SONDE_PATCH_STATUSES] = {
        [SONDE_PATCH_OK] = "installed",
        [SONDE_PATCH_NOT_TRIED] = "another place of the same set was refused",
        [SONDE_PATCH_NO_DECODER] = "the process cannot load libZydis.so.4.0; want Debian's "
                                   "libzydis4.0 where the service runs",
        [SONDE_PATCH_NO_BARRIER] = "the kernel lacks membarrier's SYNC_CORE, or a seccomp filter "
                                   "forbids what patching needs; want Linux 4.16",
        [SONDE_PATCH_NO_WRITE] = "the kernel does not let the process write its code through "
                                 "/proc/self/mem",
        [SONDE_PATCH_NO_HANDLER] = "the kernel refuses a handler for SIGTRAP",
        [SONDE_PATCH_TRAP_BLOCKED] = "a thread blocks SIGTRAP and would be killed at a probe; "
                                     "want it let through",
        [SONDE_PATCH_NO_MEMORY] = "too many places, or no room for a pad near the code",
        [SONDE_PATCH_NOT_TEXT] = "the address is not in code of a loaded image",
        [SONDE_PATCH_DENIED] = "libc, the dynamic linker and Sonde's own code take no probes",
        [SONDE_PATCH_NOT_AN_INSTRUCTION] = "no instruction of the function starts there",
        [SONDE_PATCH_CANNOT_MOVE] = "the instruction there only works in its place",
        [SONDE_PATCH_BREAKPOINT] = "somebody else's breakpoint is there",
        [SONDE_PATCH_CHANGED] = "somebody else has changed the function's code",
        [SONDE_PATCH_FORKED] = "the process was forked while its probes were being changed",
        [SONDE_PATCH_TRACED] = "a debugger is attached, which would take the probes' signals",
        [SONDE_PATCH_SHADOW_STACK] = "the process runs with shadow stacks, which moved calls break",
        [SONDE_PATCH_OVERLAP] = "the bounds of the function overlap another function's",
    };
    return (uint32_t)status < SONDE_PATCH_STATUSES ? words[status] : "unknown";
}
