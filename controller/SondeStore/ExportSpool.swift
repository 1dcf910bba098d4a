// SPDX-License-Identifier: Apache-2.0
// What is still to be forwarded to another server: on disk, bounded, the oldest first.

package import SondeModel
internal import Synchronization

/// A queue on disk of what is to be forwarded.
///
/// What was appended is on disk when the call returns, and stays until it is removed or until the
/// queue is full: then the oldest goes, counted.
///
/// All calls may come from any thread at the same time.
package final class ExportSpool: Sendable {
    /// Several entries of the queue, the oldest first.
    package struct Batch: Hashable, Sendable {
        /// The last entry's number, for ``ExportSpool/remove(through:)``.
        package var last: Int64
        /// The entries' bytes, one after the other.
        package var body: [UInt8]
        /// How many entries.
        package var entries = 1
        /// What the entries count for.
        package var lines: Int
        /// When the oldest of them came.
        package var oldest: Timestamp
    }

    /// What the queue holds.
    package struct Size: Hashable, Sendable {
        /// Entries.
        package var entries = 0
        /// Their bytes.
        package var bytes: Int64 = 0
        /// What they count for.
        package var lines = 0
        /// Lines that went because the queue was full, since it was opened.
        package var droppedLines: UInt64 = 0

        /// Nothing.
        package init() {}
    }

    private struct State: Sendable {
        let database: Database
        var size: Size
    }

    /// The most bytes of all entries.
    package let maximumBytes: Int64
    private let state: Mutex<State>
    /// Kept, because its lock ends with it.
    private let dataFolder: DataFolder

    private static let format = Database.Format(
        applicationID: 0x536F_4578,  // "SoEx"
        version: 1,
        schema: """
            CREATE TABLE entry (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                came INTEGER NOT NULL,       -- Unix nanoseconds
                lines INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
            """,
        name: "a queue of what Sonde forwards")

    /// Opens a queue of a data folder, and creates it when it is not there.
    ///
    /// - Parameters:
    ///   - folder: The data folder.
    ///   - name: What the queue is called: letters and dashes.
    ///   - maximumBytes: The most bytes of all entries.
    /// - Throws: ``StoreError``.
    package init(_ folder: DataFolder, name: String, maximumBytes: Int64) throws(StoreError) {
        let database = try Database(folder.path("export-\(name).db"), .write, Self.format)
        var size = Size()
        size.entries = Int(try database.number("SELECT count(*) FROM entry"))
        size.bytes = try database.number("SELECT coalesce(sum(length(body)), 0) FROM entry")
        size.lines = Int(try database.number("SELECT coalesce(sum(lines), 0) FROM entry"))
        state = Mutex(State(database: database, size: size))
        self.maximumBytes = maximumBytes
        dataFolder = folder
    }

    /// What the queue holds now.
    package var size: Size { state.withLock { $0.size } }

    /// Appends an entry; it is on disk when this returns.
    ///
    /// - Parameters:
    ///   - body: Its bytes.
    ///   - lines: What it counts for.
    ///   - now: The present.
    /// - Throws: ``StoreError``: `tooLarge` when it alone is more than the queue may hold, `diskFull`.
    package func append(_ body: [UInt8], lines: Int, now: Timestamp) throws(StoreError) {
        guard Int64(body.count) <= maximumBytes else {
            throw StoreError(
                .tooLarge,
                "cannot keep \(body.count) bytes for forwarding: want at most \(maximumBytes)")
        }
        try state.withLock { state throws(StoreError) in
            var size = state.size
            try state.database.transaction { () throws(StoreError) in
                while size.bytes + Int64(body.count) > maximumBytes, size.entries > 0 {
                    try Self.dropOldest(in: state.database, &size)
                }
                let insert = try state.database.statement(
                    "INSERT INTO entry (came, lines, body) VALUES (?, ?, ?)")
                try insert.bind(now.unixNanoseconds, at: 1)
                try insert.bind(Int64(lines), at: 2)
                try insert.bind(body, at: 3)
                try insert.run()
            }
            size.entries += 1
            size.bytes += Int64(body.count)
            size.lines += lines
            state.size = size
        }
    }

    /// The oldest entries, which stay in the queue.
    ///
    /// - Parameter maximumBytes: As many as fit, but at least one.
    /// - Throws: ``StoreError``.
    /// - Returns: The entries; `nil` when there are none.
    package func oldest(maximumBytes: Int) throws(StoreError) -> Batch? {
        try state.withLock { state throws(StoreError) in
            let rows = try state.database.statement(
                "SELECT id, came, lines, body FROM entry ORDER BY id")
            defer { rows.reset() }
            var batch: Batch?
            while try rows.step() {
                let body = rows.blob(3)
                guard let held = batch?.body.count else {
                    batch = Batch(
                        last: rows.int(0), body: body, lines: Int(rows.int(2)),
                        oldest: Timestamp(unixNanoseconds: rows.int(1)))
                    continue
                }
                guard held + body.count <= maximumBytes else { break }
                // In place: a copy for each entry would make a full batch quadratic.
                batch?.last = rows.int(0)
                batch?.body += body
                batch?.entries += 1
                batch?.lines += Int(rows.int(2))
            }
            return batch
        }
    }

    /// Removes entries up to a number, which were delivered or given up.
    package func remove(through last: Int64) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            var gone = Size()
            try state.database.transaction { () throws(StoreError) in
                let sum = try state.database.statement(
                    "SELECT count(*), coalesce(sum(length(body)), 0), coalesce(sum(lines), 0) "
                        + "FROM entry WHERE id <= ?")
                try sum.bind(last, at: 1)
                if try sum.step() {
                    gone.entries = Int(sum.int(0))
                    gone.bytes = sum.int(1)
                    gone.lines = Int(sum.int(2))
                }
                sum.reset()
                let delete = try state.database.statement("DELETE FROM entry WHERE id <= ?")
                try delete.bind(last, at: 1)
                try delete.run()
            }
            state.size.entries -= gone.entries
            state.size.bytes -= gone.bytes
            state.size.lines -= gone.lines
        }
    }

    private static func dropOldest(in database: Database, _ size: inout Size) throws(StoreError) {
        let oldest = try database.statement(
            "DELETE FROM entry WHERE id = (SELECT min(id) FROM entry) "
                + "RETURNING length(body), lines")
        defer { oldest.reset() }
        guard try oldest.step() else {
            let dropped = size.droppedLines
            size = Size()
            size.droppedLines = dropped
            return
        }
        size.entries -= 1
        size.bytes -= oldest.int(0)
        size.lines -= Int(oldest.int(1))
        size.droppedLines += UInt64(clamping: oldest.int(1))
        // A statement that returns rows has done its work only when it is stepped to its end.
        _ = try oldest.step()
    }
}
