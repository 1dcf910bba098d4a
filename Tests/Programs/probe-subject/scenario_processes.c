/* SPDX-License-Identifier: Apache-2.0 */
/* Children, and libraries that come and go.  */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "scenarios.h"
#include "subject.h"

extern char **environ;

static int exit_of(pid_t child)
{
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* What a child of fork does: its hits run nothing, its code still works, jumps and traps; then it
   installs probes of its own.  */
static int be_a_child(const struct sonde_patch_request *requests, uint32_t count)
{
    struct sonde_patch_outcome outcome;
    uint64_t before = hit_count;
    if (call_code(code_red_zone(), 5, 7) != 22 || call_code(code_loop_inside(), 3, 7) != 21)
        return 1;
    if (hit_count != before || sonde_hits_skipped(SONDE_HIT_FORKED) != 2)
        return 2;
    if (sonde_patch_install(&requests[0], 1, &outcome) != SONDE_PATCH_OK)
        return 3;
    if (call_code(code_red_zone(), 5, 7) != 22 || call_code(code_loop_inside(), 3, 7) != 21)
        return 4;
    if (hit_count != before + 1)
        return 5;
    sonde_patch_remove(requests, count);
    return changed_text_bytes() == 0 ? 0 : 6;
}

int scenario_fork(void)
{
    struct sonde_patch_request requests[2] = {
        request_at(code_red_zone(), code_red_zone().start),
        request_at(code_loop_inside(), code_loop_inside().start),
    };
    struct sonde_patch_outcome outcomes[2];
    char *arguments[] = { "true", 0 };
    pid_t child;
    EXPECT(sonde_patch_install(requests, 2, outcomes) == SONDE_PATCH_OK, "refused");
    EXPECT(outcomes[0].form == SONDE_PATCH_JUMP && outcomes[1].form == SONDE_PATCH_TRAP, "forms");
    child = fork();
    if (child == 0)
        _exit(be_a_child(requests, 2));
    int status = exit_of(child);
    EXPECT(status == 0, "the child failed: %d", status);
    EXPECT(hit_count == 0, "the child's hits are ours");
    /* A child that shares our memory: its hits are hits.  */
    child = vfork();
    if (child == 0) {
        call_code(code_red_zone(), 5, 7);
        call_code(code_loop_inside(), 3, 7);
        _exit(0);
    }
    status = exit_of(child);
    EXPECT(status == 0 && hit_count == 2, "vfork: %d, %lu hits", status, hit_count);
    EXPECT(posix_spawnp(&child, "true", 0, 0, arguments, environ) == 0, "spawn");
    EXPECT(exit_of(child) == 0, "the spawned program failed");
    EXPECT(call_code(code_red_zone(), 5, 7) == 22 && hit_count == 3, "%lu hits", hit_count);
    sonde_patch_remove(requests, 2);
    EXPECT(changed_text_bytes() == 0, "text differs");
    return 0;
}

/* Whether the library blocks all signals but SIGTRAP, when it wants to block all.  */
static int lets_traps_through(void *handle)
{
    int (*block_all)(sigset_t *) = (int (*)(sigset_t *))dlsym(handle, "block_all");
    sigset_t before, meanwhile;
    if (block_all == 0 || block_all(&before) != 0)
        return 0;
    pthread_sigmask(SIG_SETMASK, &before, &meanwhile);
    return sigismember(&meanwhile, SIGUSR1) == 1 && sigismember(&meanwhile, SIGTRAP) == 0;
}

/* A library that is loaded, probed, unloaded without a word, loaded again, probed again.  */
int scenario_library(const char *library)
{
    for (int round = 0; round < 20; round++) {
        void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        EXPECT(handle != 0, "%s", dlerror());
        long (*answer)(long) = (long (*)(long))dlsym(handle, "answer");
        const ElfW(Sym) *symbol = 0;
        Dl_info info;
        EXPECT(answer != 0 && dladdr1((void *)answer, &info, (void **)&symbol, RTLD_DL_SYMENT),
               "no symbol");
        struct code code = { (uint64_t)answer, (uint64_t)answer + symbol->st_size };
        struct sonde_patch_request requests[64];
        struct sonde_patch_outcome outcomes[64];
        uint32_t count = requests_for(code, requests, 64);
        long expected = answer(20);
        hit_count = 0;
        EXPECT(count > 3, "got %u sites", count);
        enum sonde_patch_status status = sonde_patch_install(requests, count, outcomes);
        EXPECT(status == SONDE_PATCH_OK, "round %d: %s", round, sonde_patch_words(status));
        EXPECT(answer(20) == expected && hit_count >= count, "%lu hits", hit_count);
        EXPECT(lets_traps_through(handle), "round %d: the library blocks SIGTRAP", round);
        if (round % 3 == 0)
            sonde_patch_remove(requests, count);
        dlclose(handle);
        EXPECT(dlopen(library, RTLD_NOW | RTLD_NOLOAD) == 0, "it is still there");
        if (round % 3 == 1)
            sonde_patch_remove(requests, count); /* nothing may be written */
        if (round % 3 == 2)
            sonde_patch_forget(code.start & ~4095ull, code.end + 4096);
        EXPECT(sonde_patch_counters().sites == 0, "sites are left");
    }
    return 0;
}

#define LOADS 1000

static _Atomic int loads, failed_loads;

/* Loads the library, and lets it go, again and again.  */
static void *load_and_unload(void *library)
{
    while (loads < LOADS && failed_loads == 0) {
        void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        if (handle == 0 || dlclose(handle) != 0)
            failed_loads += 1;
        loads += 1;
    }
    return 0;
}

/* Another thread's dlopen writes the library's table of imports, and seals its page, at the very
   moment in which that table is looked at: nothing of the linker's is undone.  */
int scenario_loading(const char *library)
{
    struct sonde_patch_request request = request_at(code_red_zone(), code_red_zone().start);
    struct sonde_patch_outcome outcome;
    uint64_t detail = 0, checks = 0;
    pthread_t thread;
    EXPECT(sonde_patch_install(&request, 1, &outcome) == SONDE_PATCH_OK, "refused");
    EXPECT(pthread_create(&thread, 0, load_and_unload, (void *)library) == 0, "no thread");
    for (; loads < LOADS && failed_loads == 0; checks++)
        EXPECT(sonde_patch_check(&detail) == SONDE_PATCH_OK, "check %lu", checks);
    pthread_join(thread, 0);
    EXPECT(failed_loads == 0, "%s", dlerror());
    void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    EXPECT(handle != 0, "%s", dlerror());
    EXPECT(sonde_patch_check(&detail) == SONDE_PATCH_OK && lets_traps_through(handle),
           "the library blocks SIGTRAP");
    printf("loads %d\nchecks %lu\n", loads, checks);
    return 0;
}
