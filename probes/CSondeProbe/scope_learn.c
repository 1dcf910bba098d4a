/* SPDX-License-Identifier: Apache-2.0 */
/* Learns from the Swift runtime where it keeps a thread's task and a task's local values.

   All of it is asked of the runtime's own functions and then looked for in memory that is known to
   be mapped: the module's thread-local block, and the current task.  */
#include "scope_layout.h"

#include <link.h>
#include <stddef.h>

/* Weak: a program without Swift concurrency has none of them.  */
extern void *swift_task_getCurrent(void) __attribute__((weak, swiftcall));
extern void *swift_task_localValueGet(const void *key) __attribute__((weak, swiftcall));
extern uint64_t swift_task_getJobTaskId(void *task) __attribute__((weak, swiftcall));

/* Bytes of a task in which things are looked for; every task is longer than that.  */
#define TASK_BYTES 0x100

struct module {
    uint64_t function;
    uint64_t tls_start, tls_size;
};

static int find_module(struct dl_phdr_info *info, size_t size, void *argument) {
    struct module *module = argument;
    if (size < offsetof(struct dl_phdr_info, dlpi_tls_data) + sizeof info->dlpi_tls_data) return 0;
    int holds = 0;
    uint64_t tls_size = 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && module->function - start < header->p_memsz) holds = 1;
        if (header->p_type == PT_TLS) tls_size = header->p_memsz;
    }
    if (!holds) return 0;
    module->tls_start = (uint64_t)info->dlpi_tls_data;
    module->tls_size = tls_size;
    return 1;
}

static uint64_t read_word(uint64_t address)
{
    return *(const volatile uint64_t *)address;
}

/* Finds the one word of [START, START + SIZE) that equals VALUE. Returns its offset, or -1.  */
static int64_t find_word(uint64_t start, uint64_t size, uint64_t value) {
    int64_t found = -1;
    for (uint64_t offset = 0; offset + 8 <= size; offset += 8) {
        if (read_word(start + offset) != value) continue;
        if (found >= 0) return -1;
        found = (int64_t)offset;
    }
    return found;
}

/* Where a task keeps the low half of its number. Small numbers stand at many places, so the place of
   Swift 5.5 to 6.3 counts if it holds the number, and another one only if there is just one.  */
static int64_t find_number(uint64_t task, uint32_t number) {
    const uint64_t usual = 0x24;
    if (number == 0) return -1;
    if (*(const volatile uint32_t *)(task + usual) == number) return (int64_t)usual;
    int64_t found = -1;
    for (uint64_t offset = 0; offset < 64; offset += 4) {
        if (*(const volatile uint32_t *)(task + offset) != number) continue;
        if (found >= 0) return -1;
        found = (int64_t)offset;
    }
    return found;
}

/* Where the module's variables lie for every thread: below the thread pointer and close to it. A
   module that was loaded late has a block on the heap instead, elsewhere for each thread.  */
static int is_static_tls(const struct module *module) {
    uint64_t self = (uint64_t)__builtin_thread_pointer();
    if (module->tls_start == 0 || module->tls_start >= self) return 0;
    /* The surplus for such modules and the modules of the start are a few kilobytes.  */
    return module->tls_start + module->tls_size <= self && self - module->tls_start < 64 * 1024;
}

enum sonde_scope_status sonde_scope_learn(const void *key) {
    if (__atomic_load_n(&sonde_scope_layout.is_known, __ATOMIC_ACQUIRE)) return SONDE_SCOPE_OK;
    if (!swift_task_getCurrent || !swift_task_localValueGet || !swift_task_getJobTaskId)
        return SONDE_SCOPE_NO_TASK;
    uint64_t task = (uint64_t)swift_task_getCurrent();
    if (task == 0) return SONDE_SCOPE_NO_TASK;

    struct module module = {.function = (uint64_t)swift_task_getCurrent};
    dl_iterate_phdr(find_module, &module);
    if (!is_static_tls(&module)) return SONDE_SCOPE_DYNAMIC_TLS;
    int64_t task_at = find_word(module.tls_start, module.tls_size, task);
    if (task_at < 0) return SONDE_SCOPE_NO_CURRENT;

    struct sonde_scope_layout layout = {.key = (uint64_t)key};
    layout.task_at =
        (int64_t)(module.tls_start + (uint64_t)task_at - (uint64_t)__builtin_thread_pointer());
    uint64_t value = (uint64_t)swift_task_localValueGet(key);
    if (value == 0) return SONDE_SCOPE_NO_LOCALS;
    /* The item begins with two words, next and key, and at most one more before the value: no word
       that is looked at lies before the item.  */
    uint64_t item = 0;
    for (uint64_t back = 16; back <= 32 && item == 0; back += 8)
        if (read_word(value - back + 8) == (uint64_t)key) item = value - back;
    if (item == 0) return SONDE_SCOPE_NO_LOCALS;
    layout.value_offset = value - item;
    int64_t list = find_word(task, TASK_BYTES, item);
    if (list < 0) return SONDE_SCOPE_NO_LOCALS;
    layout.list_offset = (uint64_t)list;
    int64_t number_at = find_number(task, (uint32_t)swift_task_getJobTaskId((void *)task));
    if (number_at < 0) return SONDE_SCOPE_NO_CURRENT;
    layout.number_offset = (uint64_t)number_at;

    sonde_scope_layout = layout;
    /* Release; pairs with the acquire in sonde_hit_scope.  */
    __atomic_store_n(&sonde_scope_layout.is_known, 1, __ATOMIC_RELEASE);
    return SONDE_SCOPE_OK;
}
