/* SPDX-License-Identifier: Apache-2.0 */
/* SIGTRAP stays let through: what the program calls to block signals passes by here.  */
#pragma once

#include <stdint.h>

/* Puts ours in the place of pthread_sigmask, sigprocmask and sigaction in every loaded image but
   libc, from now on and for images that were loaded since the last call: they do what the program
   asks for, but leave SIGTRAP out. The kernel ends a process that meets an int3 with SIGTRAP
   blocked, also for a moment. Cheap when no image came. Returns how many places were changed.  */
uint32_t sonde_masks_take(void);
