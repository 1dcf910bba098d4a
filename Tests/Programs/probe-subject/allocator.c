/* SPDX-License-Identifier: Apache-2.0 */
/* This program's own allocator, as many services have one: libc's may not be probed, this may.
   Blocks of powers of two under one spinning lock; memory is used again, never given back.  */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define CLASSES 40
#define HEADER 64u
#define CHUNK ((size_t)1 << 20)

/* Before each block. NEXT while it is free.  */
struct block {
    struct block *next;
    uint64_t class;
};

static _Atomic int locked;
static struct block *free_blocks[CLASSES];
static char *room, *room_end;

static void lock(void)
{
    while (atomic_exchange_explicit(&locked, 1, memory_order_acquire))
        ;
}

static void unlock(void)
{
    atomic_store_explicit(&locked, 0, memory_order_release);
}

static struct block *new_block(uint64_t class)
{
    size_t size = (size_t)1 << class;
    if ((size_t)(room_end - room) < size) {
        size_t mapped = size > CHUNK ? size : CHUNK;
        void *memory = mmap(0, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            return 0;
        room = memory;
        room_end = room + mapped;
    }
    struct block *block = (struct block *)room;
    room += size;
    block->class = class;
    return block;
}

void *malloc(size_t size)
{
    uint64_t class = 7;
    while (class < CLASSES && ((size_t)1 << class) - HEADER < size)
        class++;
    if (class == CLASSES) {
        errno = ENOMEM;
        return 0;
    }
    lock();
    struct block *block = free_blocks[class];
    if (block != 0)
        free_blocks[class] = block->next;
    else
        block = new_block(class);
    unlock();
    return block == 0 ? 0 : (char *)block + HEADER;
}

void free(void *memory)
{
    if (memory == 0)
        return;
    struct block *block = (struct block *)((char *)memory - HEADER);
    lock();
    block->next = free_blocks[block->class];
    free_blocks[block->class] = block;
    unlock();
}

void *calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return 0;
    void *memory = malloc(bytes);
    return memory == 0 ? 0 : memset(memory, 0, bytes);
}

void *realloc(void *memory, size_t size)
{
    if (memory == 0)
        return malloc(size);
    const struct block *block = (const struct block *)((char *)memory - HEADER);
    size_t held = ((size_t)1 << block->class) - HEADER;
    if (held >= size)
        return memory;
    void *larger = malloc(size);
    if (larger != 0) {
        memcpy(larger, memory, held);
        free(memory);
    }
    return larger;
}
