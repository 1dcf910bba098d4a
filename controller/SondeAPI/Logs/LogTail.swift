// SPDX-License-Identifier: Apache-2.0
// New lines for one client: the latest ones first, then each as soon as it is stored.

internal import SondeModel
internal import SondeQuery
internal import SondeStore
internal import Synchronization

/// The lines that one client follows.
///
/// New lines are queued on the threads that store them, where only their labels are looked at;
/// the rest happens where messages are taken. The queue is bounded: what a slow client cannot take
/// is counted and told.
final class LogTail: MessageSource {
    /// How messages are written.
    enum Form: Sendable {
        /// Loki's: streams with several lines each.
        case loki(LokiEncoding)
        /// One JSON object for each line.
        case lines
    }

    private struct State {
        var pending: [LogStream] = []
        var pendingLines = 0
        var pendingBytes = 0
        var dropped: [(labels: LabelSet, time: Timestamp)] = []
        var droppedCount = 0
        var isEnded = false
        var failure: String?
        var wake: @Sendable () -> Void = {}
        var subscription: LogSubscription?
    }

    /// One line, for telling those of the past from those that come.
    private struct Known: Hashable {
        var labels: LabelSet
        var entry: LogEntry
    }

    /// What only the thread that takes touches.
    private struct Past {
        var isRead = false
        var known: Set<Known> = []
        var knownUntil = ContinuousClock.now
    }

    /// The most lines and bytes that wait for the client, and dropped lines that are named.
    private static let queueLines = 20_000
    private static let queueBytes = 16 << 20
    private static let namedDrops = 100
    /// Lines of one message.
    private static let messageLines = 500
    /// A line is found by a search a moment before it is handed over; never longer than this.
    private static let overlap: Duration = .seconds(60)

    private let query: LogQuery
    private let form: Form
    private let since: Timestamp
    private let limit: Int
    private let services: Services
    private let state = Mutex(State())
    private let past = Mutex(Past())
    private let onEnd: @Sendable () -> Void

    /// Follows new lines.
    ///
    /// - Parameters:
    ///   - query: Which lines.
    ///   - form: How messages are written.
    ///   - history: From when on, and how many at most, lines of the past come first.
    ///   - services: The store and its limits.
    ///   - onEnd: Called once, when it ends.
    init(
        _ query: LogQuery, _ form: Form, history: (since: Timestamp, limit: Int),
        _ services: Services, onEnd: @escaping @Sendable () -> Void
    ) {
        self.query = query
        self.form = form
        (since, limit) = history
        self.services = services
        self.onEnd = onEnd
        let subscription = services.logs.subscribe { [weak self] in self?.receive($0) }
        state.withLock { $0.subscription = subscription }
    }

    deinit { end() }

    var failure: String? { state.withLock { $0.failure } }

    func onReady(_ wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wake = wake }
        wake()  // for the lines of the past
    }

    func end() {
        let subscription: LogSubscription? = state.withLock { state in
            defer { state.subscription = nil }
            state.isEnded = true
            state.pending = []
            return state.subscription
        }
        guard let subscription else { return }
        subscription.end()
        onEnd()
    }

    func take() -> [[UInt8]]? {
        past.withLock { past in
            var lines: [FoundLine] = []
            if !past.isRead {
                past.isRead = true
                do throws(APIError) { lines = try readPast(&past) } catch {
                    return fail(error.message)
                }
            }
            if past.knownUntil < .now { past.known = [] }
            let taken = state.withLock { state -> State? in
                guard !state.isEnded else { return nil }
                let taken = state
                state.pending = []
                (state.pendingLines, state.pendingBytes) = (0, 0)
                (state.dropped, state.droppedCount) = ([], 0)
                return taken
            }
            guard let taken else { return nil }
            for stream in taken.pending {
                for entry in stream.entries {
                    guard let match = query.accepts(entry, of: stream.labels),
                        !past.known.contains(Known(labels: stream.labels, entry: entry))
                    else { continue }
                    lines.append(
                        FoundLine(labels: stream.labels, entry: entry, problem: match.problem))
                }
            }
            if let problem = query.problem { return fail(problem.message) }
            return messages(lines, taken)
        }
    }

    private func receive(_ streams: [LogStream]) {
        let wanted = streams.filter { query.selector.matches($0.labels) }
        guard !wanted.isEmpty else { return }
        let wake = state.withLock { state -> (@Sendable () -> Void)? in
            guard !state.isEnded else { return nil }
            for stream in wanted {
                let bytes = stream.entries.reduce(0) { $0 + $1.size }
                let lines = state.pendingLines + stream.entries.count
                // A queue that is empty takes a push of whatever size: pushes have their own limit.
                guard
                    state.pending.isEmpty
                        || lines <= Self.queueLines && state.pendingBytes + bytes <= Self.queueBytes
                else {
                    state.droppedCount += stream.entries.count
                    services.metrics.droppedTailLines.add(UInt64(stream.entries.count))
                    for entry in stream.entries.prefix(Self.namedDrops - state.dropped.count) {
                        state.dropped.append((stream.labels, entry.time))
                    }
                    continue
                }
                state.pending.append(stream)
                state.pendingLines = lines
                state.pendingBytes += bytes
            }
            return state.wake
        }
        wake?()
    }

    private func readPast(_ past: inout Past) throws(APIError) -> [FoundLine] {
        guard limit > 0, let range = TimeRange(from: since, until: .latest) else { return [] }
        let search = try LogSearch(query, in: range, newestFirst: true, limit: limit, services)
        past.known = Set(search.lines.map { Known(labels: $0.labels, entry: $0.entry) })
        past.knownUntil = .now + Self.overlap
        return search.lines.reversed()
    }

    private func fail(_ reason: String) -> [[UInt8]]? {
        let isFirst = state.withLock { state in
            guard !state.isEnded, state.failure == nil else { return false }
            state.failure = reason
            return true
        }
        end()
        guard isFirst, case .lines = form else { return nil }
        var json = JSONWriter()
        json.object { $0.member("error", reason) }
        return [json.bytes]
    }

    private func messages(_ lines: [FoundLine], _ taken: State) -> [[UInt8]] {
        switch form {
        case .lines:
            var messages = lines.map { line in
                var json = JSONWriter()
                line.write(to: &json)
                return json.bytes
            }
            if taken.droppedCount > 0 {
                var json = JSONWriter()
                json.object { $0.member("dropped", taken.droppedCount) }
                messages.append(json.bytes)
            }
            return messages
        case .loki(let encoding):
            var rest = lines[...]
            var drops = taken.dropped
            var messages: [[UInt8]] = []
            while !rest.isEmpty || !drops.isEmpty {
                messages.append(Self.message(rest.prefix(Self.messageLines), drops, encoding))
                rest = rest.dropFirst(Self.messageLines)
                drops = []
            }
            return messages
        }
    }

    private static func message(
        _ lines: ArraySlice<FoundLine>, _ drops: [(labels: LabelSet, time: Timestamp)],
        _ encoding: LokiEncoding
    ) -> [UInt8] {
        var streams = LokiStreams(encoding)
        for line in lines { streams.add(line) }
        var json = JSONWriter()
        json.object { json in
            if encoding == .categorized {
                json.member("encodingFlags") { $0.array([LokiEncoding.flag]) }
            }
            json.member("streams") { streams.write(to: &$0) }
            guard !drops.isEmpty else { return }
            json.member("dropped_entries") { json in
                json.array(drops) { json, drop in
                    json.object { json in
                        json.member("timestamp", String(drop.time.unixNanoseconds))
                        json.member("labels") { LokiStreams.write(drop.labels, to: &$0) }
                    }
                }
            }
        }
        return json.bytes
    }
}

extension Timestamp {
    /// The last point in time that there is.
    fileprivate static let latest = Timestamp(unixNanoseconds: .max)
}
