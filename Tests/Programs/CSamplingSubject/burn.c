/* SPDX-License-Identifier: Apache-2.0 */
/* Burning CPU in ways that a test can recognize.  */
#include "CSamplingSubject.h"

#include <sys/mman.h>
#include <time.h>

static volatile uint64_t sink;

#define BURN(name)                                                                                 \
    __attribute__((noinline, section("subject_" #name))) uint64_t subject_burn_##name(             \
        uint64_t rounds)                                                                           \
    {                                                                                              \
        uint64_t value = rounds;                                                                   \
        for (uint64_t i = 0; i < rounds; i++)                                                      \
            value = (value ^ i) * 0x9e3779b97f4a7c15u + (value >> 7);                              \
        sink = value;                                                                              \
        return value;                                                                              \
    }                                                                                              \
    extern const char __start_subject_##name[], __stop_subject_##name[];

BURN(one)
BURN(two)
BURN(three)

void subject_burn_range(int which, uint64_t *start, uint64_t *limit)
{
    const char *starts[] = { __start_subject_one, __start_subject_two, __start_subject_three };
    const char *limits[] = { __stop_subject_one, __stop_subject_two, __stop_subject_three };
    *start = (uint64_t)starts[which - 1];
    *limit = (uint64_t)limits[which - 1];
}

int64_t subject_thread_cpu(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

void subject_burn_for(int64_t nanoseconds)
{
    int64_t end = subject_thread_cpu() + nanoseconds;
    while (subject_thread_cpu() < end)
        subject_burn_one(20000);
}

void subject_burn_with_frame_pointer(uint64_t frame_pointer, int64_t nanoseconds)
{
    int64_t end = subject_thread_cpu() + nanoseconds;
    while (subject_thread_cpu() < end) {
        uint64_t rounds = 2000000;
        __asm__ volatile("push %%rbp\n\t"
                         "mov %[fp], %%rbp\n\t"
                         "1: dec %[rounds]\n\t"
                         "jnz 1b\n\t"
                         "pop %%rbp"
                         : [rounds] "+c"(rounds)
                         : [fp] "a"(frame_pointer)
                         : "cc", "memory");
    }
}

__attribute__((noinline)) void subject_burn_deep(uint32_t depth, int64_t nanoseconds)
{
    if (depth == 0)
        subject_burn_for(nanoseconds);
    else
        subject_burn_deep(depth - 1, nanoseconds);
    /* Keeps the call from being the last thing, which would make it a jump.  */
    sink += depth;
}

uint64_t subject_page_end(void)
{
    char *pages = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(pages + 4096, 4096, PROT_NONE);
    return (uint64_t)pages + 4096;
}

uint64_t subject_forbidden_page(void)
{
    return (uint64_t)mmap(0, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

uint64_t subject_unmapped_page(void)
{
    void *page = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page, 4096);
    return (uint64_t)page;
}
