// SPDX-License-Identifier: Apache-2.0
// What is still to be forwarded to another server: on disk, bounded, the oldest first.

package import SondeModel
internal import Synchronization

/// A queue on disk of what is to be forwarded.
///
/// What was appended is on disk when the call returns, and stays until it is removed or until the
/// queue is full: then the oldest goes, counted. What became of lines is counted in the same
/// transaction that takes them out, so the counts survive the end of the process by any means: at
/// each moment each line that ever came waits, or is counted.
///
/// All calls may come from any thread at the same time.
package final class ExportSpool: Sendable {
    /// Several entries of the queue, the oldest first.
    package struct Batch: Hashable, Sendable {
        /// The last entry's number, for ``ExportSpool/remove(through:countingAs:)``.
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
        /// Lines that went because the queue was full, ever.
        package var droppedLines: UInt64 = 0

        /// Nothing.
        package init() {}
    }

    private struct State: Sendable {
        let database: Database
        var size: Size
        var counts: [String: UInt64]
    }

    /// What lines are counted as that went because the queue was full.
    private static let queueFull = "queue_full"

    /// The most bytes of all entries.
    package let maximumBytes: Int64
    private let state: Mutex<State>
    /// Kept, because its lock ends with it.
    private let dataFolder: DataFolder

    private static let format = Database.Format(
        applicationID: 0x536F_4578,  // "SoEx"
        version: 2,
        schema: """
            CREATE TABLE entry (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                came INTEGER NOT NULL,       -- Unix nanoseconds
                lines INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
            \(outcomeTable)
            """,
        name: "a queue of what Sonde forwards", upgrades: [outcomeTable])

    private static let outcomeTable = """
        -- What became of the lines that left the queue.
        CREATE TABLE outcome (name TEXT PRIMARY KEY, lines INTEGER NOT NULL) STRICT;
        """

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
        let counts = try Self.counts(in: database)
        size.droppedLines = counts[Self.queueFull] ?? 0
        state = Mutex(State(database: database, size: size, counts: counts))
        self.maximumBytes = maximumBytes
        dataFolder = folder
    }

    /// What the queue holds now.
    package var size: Size { state.withLock { $0.size } }

    /// Lines that left the queue, by what became of them, ever.
    package var counts: [String: UInt64] { state.withLock { $0.counts } }

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
            let droppedBefore = size.droppedLines
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
                try Self.count(
                    size.droppedLines - droppedBefore, as: Self.queueFull, in: state.database)
            }
            size.entries += 1
            size.bytes += Int64(body.count)
            size.lines += lines
            state.size = size
            state.counts[Self.queueFull] = size.droppedLines > 0 ? size.droppedLines : nil
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

    /// Removes entries up to a number, and counts their lines, both or neither.
    ///
    /// - Parameters:
    ///   - last: The number of the last entry that was delivered or given up.
    ///   - outcome: What became of them; a word for ``counts``.
    /// - Throws: ``StoreError``; the entries are still there then, and not counted.
    package func remove(through last: Int64, countingAs outcome: String) throws(StoreError) {
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
                try Self.count(UInt64(clamping: gone.lines), as: outcome, in: state.database)
            }
            state.counts[outcome, default: 0] += UInt64(clamping: gone.lines)
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

    private static func counts(in database: Database) throws(StoreError) -> [String: UInt64] {
        let rows = try database.statement("SELECT name, lines FROM outcome")
        defer { rows.reset() }
        var counts: [String: UInt64] = [:]
        while try rows.step() { counts[rows.text(0)] = UInt64(clamping: rows.int(1)) }
        return counts
    }

    private static func count(
        _ lines: UInt64, as outcome: String, in database: Database
    ) throws(StoreError) {
        guard lines > 0 else { return }
        let add = try database.statement(
            "INSERT INTO outcome (name, lines) VALUES (?, ?) "
                + "ON CONFLICT (name) DO UPDATE SET lines = lines + excluded.lines")
        try add.bind(outcome, at: 1)
        try add.bind(Int64(clamping: lines), at: 2)
        try add.run()
    }
}
