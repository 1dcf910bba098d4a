/* SPDX-License-Identifier: Apache-2.0 */
/* Probes in running code: sites are installed and removed while all threads run. Ordinary context;
   one thread at a time, which holds its owner's lock; never at a hit.

   A site is patched with a jump to a pad where whole instructions of 5 bytes can be displaced, else
   with int3, whose handler sends the thread to the pad. No thread is stopped or waited for. Each
   byte at which an instruction started and which a jump covers is 0xcc in the jump, so whoever
   arrives there, now or later, is sent to that instruction's copy.  */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "hit.h"

/* The most sites that this process can ever have, and the bytes of pads.  */
#define SONDE_MAX_SITES 16384u
#define SONDE_MAX_PAD_BYTES ((uint64_t)64 << 20)

/* How a request fared.  */
enum sonde_patch_status {
    SONDE_PATCH_OK = 0,
    SONDE_PATCH_NOT_TRIED = 1,          /* another request of the set was refused */
    SONDE_PATCH_NO_DECODER = 2,         /* libZydis.so.4.0 cannot be loaded */
    SONDE_PATCH_NO_BARRIER = 3,         /* the kernel has no membarrier for changed code */
    SONDE_PATCH_NO_WRITE = 4,           /* /proc/self/mem cannot write to text */
    SONDE_PATCH_NO_HANDLER = 5,         /* the kernel refuses a handler for SIGTRAP */
    SONDE_PATCH_TRAP_BLOCKED = 6,       /* a thread blocks SIGTRAP; detail is its id */
    SONDE_PATCH_NO_MEMORY = 7,          /* too many sites, or no room for a pad near the code */
    SONDE_PATCH_NOT_TEXT = 8,           /* no executable part of a loaded image */
    SONDE_PATCH_DENIED = 9,             /* our own code, libc, the dynamic linker, or denied */
    SONDE_PATCH_NOT_AN_INSTRUCTION = 10,/* no instruction of the function starts there */
    SONDE_PATCH_CANNOT_MOVE = 11,       /* the instruction only works where it is */
    SONDE_PATCH_BREAKPOINT = 12,        /* somebody else's int3 or a debugger's */
    SONDE_PATCH_CHANGED = 13,           /* somebody else has written to this code */
    SONDE_PATCH_FORKED = 14,            /* a child of a fork in the middle of a change */
    SONDE_PATCH_OVERLAP = 15,           /* the bounds of two functions overlap */
    SONDE_PATCH_TRACED = 16,            /* a debugger takes our signals; detail is its process */
    SONDE_PATCH_SHADOW_STACK = 17,      /* return addresses are guarded by the processor */
    SONDE_PATCH_STATUSES = 18,
};

/* What a site became.  */
enum sonde_patch_form {
    SONDE_PATCH_NONE = 0,
    SONDE_PATCH_JUMP = 1, /* tens of nanoseconds a hit */
    SONDE_PATCH_TRAP = 2, /* a signal a hit: microseconds */
};

/* One program for one site. ADDRESS: runtime address of the instruction. The function's bounds
   [FUNCTION_START, FUNCTION_END) are runtime addresses too, and its first byte starts an
   instruction. RUN and CONTEXT are called at each hit, in the order of installing; the pair names
   the program when it is removed. CONTEXT must live until sonde_hits_settle after that.  */
struct sonde_patch_request {
    uint64_t address, function_start, function_end;
    sonde_hit_run run;
    void *context;
};

struct sonde_patch_outcome {
    enum sonde_patch_status status;
    enum sonde_patch_form form;
    uint64_t detail; /* see the status; otherwise 0 */
};

/* A status in words, for people: why it was refused.  */
const char *sonde_patch_words(enum sonde_patch_status status);

/* Installs all COUNT requests or none. OUTCOMES, of COUNT entries, tells each one's status and
   form. Returns SONDE_PATCH_OK, or the first refusal. Adding programs to a site that has some, and
   sites beside and inside of patched code, is fine. The caller has checked the image's build id.  */
enum sonde_patch_status sonde_patch_install(const struct sonde_patch_request *requests,
                                            uint32_t count, struct sonde_patch_outcome *outcomes);

/* Removes all COUNT requests (address, run and context count); those that are not installed are
   ignored. Bytes of code without a site are as they were, in memory that is still the same image.
   Afterwards no hit begins to run the programs; see sonde_hits_settle for those that do.  */
void sonde_patch_remove(const struct sonde_patch_request *requests, uint32_t count);

/* What would become of a request now: nothing is written.  */
struct sonde_patch_outcome sonde_patch_plan(const struct sonde_patch_request *request);

/* The form of the site at ADDRESS, SONDE_PATCH_NONE when it has no program.  */
enum sonde_patch_form sonde_patch_form_at(uint64_t address);

/* Refuses sites in [START, END) from now on; at most 256 ranges. Returns 0, or -1 when full.  */
int sonde_patch_deny(uint64_t start, uint64_t end);

/* Call about once a second while sites are installed. When the program has replaced the handler of
   SIGTRAP it is put in front again and calls the program's. Handlers that block SIGTRAP while they
   run are made to let it pass. Returns SONDE_PATCH_OK; SONDE_PATCH_TRAP_BLOCKED when a thread now
   blocks SIGTRAP, with its id in *DETAIL, or SONDE_PATCH_NO_HANDLER: then sites with traps have to
   be removed, because such a thread would be killed there.  */
enum sonde_patch_status sonde_patch_check(uint64_t *detail);

/* Forgets sites in [START, END), which the dynamic linker has unmapped: nothing is written there.
   Their programs count as removed.  */
void sonde_patch_forget(uint64_t start, uint64_t end);

/* Counters of the whole process.  */
struct sonde_patch_counters {
    uint64_t sites, jump_sites, trap_sites; /* with a program, now */
    uint64_t pad_bytes;                     /* of pads ever made; they are used again, not freed */
    uint64_t traps;                         /* signals that were ours */
    uint64_t foreign_traps;                 /* signals passed on */
    uint64_t retaken_handlers;              /* times our handler was put in front again */
    uint64_t unblocked_handlers;            /* handlers made to let SIGTRAP pass */
    uint64_t exchanged_masks;               /* imports of calls that block signals, now ours */
    uint64_t lost_writes;                   /* regions that somebody else changed or unmapped */
};

struct sonde_patch_counters sonde_patch_counters(void);
