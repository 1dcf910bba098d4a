// SPDX-License-Identifier: Apache-2.0
// Uploaded source files by build id, each text kept once however many builds have it.

package import SondeFormats
package import SondeModel
internal import Synchronization

/// Keeps the source files of builds.
///
/// A bundle belongs to one build id; another one of the same build id takes its place. A text is
/// kept once, compressed, however many bundles have it. When there are more bytes than the limit,
/// the bundles that came first go. What is kept is on disk when the call returns.
///
/// All calls may come from any thread at the same time.
package final class SourceStore: Sendable {
    struct State: Sendable {
        let database: Database
        let packer = Packer()
        var removed = 0
    }

    /// The most bytes that all bundles may have on disk.
    package let limitBytes: Int64
    let state: Mutex<State>
    /// Kept, because its lock ends with it.
    private let dataFolder: DataFolder

    /// The database's name in the data folder.
    static let file = "sources.db"
    /// What a bundle's and a file's entry counts for, beside the text and the path.
    private static let entryBytes = 64

    static let format = Database.Format(
        applicationID: 0x536F_5372,  // "SoSr"
        version: 1,
        schema: """
            CREATE TABLE text (
                id INTEGER PRIMARY KEY,
                sha256 BLOB NOT NULL UNIQUE, -- of the text, as the next
                md5 BLOB NOT NULL,           -- empty: could not be made
                bytes INTEGER NOT NULL,      -- of the text
                size INTEGER NOT NULL,       -- of the body
                body BLOB NOT NULL) STRICT;  -- packed
            CREATE TABLE bundle (
                id INTEGER PRIMARY KEY,
                build_id TEXT NOT NULL UNIQUE,
                service TEXT NOT NULL,       -- empty: not said
                who TEXT NOT NULL,
                received INTEGER NOT NULL,   -- Unix nanoseconds
                built INTEGER,               -- when the program was made, Unix seconds
                entries INTEGER NOT NULL) STRICT;  -- bytes that the files' entries count for
            CREATE TABLE file (
                bundle INTEGER NOT NULL REFERENCES bundle (id) ON DELETE CASCADE,
                path TEXT NOT NULL,
                text INTEGER NOT NULL REFERENCES text (id),
                modified INTEGER NOT NULL,   -- Unix seconds
                PRIMARY KEY (bundle, path)) STRICT, WITHOUT ROWID;
            CREATE INDEX file_of_text ON file (text);
            """,
        name: "a database of source files of Sonde")

    /// Opens the source files of a data folder.
    ///
    /// - Parameters:
    ///   - folder: The data folder.
    ///   - limitBytes: The most bytes that all bundles may have on disk.
    /// - Throws: ``StoreError``.
    package init(_ folder: DataFolder, limitBytes: Int64) throws(StoreError) {
        let database = try Database(folder.path(Self.file), .write, Self.format)
        state = Mutex(State(database: database))
        self.limitBytes = limitBytes
        dataFolder = folder
    }

    /// Keeps a bundle in place of a former one of its build id.
    ///
    /// - Parameters:
    ///   - bundle: The files.
    ///   - facts: What else is known of it.
    /// - Throws: ``StoreError``: `rejected` without a file, `tooLarge` when it alone is more than
    ///   the limit; then nothing changed.
    /// - Returns: The bundles that had to go, by build id.
    package func keep(
        _ bundle: SourceBundle, _ facts: Facts
    ) throws(StoreError) -> [BuildID] {
        guard !bundle.files.isEmpty else {
            throw StoreError(
                .rejected,
                "cannot keep sources: got a bundle without a source file; want one at "
                    + "least")
        }
        var texts: [Text] = []
        texts.reserveCapacity(bundle.files.count)
        let packer = Packer()
        for file in bundle.files {
            guard let sha256 = MessageDigest.sha256(file.bytes) else {
                throw StoreError(
                    .inputOutput, "cannot keep sources: GnuTLS makes no SHA-256; want one")
            }
            // Packed before the lock is taken, unless it is there: builds share most of their texts.
            let isKnown = try state.withLock { state throws(StoreError) in
                try Self.text(sha256, in: state.database) != nil
            }
            texts.append(Text(sha256: sha256, body: isKnown ? nil : packer.pack(file.bytes)))
        }
        return try state.withLock { state throws(StoreError) in
            let gone = try state.database.transaction { () throws(StoreError) in
                try Self.write(bundle, texts, facts, packer, in: state.database)
                return try trim(keeping: facts.buildID, in: state.database)
            }
            state.removed += gone.count
            return gone
        }
    }

    private struct Text {
        var sha256: [UInt8]
        var body: [UInt8]?
    }

    private static func text(
        _ sha256: [UInt8], in database: Database
    ) throws(StoreError) -> Int64? {
        let rows = try database.statement("SELECT id FROM text WHERE sha256 = ?")
        defer { rows.reset() }
        try rows.bind(sha256, at: 1)
        return try rows.step() ? rows.int(0) : nil
    }

    private static func write(
        _ bundle: SourceBundle, _ texts: [Text], _ facts: Facts, _ packer: Packer,
        in database: Database
    ) throws(StoreError) {
        let old = try database.statement("DELETE FROM bundle WHERE build_id = ?")
        try old.bind(facts.buildID.description, at: 1)
        try old.run()
        let insert = try database.statement(
            "INSERT INTO bundle (build_id, service, who, received, built, entries) "
                + "VALUES (?, ?, ?, ?, ?, ?)")
        try insert.bind(facts.buildID.description, at: 1)
        try insert.bind(facts.service, at: 2)
        try insert.bind(facts.who, at: 3)
        try insert.bind(facts.received.unixNanoseconds, at: 4)
        try insert.bind(facts.built, at: 5)
        let entries = bundle.files.reduce(entryBytes) { $0 + $1.path.utf8.count + entryBytes }
        try insert.bind(Int64(entries), at: 6)
        try insert.run()
        let number = database.lastRowID
        let entry = try database.statement(
            "INSERT INTO file (bundle, path, text, modified) VALUES (?, ?, ?, ?)")
        for (file, text) in zip(bundle.files, texts) {
            let known = try self.text(text.sha256, in: database)
            let id: Int64
            if let known {
                id = known
            } else {
                id = try write(file.bytes, text, packer, in: database)
            }
            try entry.bind(number, at: 1)
            try entry.bind(file.path, at: 2)
            try entry.bind(id, at: 3)
            try entry.bind(file.modified, at: 4)
            try entry.run()
        }
    }

    private static func write(
        _ bytes: [UInt8], _ text: Text, _ packer: Packer, in database: Database
    ) throws(StoreError) -> Int64 {
        // A text that was there may have gone meanwhile.
        let body = text.body ?? packer.pack(bytes)
        let insert = try database.statement(
            "INSERT INTO text (sha256, md5, bytes, size, body) VALUES (?, ?, ?, ?, ?)")
        try insert.bind(text.sha256, at: 1)
        try insert.bind(MessageDigest.md5(bytes) ?? [], at: 2)
        try insert.bind(Int64(bytes.count), at: 3)
        try insert.bind(Int64(body.count), at: 4)
        try insert.bind(body, at: 5)
        try insert.run()
        return database.lastRowID
    }

    /// Removes the oldest bundles until the rest has no more bytes than the limit.
    private func trim(
        keeping buildID: BuildID, in database: Database
    ) throws(StoreError) -> [BuildID] {
        try Self.removeUnused(in: database)
        var gone: [BuildID] = []
        while try Self.size(of: database) > limitBytes {
            let rows = try database.statement(
                "SELECT id, build_id FROM bundle WHERE build_id <> ? ORDER BY id LIMIT 1")
            defer { rows.reset() }
            try rows.bind(buildID.description, at: 1)
            guard try rows.step() else {
                throw StoreError(
                    .tooLarge,
                    "cannot keep sources of \(buildID): got \(try Self.size(of: database)) bytes, "
                        + "compressed; want at most \(limitBytes)")
            }
            let (id, oldest) = (rows.int(0), BuildID(hex: rows.text(1)))
            rows.reset()
            let delete = try database.statement("DELETE FROM bundle WHERE id = ?")
            try delete.bind(id, at: 1)
            try delete.run()
            try Self.removeUnused(in: database)
            if let oldest { gone.append(oldest) }
        }
        return gone
    }

    static func removeUnused(in database: Database) throws(StoreError) {
        try database.execute(
            "DELETE FROM text WHERE NOT EXISTS (SELECT 1 FROM file WHERE file.text = text.id)")
    }

    /// The bytes that count against the limit.
    static func size(of database: Database) throws(StoreError) -> Int64 {
        try database.number(
            "SELECT (SELECT ifnull(sum(size), 0) FROM text) "
                + "+ (SELECT ifnull(sum(entries), 0) FROM bundle)")
    }
}
