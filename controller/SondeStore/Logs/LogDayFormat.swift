// SPDX-License-Identifier: Apache-2.0
// The database of one day of log lines: its schema.

/// What the database of one day of log lines looks like.
///
/// `SondeStoreTests` keeps a file of each version.
enum LogDayFormat {
    static let version: Int32 = 1

    static let format = Database.Format(
        applicationID: 0x536F_4C67,  // "SoLg"
        version: version,
        schema: """
            CREATE TABLE stream (
                id INTEGER PRIMARY KEY,
                labels BLOB NOT NULL UNIQUE  -- as those of a series of profiles
                ) STRICT;
            -- Lines of one stream. Small chunks are what one transaction brought; when a stream has
            -- enough of them they become a large one.
            CREATE TABLE chunk (
                id INTEGER PRIMARY KEY,      -- in order of receipt
                stream INTEGER NOT NULL,
                first INTEGER NOT NULL,      -- Unix nanoseconds of its earliest line
                last INTEGER NOT NULL,       -- and of its latest
                entries INTEGER NOT NULL,
                bytes INTEGER NOT NULL,      -- of its lines, without metadata
                is_small INTEGER NOT NULL,
                body BLOB NOT NULL           -- see LogChunk
                ) STRICT;
            CREATE INDEX chunk_of_stream ON chunk (stream, last, first, entries, bytes);
            CREATE INDEX small_chunk ON chunk (stream) WHERE is_small = 1;
            """,
        name: "a day of logs of Sonde")
}
