/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: the embedded store. */
#pragma once
#include <sqlite3.h>
