/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for pads within reach of the code they belong to. It is readable and executable from the
   start and written through sonde_text_write; it is never unmapped or written twice, because a
   thread may be anywhere in a pad for ever, as in a signal handler that interrupted it there.  */
#pragma once

#include <stdint.h>

/* Room for SONDE_PAD_BYTES within 1 GiB of [LOW, HIGH), 8-aligned. Returns its address, or 0. It
   is free until sonde_near_take.  */
uint64_t sonde_near_room(uint64_t low, uint64_t high);

/* Takes the first COUNT bytes of the room at ADDRESS.  */
void sonde_near_take(uint64_t address, uint32_t count);

/* Room for a jump of COUNT bytes (at most 16) at an address A for which the distance A - FROM,
   32 bits signed, equals VALUE in the bits of MASK. Returns the address, or 0. The bytes are
   taken.  */
uint64_t sonde_near_take_at(uint64_t from, uint32_t mask, uint32_t value, uint32_t count);

/* The bytes of address space that pads have.  */
uint64_t sonde_near_bytes(void);
