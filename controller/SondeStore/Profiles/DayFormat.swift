// SPDX-License-Identifier: Apache-2.0
// The database of one day: its schema, its path, and the packing of labels.

internal import SondeModel

/// What the database of one day looks like.
///
/// `docs/architecture.md` tells how it is used; `SondeStoreTests` keeps a file of each version.
enum DayFormat {
    static let version: Int32 = 2

    static let format = Database.Format(
        applicationID: 0x536F_5066,  // "SoPf"
        version: version,
        schema: """
            CREATE TABLE series (
                id INTEGER PRIMARY KEY,
                type TEXT NOT NULL,       -- five parts and four colons
                labels BLOB NOT NULL,     -- names and values in order of names, lengths as varints
                UNIQUE (type, labels)) STRICT;
            CREATE TABLE profile (
                id INTEGER PRIMARY KEY,
                series INTEGER NOT NULL,
                start INTEGER NOT NULL,   -- Unix nanoseconds
                duration INTEGER NOT NULL, period INTEGER NOT NULL,
                total INTEGER NOT NULL,   -- the sum of its values
                tree INTEGER NOT NULL,
                body BLOB NOT NULL        -- see ProfileBody
                ) STRICT;
            -- Holds all that a timeline needs.
            CREATE INDEX profile_of_series ON profile (series, start, total);
            -- Segments of trees that are stored in this file, as those of version 1 are.
            CREATE TABLE segment (
                tree INTEGER NOT NULL, first_node INTEGER NOT NULL, body BLOB NOT NULL,
                PRIMARY KEY (tree, first_node)) STRICT;
            -- Where a tree's stacks are: in a database of stacks, or in this file.
            \(treeTable)
            \(blocks)
            """,
        name: "a day of profiles of Sonde",
        upgrades: [
            """
            DROP INDEX tree_of_service;
            ALTER TABLE tree RENAME TO tree_before;
            \(treeTable)
            INSERT INTO tree (id, service) SELECT id, service FROM tree_before;
            DROP TABLE tree_before;
            \(blocks)
            INSERT INTO usage
                SELECT series, count(*), sum(length(body)), min(start), max(start)
                FROM profile GROUP BY series;
            INSERT INTO pending
                SELECT DISTINCT 0, p.series, l.column1, p.start - p.start % l.column2
                FROM profile AS p, (VALUES (1, 600000000000), (2, 7200000000000),
                    (3, 86400000000000)) AS l WHERE p.start >= 0;
            """
        ])

    private static let treeTable = """
        CREATE TABLE tree (
            id INTEGER PRIMARY KEY, service TEXT NOT NULL,
            epoch INTEGER, shared INTEGER,  -- the database of stacks, and the tree there
            UNIQUE (epoch, shared)) STRICT;
        """

    /// What version 2 added.
    private static let blocks = """
        -- What spans spent of a profile.
        CREATE TABLE span (
            span INTEGER NOT NULL, profile INTEGER NOT NULL, trace BLOB,
            total INTEGER NOT NULL, body BLOB NOT NULL,
            PRIMARY KEY (span, profile)) STRICT, WITHOUT ROWID;
        CREATE INDEX span_of_profile ON span (profile);
        CREATE INDEX span_of_trace ON span (trace) WHERE trace IS NOT NULL;
        -- Sums of all profiles that begin in a window of time. See BlockLadder.
        CREATE TABLE block (
            id INTEGER PRIMARY KEY,
            scope INTEGER NOT NULL,       -- 0: one series; 1: all series of a type and a service
            owner INTEGER NOT NULL,       -- the series, the first one of a family
            level INTEGER NOT NULL, begin INTEGER NOT NULL, tree INTEGER NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL,  -- when its profiles begin
            profiles INTEGER NOT NULL,    -- 0 in all parts of a block but its first
            total INTEGER NOT NULL,       -- the sum of this part's values
            body BLOB NOT NULL,           -- see ProfileBody
            UNIQUE (scope, owner, level, begin, tree)) STRICT;
        -- Windows with profiles that no block holds yet. While the shortest one of a scope is here,
        -- there is no block of any window around it.
        CREATE TABLE pending (
            scope INTEGER NOT NULL, owner INTEGER NOT NULL, level INTEGER NOT NULL,
            begin INTEGER NOT NULL, PRIMARY KEY (scope, owner, level, begin)) STRICT, WITHOUT ROWID;
        CREATE TABLE usage (
            series INTEGER PRIMARY KEY, profiles INTEGER NOT NULL, bytes INTEGER NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL) STRICT;
        -- The highest ids of profiles that were removed: ids are not used twice.
        CREATE TABLE removed (highest INTEGER NOT NULL) STRICT;
        """

    /// Where a day's database lies.
    static func path(_ day: UTCDay, in folder: String) -> String { "\(folder)/\(day.name).db" }

    /// The day of a database's file name, or `nil` when it is none.
    static func day(ofFile name: String) -> UTCDay? {
        name.hasSuffix(".db") ? UTCDay(name: String(name.dropLast(3))) : nil
    }

    static func encode(_ labels: LabelSet) -> [UInt8] {
        var writer = VarintWriter()
        for label in labels.labels {
            writer.write(label.name)
            writer.write(label.value)
        }
        return writer.bytes
    }

    static func decodeLabels(_ bytes: UnsafeRawBufferPointer) throws(VarintError) -> LabelSet {
        var reader = VarintReader(bytes)
        var labels: [Label] = []
        while !reader.isAtEnd {
            labels.append(Label(name: try reader.readText(), value: try reader.readText()))
        }
        do {
            return try LabelSet(labels)
        } catch {
            throw VarintError(reason: error.description)
        }
    }

    /// What damaged content of a day's database means for the caller.
    static func damaged(_ path: String, _ what: String, _ error: VarintError) -> StoreError {
        StoreError(
            .corrupt,
            "cannot read \(path): \(what) is damaged (\(error.reason)); "
                + "want it restored or moved away")
    }
}
