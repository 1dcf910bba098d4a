// SPDX-License-Identifier: Apache-2.0
// Writes log lines into the database of one day.

internal import SondeModel

/// The one writer of one day's database of log lines.
///
/// Used by one thread at a time. What it remembers between transactions is dropped when one fails.
final class LogDayWriter {
    /// Bounds of what a writer keeps and makes.
    struct Limits: Sendable {
        /// The most streams of a day.
        var streams = 5000
        /// From how many lines, bytes or small chunks on a stream's small chunks become a large one.
        var chunkEntries = 4096
        var chunkBytes = 256 << 10
        var smallChunks = 64
        /// The most streams whose latest lines are remembered.
        var rememberedStreams = 512
    }

    /// One stream of the day.
    private struct Stream {
        var id: Int64
        /// What its small chunks hold.
        var small = LogChunkWriter.Extent()
        var recent: RecentLogEntries?
        var lastUse: UInt64 = 0
    }

    /// Lines of one stream that a transaction adds.
    private struct Addition {
        var labels: LabelSet
        var entries: [LogEntry] = []
    }

    private let database: Database
    private let limits: Limits
    private let packer: Packer
    private let chunks: LogChunkWriter
    private var streams: [LabelSet: Stream] = [:]
    private var streamCount: Int
    private var clock: UInt64 = 0
    private var remembered = 0

    init(_ path: String, limits: Limits, packer: Packer) throws(StoreError) {
        self.limits = limits
        self.packer = packer
        database = try Database(path, .write, LogDayFormat.format)
        chunks = LogChunkWriter(database: database, packer: packer, limits: limits)
        streamCount = Int(try database.number("SELECT count(*) FROM stream"))
    }

    /// What one caller wants stored, and what became of it.
    struct Outcome {
        /// Why some lines were not stored; `nil` when all were.
        var refusal: StoreError?
    }

    /// Stores the lines of several callers as one transaction.
    ///
    /// - Parameter batches: The lines of each caller.
    /// - Returns: What became of each batch, and the lines that were not there yet.
    /// - Throws: ``StoreError`` when nothing was stored.
    func write(
        _ batches: [[LogStream]]
    ) throws(StoreError) -> (outcomes: [Outcome], added: [LogStream]) {
        clock += 1
        do throws(StoreError) {
            let result = try database.transaction {
                () throws(StoreError) -> (outcomes: [Outcome], added: [LogStream]) in
                var outcomes: [Outcome] = []
                var additions: [Int64: Addition] = [:]
                for batch in batches {
                    var outcome = Outcome()
                    for stream in batch where !stream.entries.isEmpty {
                        guard try open(stream.labels) else {
                            outcome.refusal = tooManyStreams(stream.labels)
                            continue
                        }
                        try add(stream, to: &additions)
                    }
                    outcomes.append(outcome)
                }
                let ordered = additions.sorted { $0.key < $1.key }.map(\.value)
                for addition in ordered where !addition.entries.isEmpty { try store(addition) }
                return (
                    outcomes,
                    ordered.filter { !$0.entries.isEmpty }.map {
                        LogStream(labels: $0.labels, entries: $0.entries)
                    }
                )
            }
            forgetOldest()
            return result
        } catch {
            streams = [:]
            remembered = 0
            throw error
        }
    }

    private func tooManyStreams(_ labels: LabelSet) -> StoreError {
        let text = labels.labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ", ")
        return StoreError(
            .exhausted,
            "cannot store the stream {\(text.prefix(500))}: this day has \(limits.streams) streams "
                + "already; want fewer distinct label values, or a larger limits.log_streams")
    }

    /// Sees to it that `streams` has a stream; `false` when there is no room for it.
    private func open(_ labels: LabelSet) throws(StoreError) -> Bool {
        if streams[labels] != nil { return true }
        let bytes = DayFormat.encode(labels)
        let find = try database.statement("SELECT id FROM stream WHERE labels = ?")
        try find.bind(bytes, at: 1)
        if try find.step() {
            let id = find.int(0)
            find.reset()
            streams[labels] = Stream(id: id, small: try chunks.small(of: id))
            return true
        }
        find.reset()
        guard streamCount < limits.streams else { return false }
        let insert = try database.statement("INSERT INTO stream (labels) VALUES (?)")
        try insert.bind(bytes, at: 1)
        try insert.run()
        streamCount += 1
        streams[labels] = Stream(id: database.lastRowID)
        return true
    }

    /// Adds the lines of a stream that are not stored yet.
    private func add(
        _ stream: LogStream, to additions: inout [Int64: Addition]
    ) throws(StoreError) {
        guard var known = streams[stream.labels] else { return }
        // Moved out of the dictionary, so that the sets are changed where they are.
        streams[stream.labels]?.recent = nil
        if known.recent == nil {
            known.recent = RecentLogEntries(latestStored: try latestTime(of: known.id))
            remembered += 1
        }
        var recent = known.recent ?? RecentLogEntries(latestStored: .max)
        let wanted = try fresh(stream.entries, of: known.id, &recent, additions[known.id])
        additions[known.id, default: Addition(labels: stream.labels)].entries += wanted
        known.recent = recent
        known.lastUse = clock
        streams[stream.labels] = known
    }

    /// The entries that are neither on disk nor in this transaction, each once.
    private func fresh(
        _ entries: [LogEntry], of stream: Int64, _ recent: inout RecentLogEntries,
        _ pending: Addition?
    ) throws(StoreError) -> [LogEntry] {
        var isWanted = [Bool](repeating: false, count: entries.count)
        var unsure: [Int] = []
        for (index, entry) in entries.enumerated() {
            if recent.isSurelyNew(entry) {
                recent.insert(entry)
                isWanted[index] = true
            } else {
                unsure.append(index)
            }
        }
        guard !unsure.isEmpty else { return entries }
        let times = Set(unsure.map { entries[$0].time })
        var existing = try stored(of: stream, at: times)
        for entry in pending?.entries ?? [] where times.contains(entry.time) {
            existing.insert(entry)
        }
        for (index, entry) in entries.enumerated() where isWanted[index] {
            existing.insert(entry)
        }
        for index in unsure where existing.insert(entries[index]).inserted {
            recent.insert(entries[index])
            isWanted[index] = true
        }
        return entries.indices.filter { isWanted[$0] }.map { entries[$0] }
    }

    private func latestTime(of stream: Int64) throws(StoreError) -> Int64? {
        let rows = try database.statement("SELECT max(last) FROM chunk WHERE stream = ?")
        defer { rows.reset() }
        try rows.bind(stream, at: 1)
        return try rows.step() ? rows.optionalInt(0) : nil
    }

    /// The stored lines of a stream that have one of these times.
    private func stored(
        of stream: Int64, at times: Set<Timestamp>
    ) throws(StoreError) -> Set<LogEntry> {
        guard let first = times.min(), let last = times.max(),
            let range = TimeRange(from: first, until: last)
        else { return [] }
        let rows = try database.statement(
            "SELECT body FROM chunk WHERE stream = ? AND last >= ? AND first <= ?")
        defer { rows.reset() }
        try rows.bind(stream, at: 1)
        try rows.bind(first.unixNanoseconds, at: 2)
        try rows.bind(last.unixNanoseconds, at: 3)
        var entries: Set<LogEntry> = []
        while try rows.step() {
            entries.formUnion(
                try LogDayReader.entries(
                    rows, 0, LogChunk.Wanted(range: range, accepts: { times.contains($0.time) }),
                    database.path, packer))
        }
        return entries
    }

    private func store(_ addition: Addition) throws(StoreError) {
        guard let stream = streams[addition.labels] else { return }
        streams[addition.labels]?.small = try chunks.store(
            addition.entries, of: stream.id, beside: stream.small)
    }

    /// Forgets the latest lines of the streams that were not used for longest.
    private func forgetOldest() {
        guard remembered > limits.rememberedStreams else { return }
        let known = streams.filter { $0.value.recent != nil }
        let oldest = known.sorted { $0.value.lastUse < $1.value.lastUse }
        for (labels, _) in oldest.prefix(known.count - limits.rememberedStreams / 2) {
            streams[labels]?.recent = nil
        }
        remembered = min(known.count, limits.rememberedStreams / 2)
    }
}
