/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that block signals, without SIGTRAP: the images' tables of imported functions (GOT) lead
   to these. A table's entry is one word, exchanged atomically, so threads call the old function or
   the new one, which are alike but for SIGTRAP.  */
#include "masks.h"

#include <errno.h>
#include <linux/futex.h>
#include <link.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "images.h"
#include "kernel.h"

#define PAGE 4096u
/* libc keeps these from being blocked: it cancels threads and changes ids with them.  */
#define LIBC_SIGNALS ((uint64_t)3 << 31)
#define TRAP ((uint64_t)1 << (SIGTRAP - 1))

/* libc's own sigaction, by the name that nobody interposes.  */
extern int __sigaction(int signal, const struct sigaction *action, struct sigaction *before)
    __attribute__((weak));

/* rt_sigprocmask(2) as libc calls it, but for SIGTRAP. Returns 0 or an error's number.  */
SONDE_HIT_CONTEXT
static int change_mask(int how, const sigset_t *set, sigset_t *before)
{
    uint64_t word;
    if (set != 0) {
        /* Safety: the caller's set holds at least the kernel's 64 signals.  */
        __builtin_memcpy(&word, set, sizeof word);
        word &= how == SIG_UNBLOCK ? UINT64_MAX : ~(LIBC_SIGNALS | TRAP);
    }
    return (int)-sonde_hit_syscall(SYS_rt_sigprocmask, how, set == 0 ? 0 : (long)&word,
                                   (long)before, sizeof word);
}

SONDE_HIT_CONTEXT
static int let_traps_pthread_sigmask(int how, const sigset_t *set, sigset_t *before)
{
    return change_mask(how, set, before);
}

SONDE_HIT_CONTEXT
static int let_traps_sigprocmask(int how, const sigset_t *set, sigset_t *before)
{
    int error = change_mask(how, set, before);
    if (error == 0)
        return 0;
    errno = error;
    return -1;
}

SONDE_HIT_CONTEXT
static int let_traps_sigaction(int signal, const struct sigaction *action,
                               struct sigaction *before)
{
    if (action == 0 || signal == SIGTRAP)
        return __sigaction(signal, action, before);
    struct sigaction changed = *action;
    sigdelset(&changed.sa_mask, SIGTRAP);
    return __sigaction(signal, &changed, before);
}

static uint64_t replacement_of(const char *name)
{
    if (strcmp(name, "pthread_sigmask") == 0)
        return (uint64_t)let_traps_pthread_sigmask;
    if (strcmp(name, "sigprocmask") == 0)
        return (uint64_t)let_traps_sigprocmask;
    if (strcmp(name, "sigaction") == 0 && __sigaction != 0)
        return (uint64_t)let_traps_sigaction;
    return 0;
}

/* What is needed of an image's dynamic section; the linker has put runtime addresses there.  */
struct imports {
    /* SIZE: of its addresses before the linker moved them by BIAS.  */
    uint64_t bias, size, relro_start, relro_end;
    const ElfW(Sym) *symbols;
    const char *names;
    uint64_t names_size, rela, rela_size, jumps, jumps_size;
};

/* An address of the dynamic section, which the linker has moved already or not.  */
static uint64_t moved(const struct imports *imports, uint64_t value)
{
    return value < imports->bias ? value + imports->bias : value;
}

static void read_dynamic(struct imports *imports, const ElfW(Dyn) *entry)
{
    /* Safety: the linker, which reads the same, has found its end.  */
    for (; entry->d_tag != DT_NULL; entry++) {
        uint64_t value = entry->d_un.d_val;
        switch (entry->d_tag) {
        case DT_SYMTAB: imports->symbols = (const void *)moved(imports, value); break;
        case DT_STRTAB: imports->names = (const void *)moved(imports, value); break;
        case DT_STRSZ: imports->names_size = value; break;
        case DT_RELA: imports->rela = moved(imports, value); break;
        case DT_RELASZ: imports->rela_size = value; break;
        case DT_JMPREL: imports->jumps = moved(imports, value); break;
        case DT_PLTRELSZ: imports->jumps_size = value; break;
        default: break;
        }
    }
}

struct taking {
    uint32_t changed;
    /* Words that the linker has not written yet.  */
    uint32_t unwritten;
    /* How many images were ever loaded and unloaded, as the linker counts.  */
    uint64_t came, went;
};

/* Whether PLACE can be written: 1, 0, or an error below 0. Adds 0 to the half word there, which
   the kernel does atomically and with the page's own protection, and wakes nobody.  */
static long is_writable(uint64_t place)
{
    long result = sonde_hit_syscall6(SYS_futex, (long)place, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0,
                                     0, (long)place, FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0));
    return result >= 0 ? 1 : result == -EFAULT ? 0 : result;
}

/* Exchanges one entry of a table. A page that the linker has sealed is opened for it and sealed
   again; one that it has yet to seal, in another thread's dlopen, is left for the next time.  */
static void exchange(const struct imports *imports, uint64_t place, uint64_t function,
                     struct taking *taking)
{
    uint64_t page = place & ~(uint64_t)(PAGE - 1);
    if ((place & 7) != 0)
        return;
    /* Safety: the linker writes this word as the address of an imported function.  */
    _Atomic uint64_t *word = (_Atomic uint64_t *)place;
    uint64_t now = atomic_load_explicit(word, memory_order_relaxed);
    if (now == function)
        return;
    /* As it is in the file: no image begins so low.  */
    if (now == 0 || (imports->bias != 0 && now < imports->size)) {
        taking->unwritten++;
        return;
    }
    int is_sealed = page >= imports->relro_start && page + PAGE <= imports->relro_end;
    long writable = is_writable(place);
    if (is_sealed && writable == 1) {
        taking->unwritten++; /* and would be sealed between a look and a write */
        return;
    }
    if (writable != !is_sealed)
        return;
    if (is_sealed && sonde_hit_syscall(SYS_mprotect, (long)page, PAGE, PROT_READ | PROT_WRITE, 0))
        return;
    /* Relaxed: callers read the word alone.  */
    atomic_store_explicit(word, function, memory_order_relaxed);
    if (is_sealed)
        sonde_hit_syscall(SYS_mprotect, (long)page, PAGE, PROT_READ, 0);
    taking->changed++;
}

static void exchange_in(const struct imports *imports, uint64_t start, uint64_t size,
                        struct taking *taking)
{
    const ElfW(Rela) *relocation = (const ElfW(Rela) *)start;
    for (uint64_t i = 0; i < size / sizeof *relocation; i++) {
        uint64_t type = ELF64_R_TYPE(relocation[i].r_info);
        if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT)
            continue;
        uint64_t name = imports->symbols[ELF64_R_SYM(relocation[i].r_info)].st_name;
        uint64_t function = name < imports->names_size ? replacement_of(imports->names + name) : 0;
        if (function != 0)
            exchange(imports, imports->bias + relocation[i].r_offset, function, taking);
    }
}

/* What the linker counted when all images were found to be done.  */
static uint64_t seen_came, seen_went;

/* How often words that are not written yet are looked at again: some never are. One that imports
   a function weakly, say, stays null.  */
#define MOST_LOOKS 60
static uint32_t looks;

static int take_image(struct dl_phdr_info *info, size_t size, void *context)
{
    struct taking *taking = context;
    struct imports imports = { .bias = info->dlpi_addr };
    const ElfW(Dyn) *dynamic = 0;
    (void)size;
    taking->came = info->dlpi_adds;
    taking->went = info->dlpi_subs;
    if (taking->came == seen_came && taking->went == seen_went)
        return 1;
    if (info->dlpi_name != 0 && sonde_images_is_libc(info->dlpi_name))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uint64_t start = info->dlpi_addr + header->p_vaddr;
        if (header->p_type == PT_LOAD && header->p_vaddr + header->p_memsz > imports.size)
            imports.size = header->p_vaddr + header->p_memsz;
        if (header->p_type == PT_DYNAMIC)
            dynamic = (const ElfW(Dyn) *)start;
        if (header->p_type == PT_GNU_RELRO) {
            imports.relro_start = start & ~(uint64_t)(PAGE - 1);
            imports.relro_end = (start + header->p_memsz) & ~(uint64_t)(PAGE - 1);
        }
    }
    if (dynamic != 0)
        read_dynamic(&imports, dynamic);
    if (imports.symbols == 0 || imports.names == 0)
        return 0;
    exchange_in(&imports, imports.rela, imports.rela_size, taking);
    exchange_in(&imports, imports.jumps, imports.jumps_size, taking);
    return 0;
}

uint32_t sonde_masks_take(void)
{
    struct taking taking = { 0 };
    /* The linker's lock is held meanwhile, so no image goes away.  */
    dl_iterate_phdr(take_image, &taking);
    /* The linker may just have been about to write a word that was changed: looked at once more.  */
    looks = taking.unwritten > 0 && taking.changed == 0 ? looks + 1 : 0;
    if (taking.changed == 0 && (taking.unwritten == 0 || looks >= MOST_LOOKS)) {
        seen_came = taking.came;
        seen_went = taking.went;
        looks = 0;
    }
    return taking.changed;
}
