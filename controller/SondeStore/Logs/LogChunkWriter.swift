// SPDX-License-Identifier: Apache-2.0
// Puts a stream's lines into chunks: small ones at once, large ones when there is enough.

internal import SondeModel

/// Writes chunks into one day's database, inside of the caller's transaction.
struct LogChunkWriter {
    /// How much some chunks hold.
    struct Extent {
        var chunks = 0
        var entries = 0
        var bytes = 0
    }

    let database: Database
    let packer: Packer
    let limits: LogDayWriter.Limits

    /// What the small chunks of a stream hold.
    func small(of stream: Int64) throws(StoreError) -> Extent {
        let rows = try database.statement(
            "SELECT count(*), coalesce(sum(entries), 0), coalesce(sum(bytes), 0) FROM chunk "
                + "WHERE stream = ? AND is_small = 1")
        defer { rows.reset() }
        try rows.bind(stream, at: 1)
        guard try rows.step() else { return Extent() }
        return Extent(
            chunks: Int(rows.int(0)), entries: Int(rows.int(1)), bytes: Int(rows.int(2)))
    }

    /// Stores lines of a stream, with its small chunks as large ones when there is enough.
    ///
    /// - Parameters:
    ///   - entries: The lines, in the order in which they were received.
    ///   - stream: The stream's number.
    ///   - small: What its small chunks hold so far.
    /// - Returns: What its small chunks hold now.
    /// - Throws: ``StoreError``.
    func store(
        _ entries: [LogEntry], of stream: Int64, beside small: Extent
    ) throws(StoreError) -> Extent {
        let bytes = entries.reduce(0) { $0 + $1.line.utf8.count }
        let sum = Extent(
            chunks: small.chunks + 1, entries: small.entries + entries.count,
            bytes: small.bytes + bytes)
        if sum.chunks >= limits.smallChunks || sum.entries >= limits.chunkEntries
            || sum.bytes >= limits.chunkBytes
        {
            try pack(entries, of: stream)
            return Extent()
        }
        try insert(entries.sortedByTime[...], of: stream, isSmall: true)
        return sum
    }

    /// Makes large chunks of a stream's small ones and of what is added.
    private func pack(_ added: [LogEntry], of stream: Int64) throws(StoreError) {
        var entries: [LogEntry] = []
        var ids: [Int64] = []
        let rows = try database.statement(
            "SELECT id, body FROM chunk WHERE stream = ? AND is_small = 1 ORDER BY id")
        defer { rows.reset() }
        try rows.bind(stream, at: 1)
        while try rows.step() {
            ids.append(rows.int(0))
            entries += try LogDayReader.entries(
                rows, 1, LogChunk.Wanted(range: .always), database.path, packer)
        }
        rows.reset()
        entries = (entries + added).sortedByTime
        var begin = 0
        var bytes = 0
        for (index, entry) in entries.enumerated() {
            bytes += entry.line.utf8.count
            let count = index - begin + 1
            guard
                index == entries.count - 1 || bytes >= limits.chunkBytes * 2
                    || count >= limits.chunkEntries * 2
            else { continue }
            try insert(entries[begin...index], of: stream, isSmall: false)
            (begin, bytes) = (index + 1, 0)
        }
        // Only now, so that the new chunks' numbers are greater than these.
        let delete = try database.statement("DELETE FROM chunk WHERE id = ?")
        for id in ids {
            try delete.bind(id, at: 1)
            try delete.run()
        }
    }

    private func insert(
        _ entries: ArraySlice<LogEntry>, of stream: Int64, isSmall: Bool
    ) throws(StoreError) {
        guard let first = entries.first, let last = entries.last else { return }
        let insert = try database.statement(
            "INSERT INTO chunk (stream, first, last, entries, bytes, is_small, body) "
                + "VALUES (?, ?, ?, ?, ?, ?, ?)")
        try insert.bind(stream, at: 1)
        try insert.bind(first.time.unixNanoseconds, at: 2)
        try insert.bind(last.time.unixNanoseconds, at: 3)
        try insert.bind(Int64(entries.count), at: 4)
        try insert.bind(entries.reduce(Int64(0)) { $0 + Int64($1.line.utf8.count) }, at: 5)
        try insert.bind(Int64(isSmall ? 1 : 0), at: 6)
        try insert.bind(packer.pack(LogChunk.encode(Array(entries))), at: 7)
        try insert.run()
    }
}

extension [LogEntry] {
    /// In order of time; what has the same time stays in order of receipt.
    var sortedByTime: [LogEntry] {
        guard !zip(self, dropFirst()).allSatisfy({ $0.time <= $1.time }) else { return self }
        return enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }.map(\.element)
    }
}

extension TimeRange {
    /// All times.
    static let always: TimeRange = {
        let ends = (Timestamp(unixNanoseconds: .min), Timestamp(unixNanoseconds: .max))
        guard let range = TimeRange(from: ends.0, until: ends.1) else {
            preconditionFailure("BUG: the smallest time lies behind the largest")
        }
        return range
    }()
}
