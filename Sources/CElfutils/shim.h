/* SPDX-License-Identifier: Apache-2.0 */
/* elfutils: ELF files and DWARF. */
#pragma once
#include <elf.h>
#include <gelf.h>
#include <libelf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwfl.h>
#include <dwarf.h>
