// SPDX-License-Identifier: Apache-2.0
// The database of one day: its schema, its path, and the packing of labels.

internal import SondeModel

/// What the database of one day looks like.
///
/// `docs/architecture.md` tells how it is used; `SondeStoreTests` keeps a file of each version.
enum DayFormat {
    static let version: Int32 = 1

    static let format = Database.Format(
        applicationID: 0x536F_5066,  // "SoPf"
        version: version,
        schema: """
            CREATE TABLE series (
                id INTEGER PRIMARY KEY,
                type TEXT NOT NULL,       -- five parts and four colons
                labels BLOB NOT NULL,     -- names and values in order of names, lengths as varints
                UNIQUE (type, labels)) STRICT;
            -- One tree of stacks for each service, or several when one grew too large.
            CREATE TABLE tree (
                id INTEGER PRIMARY KEY, service TEXT NOT NULL) STRICT;
            CREATE INDEX tree_of_service ON tree (service, id);
            -- A tree is its segments in order of their first nodes. See StackSegment.
            CREATE TABLE segment (
                tree INTEGER NOT NULL, first_node INTEGER NOT NULL, body BLOB NOT NULL,
                PRIMARY KEY (tree, first_node)) STRICT;
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
            """,
        name: "a day of profiles of Sonde")

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
