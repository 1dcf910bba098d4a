/* SPDX-License-Identifier: Apache-2.0 */
/* zstd: compression of stored blobs. */
#pragma once
#include <zstd.h>
