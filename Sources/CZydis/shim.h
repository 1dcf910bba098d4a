/* SPDX-License-Identifier: Apache-2.0 */
/* Zydis: x86 instructions. */
#pragma once
#include <Zydis/Zydis.h>
