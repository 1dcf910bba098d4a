// SPDX-License-Identifier: Apache-2.0
// The log delivery thread: lines become batches, batches become pushes as Loki takes them.

internal import SondeHTTPClient
internal import SondeLock
internal import SondeModel
internal import SondeProbeRuntime
internal import SondeWire
internal import Synchronization

/// Delivers probes' lines, oldest first, in batches of at most a mebibyte and 200 milliseconds.
final class LogDelivery: Sendable {
    /// Bytes of lines after which a batch is closed, whatever its age.
    static let batchBytes = 1 << 20

    private let settings: AgentSettings
    private let common: [Label]
    private let outbox: Outbox
    private let ledger: Ledger
    private let wake = Flag()
    private let open: Locked<OpenBatch>
    /// The monotonic time at which delivery must be over, or 0 while the agent runs.
    private let stopDeadline = Atomic<UInt64>(0)

    private struct OpenBatch {
        var lines: [ProbeLine] = []
        var bytes = 0
        /// When the last batch was closed, by the monotonic clock.
        var lastClosed: UInt64 = 0
    }

    private static let route = PushRoute(
        target: "/loki/api/v1/push",
        headers: [("Content-Type", "application/json"), ("Content-Encoding", "gzip")],
        place: .logs, sent: .lines, full: .linesQueueFull, old: .linesTooOld,
        refused: .linesRefused, unsent: .linesUnsentAtStop)

    init(_ settings: AgentSettings, _ identity: Identity, client: HTTPClient, ledger: Ledger) {
        self.settings = settings
        self.ledger = ledger
        common =
            [
                Label(name: "instance", value: identity.instance),
                Label(name: "host", value: identity.host),
                Label(name: "version", value: settings.version),
            ] + settings.labels.labels
        outbox = Outbox(
            settings, Self.route, maximumBytes: settings.probes.queueBytes, client: client,
            ledger: ledger)
        open = Locked(OpenBatch())
    }

    /// Lines that wait, and their bytes.
    var waiting: (lines: Int, bytes: Int) {
        let waiting = outbox.waiting
        let (lines, bytes) = open.withLock { ($0.lines.count, $0.bytes) }
        return (waiting.items + lines, waiting.bytes + bytes)
    }

    /// Takes lines; they are sent by the delivery thread.
    func append(_ lines: [ProbeLine]) {
        guard !lines.isEmpty else { return }
        let isFull = open.withLock { batch in
            batch.lines += lines
            for line in lines { batch.bytes &+= line.byteCount }
            return batch.bytes >= Self.batchBytes
        }
        // Here and not in the delivery thread, which may be waiting for a server that hangs.
        if isFull { closeBatch() }
        wake.raise()
    }

    /// Makes ``run()`` deliver what there is and return.
    ///
    /// - Parameter deadline: When to give up, by the monotonic clock.
    func stop(by deadline: UInt64) {
        stopDeadline.store(max(1, deadline), ordering: .releasing)
        wake.raise()
    }

    /// What the delivery thread does until it is stopped.
    func run() {
        let period = UInt64(settings.pace.logBatch * 1e9)
        while stopDeadline.load(ordering: .acquiring) == 0 {
            let (isEmpty, due) = open.withLock { ($0.lines.isEmpty, $0.lastClosed &+ period) }
            if !isEmpty, Clock.monotonic >= due { closeBatch() }
            outbox.attempt()
            let next = open.withLock { $0.lines.isEmpty ? nil : $0.lastClosed &+ period }
            let times = [next, outbox.nextAttempt].compactMap { $0 }
            let until = times.min() ?? Clock.monotonic(after: 86_400)
            if until > Clock.monotonic { _ = wake.wait(until: until) }
        }
        let deadline = stopDeadline.load(ordering: .acquiring)
        // What will not be sent any more is counted as it is: encoding it would take the process's
        // last moments, in which nobody may look at the counts again.
        if outbox.willTry(by: deadline) { closeBatch() } else { giveUpBatch() }
        outbox.finish(by: deadline)
    }

    /// Counts the lines of the open batch as lost.
    private func giveUpBatch() {
        let count = open.withLock { batch in
            let count = batch.lines.count
            batch.lines = []
            batch.bytes = 0
            return count
        }
        ledger.count(.linesUnsentAtStop, count)
    }

    /// Makes a push of the lines that there are.
    private func closeBatch() {
        let lines = open.withLock { batch in
            let lines = batch.lines
            batch.lines = []
            batch.bytes = 0
            batch.lastClosed = Clock.monotonic
            return lines
        }
        guard !lines.isEmpty else { return }
        do {
            let body = try Gzip.compress(LokiPushJSON.encode(streams(of: lines)))
            outbox.append(PendingPush(body: body, items: lines.count, created: Clock.monotonic))
        } catch {
            ledger.count(.linesUnencodable, lines.count)
        }
    }

    private func streams(of lines: [ProbeLine]) -> [LogStream] {
        var order: [StreamKey] = []
        var entries: [StreamKey: [LogEntry]] = [:]
        for line in lines {
            let key = StreamKey(level: line.level, tag: line.tag)
            if entries[key] == nil { order.append(key) }
            entries[key, default: []].append(entry(of: line))
        }
        return order.map { key in
            LogStream(labels: labels(of: key), entries: entries[key] ?? [])
        }
    }

    private struct StreamKey: Hashable {
        var level: String
        var tag: String
    }

    private func labels(of key: StreamKey) -> LabelSet {
        LabelSet().setting(LabelName.service, to: settings.service)
            .setting("level", to: key.level).setting("probe", to: key.tag)
    }

    private func entry(of line: ProbeLine) -> LogEntry {
        var names: Set<String> = []
        var labels: [Label] = []
        // What the line says of itself counts more than what is true of the whole process.
        for label in line.metadata + common where !label.name.isEmpty && !label.value.isEmpty {
            if names.insert(label.name).inserted { labels.append(label) }
        }
        return LogEntry(
            time: Timestamp(unixNanoseconds: line.unixNanoseconds), line: line.text,
            metadata: (try? LabelSet(labels)) ?? LabelSet())
    }
}
