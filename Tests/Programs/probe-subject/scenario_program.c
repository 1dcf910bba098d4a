/* SPDX-License-Identifier: Apache-2.0 */
/* A probe on every instruction of this whole program while threads compute: thousands of sites at
   once, then some of them together with some of what installs them. Results and text stay.  */
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scenarios.h"
#include "subject.h"

#define WORKERS 2
#define ROUNDS 2
/* Rounds with one site in PART_OF, each time others.  */
#define PART_ROUNDS 200
#define PART_OF 32u
#define SITES SONDE_MAX_SITES

static _Atomic int stop;
static _Atomic uint64_t wrong, done;
static struct sonde_patch_request requests[SITES];
static struct sonde_patch_outcome outcomes[SITES];

static int ascending(const void *a, const void *b)
{
    const uint64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* A heap of small calls, loops, branches, a switch and floating point.  */
__attribute__((noinline)) static uint64_t compute(uint64_t seed)
{
    uint64_t numbers[64], sum = 0;
    double mean = 0;
    char text[64];
    for (int i = 0; i < 64; i++)
        numbers[i] = next_random(&seed) >> 40;
    qsort(numbers, 64, sizeof numbers[0], ascending);
    for (int i = 0; i < 64; i++) {
        switch (numbers[i] % 7) {
        case 0: sum += numbers[i]; break;
        case 1: sum ^= numbers[i] << 3; break;
        case 2: sum -= numbers[i]; break;
        case 3: sum = sum << 5 | sum >> 59; break;
        case 4: sum *= 31; break;
        default: sum += (uint64_t)i;
        }
        mean += (double)numbers[i] / 64;
    }
    int length = snprintf(text, sizeof text, "%.3f", mean);
    for (int i = 0; i < length; i++)
        sum = sum * 33 + (uint64_t)text[i];
    return sum + call_code(code_calls(), sum, 3) + call_code(code_table(), sum, 5);
}

static uint64_t expected[16];

static void *work(void *context)
{
    uint64_t number = (uint64_t)context;
    while (!stop) {
        number = (number + 1) % 16;
        wrong += compute(number + 1) != expected[number];
        done += 1;
    }
    return 0;
}

/* Whether a symbol is the installer's own: probes there make installing slow.  */
static int is_installer(const char *file, const char *name, int is_local)
{
    static const char *const files[] = { "change.c",   "decode.c", "hit.c",   "images.c", "near.c",
                                         "patch.c",    "region.c", "sites.c", "text.c", "threads.c",
                                         "relocate.c", "trap.c",   "transition.c" };
    if (!is_local)
        return strncmp(name, "sonde_", 6) == 0;
    for (uint32_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (strcmp(file, files[i]) == 0)
            return 1;
    return 0;
}

/* Adds a request for each instruction of a function.  */
static uint32_t add_function(struct code code, uint32_t count)
{
    struct sonde_instruction instruction;
    for (uint64_t address = code.start; address < code.end && count < SITES;) {
        if (!sonde_decode((const uint8_t *)address, code.end - address, address, &instruction)) {
            address += 1;
            continue;
        }
        requests[count++] = request_at(code, address);
        address += instruction.length;
    }
    return count;
}

/* Lists the functions of the program by its symbol table: the installer's, or all others. Returns
   the number of requests, COUNT more than before.  */
static uint32_t list_program(int installer, uint32_t count)
{
    struct stat status;
    const char *source = "";
    struct code last = { 0, 0 };
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0)
        return count;
    const char *bytes = mmap(0, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)bytes;
    const ElfW(Shdr) *sections = (const ElfW(Shdr) *)(bytes + header->e_shoff);
    uint64_t bias = _r_debug.r_map->l_addr;
    for (int i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_SYMTAB)
            continue;
        const ElfW(Sym) *symbols = (const ElfW(Sym) *)(bytes + sections[i].sh_offset);
        const char *names = bytes + sections[sections[i].sh_link].sh_offset;
        for (uint64_t s = 0; s < sections[i].sh_size / sizeof *symbols; s++) {
            struct code code = { bias + symbols[s].st_value,
                                 bias + symbols[s].st_value + symbols[s].st_size };
            const char *name = names + symbols[s].st_name;
            int type = ELF64_ST_TYPE(symbols[s].st_info);
            source = type == STT_FILE ? name : source;
            if (type != STT_FUNC || symbols[s].st_size == 0 ||
                symbols[s].st_shndx == SHN_UNDEF || code.start == last.start ||
                is_installer(source, name, ELF64_ST_BIND(symbols[s].st_info) == STB_LOCAL) !=
                    installer)
                continue;
            last = code;
            count = add_function(code, count);
        }
    }
    munmap((void *)bytes, (size_t)status.st_size);
    return count;
}

/* Leaves those of the COUNT requests of SET that can be installed together: our own hit path is
   refused, and what cannot be moved; in turns, because places are looked at before instructions.
   Returns their number, or 0 when one was refused oddly.  */
static uint32_t fit(struct sonde_patch_request *set, uint32_t count)
{
    for (int attempt = 0; attempt < 4; attempt++) {
        uint32_t kept = 0;
        if (sonde_patch_install(set, count, outcomes) == SONDE_PATCH_OK) {
            sonde_patch_remove(set, count);
            return count;
        }
        for (uint32_t i = 0; i < count; i++) {
            enum sonde_patch_status status = outcomes[i].status;
            if (status == SONDE_PATCH_NOT_TRIED)
                set[kept++] = set[i];
            else if (status != SONDE_PATCH_DENIED && status != SONDE_PATCH_CANNOT_MOVE &&
                     status != SONDE_PATCH_BREAKPOINT && status != SONDE_PATCH_NOT_AN_INSTRUCTION)
                return 0;
        }
        count = kept;
    }
    return 0;
}

/* Installs COUNT requests of SET under the workers, and removes them.  */
static int try_round(const struct sonde_patch_request *set, uint32_t count, int64_t *took_ns)
{
    int64_t before_ns = now_ns();
    enum sonde_patch_status status = sonde_patch_install(set, count, outcomes);
    *took_ns = now_ns() - before_ns;
    EXPECT(status == SONDE_PATCH_OK, "%s", sonde_patch_words(status));
    /* The workers compute some of it meanwhile; on a busy machine, less.  */
    uint64_t before = done;
    int64_t deadline_ns = now_ns() + 1000000000;
    while (done - before < 2 && wrong == 0 && now_ns() < deadline_ns)
        sched_yield();
    sonde_patch_remove(set, count);
    EXPECT(changed_text_bytes() == 0, "text differs");
    return 0;
}

/* Rounds with the COUNT requests, and with those of SAMPLE, which are the installer's.  */
static int try_rounds(uint32_t count, const struct sonde_patch_request *sample,
                      uint32_t sample_count)
{
    int64_t took_ns = 0, slowest_ns = 0;
    for (int round = 0; round < ROUNDS && wrong == 0; round++) {
        if (try_round(sample, sample_count, &took_ns) != 0 ||
            try_round(requests, count, &took_ns) != 0)
            return 1;
        slowest_ns = took_ns > slowest_ns ? took_ns : slowest_ns;
    }
    uint32_t jumps = 0;
    for (uint32_t i = 0; i < count; i++)
        jumps += outcomes[i].form == SONDE_PATCH_JUMP;
    printf("jumps %u\nslowest_ms %ld\n", jumps, slowest_ns / 1000000);
    return 0;
}

/* Many rounds with a part of the COUNT requests.  */
static int try_parts(uint32_t count)
{
    static struct sonde_patch_request part[SITES];
    int64_t took_ns;
    for (uint32_t round = 0; round < PART_ROUNDS && wrong == 0; round++) {
        uint32_t chosen = 0;
        for (uint32_t i = round % PART_OF; i < count; i += PART_OF)
            part[chosen++] = requests[i];
        if (try_round(part, chosen, &took_ns) != 0)
            return 1;
    }
    return 0;
}

int scenario_program(void)
{
    static struct sonde_patch_request sample[SITES];
    pthread_t threads[WORKERS];
    uint64_t random = 0x853c49e6748fea9bull;
    uint32_t sample_count = 0;
    EXPECT(sonde_decoder_load(), "no decoder");
    for (uint64_t i = 0; i < 16; i++)
        expected[i] = compute(i + 1);
    uint32_t listed = list_program(1, 0);
    for (uint32_t i = 0; i < listed; i++)
        if (next_random(&random) % 32 == 0)
            sample[sample_count++] = requests[i];
    sample_count = fit(sample, sample_count);
    uint32_t count = fit(requests, list_program(0, 0));
    EXPECT(count > 1500 && sample_count > 50 && changed_text_bytes() == 0, "%u and %u sites", count,
           sample_count);
    for (uint64_t i = 0; i < WORKERS; i++)
        pthread_create(&threads[i], 0, work, (void *)i);
    int failed = try_rounds(count, sample, sample_count) || try_parts(count);
    stop = 1;
    for (uint64_t i = 0; i < WORKERS; i++)
        pthread_join(threads[i], 0);
    EXPECT(!failed && wrong == 0, "%lu wrong of %lu", wrong, done);
    EXPECT(sonde_hits_settle(1000000000) == 1, "does not settle");
    struct sonde_patch_counters counters = sonde_patch_counters();
    printf("sites %u\nsample %u\nhits %lu\ntraps %lu\npad_bytes %lu\n", count, sample_count,
           hit_count, counters.traps, counters.pad_bytes);
    return 0;
}
