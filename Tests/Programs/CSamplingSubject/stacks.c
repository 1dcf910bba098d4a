/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks that are not a thread's ordinary one.  */
#include "CSamplingSubject.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

static __thread ucontext_t fiber_caller;

static void fiber_main(unsigned high, unsigned low)
{
    subject_burn_deep(4, (int64_t)((uint64_t)high << 32 | low));
}

uint32_t subject_burn_on_fibers(uint32_t count, size_t stack_bytes, int64_t nanoseconds)
{
    uint32_t ran = 0;
    uint64_t each = (uint64_t)nanoseconds / count;
    for (uint32_t i = 0; i < count; i++) {
        void *stack =
            mmap(0, stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (stack == MAP_FAILED)
            break;
        ucontext_t fiber;
        getcontext(&fiber);
        fiber.uc_stack.ss_sp = stack;
        fiber.uc_stack.ss_size = stack_bytes;
        fiber.uc_link = &fiber_caller;
        makecontext(&fiber, (void (*)(void))fiber_main, 2, (unsigned)(each >> 32),
                    (unsigned)each);
        swapcontext(&fiber_caller, &fiber);
        munmap(stack, stack_bytes);
        ran++;
    }
    return ran;
}

static void *burn_main(void *context)
{
    subject_burn_for((int64_t)context);
    return 0;
}

int subject_burn_on_small_stack(size_t stack_bytes, int guarded, int64_t nanoseconds)
{
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    int status = pthread_attr_setstacksize(&attributes, stack_bytes);
    if (!guarded)
        pthread_attr_setguardsize(&attributes, 0);
    if (status == 0)
        status = pthread_create(&thread, &attributes, burn_main, (void *)nanoseconds);
    if (status == 0)
        pthread_join(thread, 0);
    pthread_attr_destroy(&attributes);
    return status;
}

size_t subject_painted_alternate_stack(int64_t nanoseconds, size_t *kernel_bytes)
{
    enum { SIZE = 65536 };
    unsigned char *stack =
        mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(stack, 0xa5, SIZE);
    stack_t alternate = { .ss_sp = stack, .ss_size = SIZE };
    stack_t before;
    sigaltstack(&alternate, &before);
    subject_burn_for(nanoseconds);
    sigaltstack(&before, 0);
    size_t untouched = 0;
    while (untouched < SIZE && stack[untouched] == 0xa5)
        untouched++;
    munmap(stack, SIZE);
    *kernel_bytes = getauxval(AT_MINSIGSTKSZ);
    return SIZE - untouched;
}

static int64_t handler_nanoseconds;

static void burn_in_handler(int signal)
{
    (void)signal;
    subject_burn_deep(8, handler_nanoseconds);
}

void subject_burn_in_handler_on_alternate_stack(int64_t nanoseconds)
{
    enum { SIZE = 65536 };
    void *stack = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stack_t alternate = { .ss_sp = stack, .ss_size = SIZE };
    stack_t before;
    sigaltstack(&alternate, &before);
    struct sigaction action = { 0 };
    action.sa_handler = burn_in_handler;
    action.sa_flags = SA_ONSTACK;
    handler_nanoseconds = nanoseconds;
    sigaction(SIGUSR2, &action, 0);
    raise(SIGUSR2);
    sigaltstack(&before, 0);
    munmap(stack, SIZE);
}
