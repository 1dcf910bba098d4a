/* SPDX-License-Identifier: Apache-2.0 */
/* The sampler's C side: what runs in the signal handler, and what prepares it.
   sonde_sig_* may run in a signal handler; the rest is ordinary.  */
#pragma once

#include "sonde_images.h"
#include "sonde_memory.h"
#include "sonde_sampler.h"
#include "sonde_threads.h"
#include "sonde_unwind.h"
