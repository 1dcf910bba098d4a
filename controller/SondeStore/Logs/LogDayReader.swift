// SPDX-License-Identifier: Apache-2.0
// Reads log lines from the database of one day.

internal import SondeModel

/// One reader of one day's database of log lines.
///
/// Safety of `@unchecked Sendable`: used by one thread at a time; the store hands an idle reader to
/// one caller under its lock.
final class LogDayReader: @unchecked Sendable {
    /// A chunk, before it is read.
    private struct Chunk {
        var id: Int64
        var first: Int64
        var last: Int64
        var labels: LabelSet
    }

    private let database: Database
    private let packer = Packer()

    init(path: String) throws(StoreError) {
        database = try Database(path, .read, LogDayFormat.format)
    }

    /// How many lines there are.
    func entryCount() throws(StoreError) -> Int64 {
        try database.number("SELECT coalesce(sum(entries), 0) FROM chunk")
    }

    /// The streams with a chunk that reaches into the range.
    func streams(in range: TimeRange) throws(StoreError) -> [LabelSet] {
        let rows = try database.statement(
            "SELECT labels FROM stream AS s WHERE EXISTS (SELECT 1 FROM chunk AS c "
                + "WHERE c.stream = s.id AND c.last >= ? AND c.first <= ?)")
        defer { rows.reset() }
        try rows.bind(range.from.unixNanoseconds, at: 1)
        try rows.bind(range.until.unixNanoseconds, at: 2)
        var result: [LabelSet] = []
        while try rows.step() { result.append(try labels(rows, 0)) }
        return result
    }

    /// Adds up the chunks of some streams that reach into the range.
    func addFigures(
        in range: TimeRange, where matches: (LabelSet) -> Bool, to figures: inout LogFigures,
        _ seen: inout Set<LabelSet>
    ) throws(StoreError) {
        try database.snapshot { () throws(StoreError) in
            for (id, labels) in try matchingStreams(matches) {
                let rows = try database.statement(
                    "SELECT count(*), coalesce(sum(entries), 0), coalesce(sum(bytes), 0) "
                        + "FROM chunk WHERE stream = ? AND last >= ? AND first <= ?")
                try rows.bind(id, at: 1)
                try rows.bind(range.from.unixNanoseconds, at: 2)
                try rows.bind(range.until.unixNanoseconds, at: 3)
                guard try rows.step(), rows.int(0) > 0 else { continue }
                figures.chunks += Int(rows.int(0))
                figures.entries += rows.int(1)
                figures.bytes += rows.int(2)
                seen.insert(labels)
            }
        }
    }

    /// Hands over lines in order; `false` when `take` wanted no more.
    ///
    /// Chunks are read when the order reaches them, so that the newest hundred lines of a day cost
    /// the newest chunk of each stream and not the day.
    func read(
        _ request: LogRead, _ take: (LabelSet, LogEntry) -> Bool
    ) throws(StoreError) -> Bool {
        try database.snapshot { () throws(StoreError) in
            var pending = try chunks(request)[...]
            var queue = LogMerge(newestFirst: request.newestFirst)
            while true {
                while let chunk = pending.first,
                    queue.isReached(request.newestFirst ? chunk.last : chunk.first)
                {
                    pending = pending.dropFirst()
                    if let deadline = request.deadline, ContinuousClock.now > deadline {
                        throw Self.late
                    }
                    queue.add(try entries(of: chunk, request), chunk.labels, chunk: chunk.id)
                }
                guard let (labels, entry) = queue.next() else { return true }
                guard take(labels, entry) else { return false }
            }
        }
    }

    private static let late = StoreError(
        .exhausted,
        "cannot read the logs: it takes longer than it may; want a shorter range, or a selector "
            + "that fits fewer streams")

    private func entries(of chunk: Chunk, _ request: LogRead) throws(StoreError) -> [LogEntry] {
        let rows = try database.statement("SELECT body FROM chunk WHERE id = ?")
        defer { rows.reset() }
        try rows.bind(chunk.id, at: 1)
        guard try rows.step() else { return [] }
        let wanted = LogChunk.Wanted(
            range: request.range, mayAccept: request.mayAccept,
            accepts: { request.accepts(chunk.labels, $0) })
        let entries = try Self.entries(rows, 0, wanted, database.path, packer)
        // No more can be wanted of one chunk than of all.
        return request.newestFirst
            ? entries.suffix(request.limit).reversed() : Array(entries.prefix(request.limit))
    }

    /// The lines of a chunk in a column of a row.
    static func entries(
        _ rows: Statement, _ column: Int32, _ wanted: LogChunk.Wanted, _ path: String,
        _ packer: Packer
    ) throws(StoreError) -> [LogEntry] {
        do throws(VarintError) {
            return try rows.withBytes(column) { (blob) throws(VarintError) in
                try packer.unpack(blob) { (body) throws(VarintError) in
                    try LogChunk.decode(body, wanted)
                }
            }
        } catch {
            throw DayFormat.damaged(path, "a chunk of lines", error)
        }
    }

    /// The chunks that a request needs, in the order in which it reaches them.
    private func chunks(_ request: LogRead) throws(StoreError) -> [Chunk] {
        let rows = try database.statement(
            "SELECT id, first, last FROM chunk WHERE stream = ? AND last >= ? AND first <= ?")
        defer { rows.reset() }
        var chunks: [Chunk] = []
        for (id, labels) in try matchingStreams(request.matches) {
            rows.reset()
            try rows.bind(id, at: 1)
            try rows.bind(request.range.from.unixNanoseconds, at: 2)
            try rows.bind(request.range.until.unixNanoseconds, at: 3)
            while try rows.step() {
                chunks.append(
                    Chunk(
                        id: rows.int(0), first: rows.int(1), last: rows.int(2), labels: labels))
            }
        }
        return request.newestFirst
            ? chunks.sorted { $0.last > $1.last } : chunks.sorted { $0.first < $1.first }
    }

    private func matchingStreams(
        _ matches: (LabelSet) -> Bool
    ) throws(StoreError) -> [(id: Int64, labels: LabelSet)] {
        let rows = try database.statement("SELECT id, labels FROM stream")
        defer { rows.reset() }
        var wanted: [(id: Int64, labels: LabelSet)] = []
        while try rows.step() {
            let labels = try labels(rows, 1)
            if matches(labels) { wanted.append((rows.int(0), labels)) }
        }
        return wanted
    }

    private func labels(_ rows: Statement, _ column: Int32) throws(StoreError) -> LabelSet {
        do throws(VarintError) {
            return try rows.withBytes(column) { (bytes) throws(VarintError) in
                try DayFormat.decodeLabels(bytes)
            }
        } catch {
            throw DayFormat.damaged(database.path, "the labels of a stream", error)
        }
    }
}
