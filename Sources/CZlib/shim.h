/* SPDX-License-Identifier: Apache-2.0 */
/* zlib: gzip and deflate. */
#pragma once
#include <zlib.h>
