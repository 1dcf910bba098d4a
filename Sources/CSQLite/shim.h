/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite: the embedded store. */
#pragma once
#include <sqlite3.h>

/* Binds bytes that SQLite copies before it returns. SQLITE_TRANSIENT is a cast that Swift cannot
   import. */
static inline int sonde_sqlite_bind_blob(
    sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}

/* Binds COUNT bytes of UTF-8 that SQLite copies before it returns. TEXT may be NULL when COUNT is
   0: it is the empty text then, not NULL. */
static inline int sonde_sqlite_bind_text(
    sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, text ? text : "", count, SQLITE_TRANSIENT, SQLITE_UTF8);
}
