// SPDX-License-Identifier: Apache-2.0
// What the store of source files answers: single files, all bundles, figures; and removal by hand.

package import SondeModel
internal import Synchronization

extension SourceStore {
    /// What is known of a bundle beside its files.
    package struct Facts: Hashable, Sendable {
        /// The build whose source it is.
        package var buildID: BuildID
        /// The service that it is of; empty when nobody said.
        package var service: String
        /// Who sent it.
        package var who: String
        /// When it came.
        package var received: Timestamp
        /// When the program was made, in seconds since 1970, if its sender said so.
        package var built: Int64?

        /// Facts from their parts.
        package init(
            buildID: BuildID, service: String = "", who: String, received: Timestamp,
            built: Int64? = nil
        ) {
            self.buildID = buildID
            self.service = service
            self.who = who
            self.received = received
            self.built = built
        }
    }

    /// A bundle as a list shows it.
    package struct Entry: Hashable, Sendable {
        /// What is known of it.
        package var facts: Facts
        /// How many files it has.
        package var files: Int
        /// The bytes of their texts.
        package var bytes: Int64
    }

    /// A file that was found in a bundle.
    package struct Found: Hashable, Sendable {
        /// Its path in the bundle.
        package var path: String
        /// What it holds.
        package var bytes: [UInt8]
        /// The MD5 of that; empty when it could not be made.
        package var md5: [UInt8]
        /// When it was changed last, in seconds since 1970.
        package var modified: Int64
        /// What is known of the bundle.
        package var facts: Facts
    }

    /// Figures of the store.
    package struct Figures: Hashable, Sendable {
        /// How many bundles there are.
        package var bundles = 0
        /// How many files they have together.
        package var files = 0
        /// How many different texts those are.
        package var texts = 0
        /// The bytes of all files' texts, each counted as often as a bundle has it.
        package var textBytes: Int64 = 0
        /// The bytes on disk that count against the limit.
        package var bytes: Int64 = 0
        /// Bundles that had to go since the controller started.
        package var removed = 0
    }

    /// The file of a build that a recorded path names: the longest end of it that the bundle has.
    ///
    /// - Parameters:
    ///   - recorded: A path as the compiler recorded it.
    ///   - buildID: The build.
    /// - Throws: ``StoreError``.
    /// - Returns: `nil` when there is no bundle of the build, or it has no such file.
    package func file(
        _ recorded: String, of buildID: BuildID
    ) throws(StoreError) -> Found? {
        let parts = recorded.split(separator: "/").filter { $0 != "." }
        guard parts.count <= 256 else { return nil }
        return try state.withLock { state throws(StoreError) in
            for start in parts.indices {
                let path = parts[start...].joined(separator: "/")
                if let found = try Self.file(path, buildID, state) { return found }
            }
            return nil
        }
    }

    private static func file(
        _ path: String, _ buildID: BuildID, _ state: State
    ) throws(StoreError) -> Found? {
        let rows = try state.database.statement(
            "SELECT text.md5, file.modified, text.body, \(factColumns) FROM bundle "
                + "JOIN file ON file.bundle = bundle.id JOIN text ON text.id = file.text "
                + "WHERE bundle.build_id = ? AND file.path = ?")
        defer { rows.reset() }
        try rows.bind(buildID.description, at: 1)
        try rows.bind(path, at: 2)
        guard try rows.step() else { return nil }
        var bytes: [UInt8] = []
        do throws(VarintError) {
            bytes = try rows.withBytes(2) { blob throws(VarintError) in
                try state.packer.unpack(blob) { Array($0) }
            }
        } catch {
            throw StoreError(
                .corrupt,
                "cannot read the source \(path) of \(buildID): \(error); want the bundle sent again"
            )
        }
        return Found(
            path: path, bytes: bytes, md5: rows.blob(0), modified: rows.int(1),
            facts: facts(rows, from: 3, buildID))
    }

    private static let factColumns = "bundle.service, bundle.who, bundle.received, bundle.built"

    private static func facts(_ rows: Statement, from column: Int32, _ buildID: BuildID) -> Facts {
        Facts(
            buildID: buildID, service: rows.text(column), who: rows.text(column + 1),
            received: Timestamp(unixNanoseconds: rows.int(column + 2)),
            built: rows.optionalInt(column + 3))
    }

    /// All bundles, that which came last first.
    package func list() throws(StoreError) -> [Entry] {
        try state.withLock { state throws(StoreError) in
            let rows = try state.database.statement(
                "SELECT bundle.build_id, \(Self.factColumns), count(*), ifnull(sum(text.bytes), 0) "
                    + "FROM bundle JOIN file ON file.bundle = bundle.id "
                    + "JOIN text ON text.id = file.text GROUP BY bundle.id ORDER BY bundle.id DESC")
            defer { rows.reset() }
            var entries: [Entry] = []
            while try rows.step() {
                guard let buildID = BuildID(hex: rows.text(0)) else { continue }
                entries.append(
                    Entry(
                        facts: Self.facts(rows, from: 1, buildID), files: Int(rows.int(5)),
                        bytes: rows.int(6)))
            }
            return entries
        }
    }

    /// Removes the bundle of a build.
    ///
    /// - Throws: ``StoreError``; `notFound` when there is none.
    package func remove(_ buildID: BuildID) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            try state.database.transaction { () throws(StoreError) in
                let delete = try state.database.statement("DELETE FROM bundle WHERE build_id = ?")
                try delete.bind(buildID.description, at: 1)
                try delete.run()
                guard state.database.changes > 0 else {
                    throw StoreError(
                        .notFound,
                        "cannot remove sources: got the build id \(buildID); want one that has a bundle"
                    )
                }
                try Self.removeUnused(in: state.database)
            }
        }
    }

    /// How much there is.
    package func figures() throws(StoreError) -> Figures {
        try state.withLock { state throws(StoreError) in
            let database = state.database
            return Figures(
                bundles: Int(try database.number("SELECT count(*) FROM bundle")),
                files: Int(try database.number("SELECT count(*) FROM file")),
                texts: Int(try database.number("SELECT count(*) FROM text")),
                textBytes: try database.number(
                    "SELECT ifnull(sum(text.bytes), 0) FROM file JOIN text ON text.id = file.text"),
                bytes: try Self.size(of: database), removed: state.removed)
        }
    }
}
