// SPDX-License-Identifier: Apache-2.0
// Forwards log lines to a Loki-compatible store, through a queue on disk.

internal import Foundation
package import SondeHTTPClient
package import SondeModel
internal import SondeQuery
internal import SondeSnappy
package import SondeStore
internal import SondeWire
internal import Synchronization

/// Forwards log lines to a Loki-compatible store.
///
/// Lines go into a queue on disk first; one thread sends what is there, in order. A batch that was
/// answered with 429, with 5xx or not at all is sent again, the same bytes: Loki drops lines that it
/// has already. Any other refusal is final, because Loki may have stored a part of the batch.
package final class LokiExport: Sendable {
    /// What became of the lines, since the start.
    package struct Figures: Hashable, Sendable {
        /// Lines that the other side took.
        package var sentLines: UInt64 = 0
        /// Lines that it refused for good, by status.
        package var refusedLines: [String: UInt64] = [:]
        /// Tries that were made again.
        package var retries: UInt64 = 0
        /// Why the last try failed; `nil` after one that did not.
        package var problem: String?
        /// What waits.
        package var waiting = ExportSpool.Size()
    }

    private struct State: Sendable {
        var figures = Figures()
        var isStopping = false
    }

    private let settings: LokiExportSettings
    private let spool: ExportSpool
    private let client: HTTPClient
    private let state = Mutex(State())
    private let news = Signal()
    private let ended = Signal()
    private let note: @Sendable (String) -> Void

    /// An exporter that sends nothing yet.
    ///
    /// - Parameters:
    ///   - settings: Where to, and how.
    ///   - spool: What is to be sent.
    ///   - note: Takes a sentence for the log whenever sending begins to fail, works again, or
    ///     lines were refused.
    /// - Throws: ``HTTPClientError`` when the address is none.
    package init(
        _ settings: LokiExportSettings, spool: ExportSpool,
        note: @escaping @Sendable (String) -> Void
    ) throws(HTTPClientError) {
        self.settings = settings
        self.spool = spool
        self.note = note
        client = try HTTPClient(
            HTTPClientConfiguration(
                baseURL: settings.url, token: settings.token,
                certificateAuthorityFile: settings.certificateAuthorityFile,
                maxResponseBytes: 1 << 20, userAgent: "sonde/" + SondeVersion.current))
    }

    /// What became of the lines so far.
    package var figures: Figures {
        var figures = state.withLock { $0.figures }
        figures.waiting = spool.size
        return figures
    }

    /// Queues lines; they are on disk when this returns.
    ///
    /// - Throws: ``StoreError`` when they cannot be kept.
    package func append(_ streams: [LogStream], now: Timestamp) throws(StoreError) {
        let lines = streams.reduce(0) { $0 + $1.entries.count }
        guard lines > 0 else { return }
        // Two such messages one after the other are one message with the streams of both.
        try spool.append(LokiPushRequest(streams).encode(), lines: lines, now: now)
        news.raise()
    }

    /// Begins to send.
    package func start() {
        let thread = Thread { [self] in
            work()
            ended.raise()
        }
        thread.name = "export-loki"
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Stops sending; what waits stays in the queue.
    package func stop() {
        state.withLock { $0.isStopping = true }
        news.raise()
        client.cancel()
        _ = ended.wait(seconds: 5)
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func work() {
        var backoff = settings.firstBackoffSeconds
        while !isStopping {
            switch sendOldest() {
            case .nothing: _ = news.wait(seconds: 60)
            case .done:
                backoff = settings.firstBackoffSeconds
                // More may come at once: one request for all of it is cheaper for both sides.
                if spool.size.bytes < Int64(settings.batchBytes) {
                    Thread.sleep(forTimeInterval: settings.batchSeconds)
                }
            case .later:
                let spread = Double.random(in: 0.75...1.25)
                pause(seconds: backoff * spread)
                backoff = min(settings.longestBackoffSeconds, backoff * 2)
            }
        }
    }

    /// Waits, but not beyond the end; news do not shorten it.
    private func pause(seconds: Double) {
        let end = Date(timeIntervalSinceNow: seconds)
        while !isStopping {
            let rest = end.timeIntervalSinceNow
            guard rest > 0 else { return }
            Thread.sleep(forTimeInterval: min(0.05, rest))
        }
    }

    private enum Outcome { case nothing, done, later }

    private func sendOldest() -> Outcome {
        let batch: ExportSpool.Batch
        do throws(StoreError) {
            guard let oldest = try spool.oldest(maximumBytes: settings.batchBytes) else {
                return .nothing
            }
            batch = oldest
        } catch { return failed(error.message) }
        let answer: Answer
        do throws(ExportFailure) { answer = try send(batch) } catch {
            return failed(error.reason)
        }
        do throws(StoreError) { try spool.remove(through: batch.last) } catch {
            // It will be sent again, which Loki does not mind.
            return failed(error.message)
        }
        took(batch, answer)
        return .done
    }

    private enum Answer {
        case taken
        case refused(status: Int, words: String)
    }

    private struct ExportFailure: Error { var reason: String }

    private func send(_ batch: ExportSpool.Batch) throws(ExportFailure) -> Answer {
        let response: HTTPClientResponse
        do throws(HTTPClientError) {
            response = try client.send(try request(batch))
        } catch { throw ExportFailure(reason: error.message) }
        let words = String(decoding: response.body.prefix(1024), as: UTF8.self)
        let line = String(words.split(separator: "\n").first ?? "")
        switch response.status {
        case 200...299: return .taken
        case 429, 500...599:
            throw ExportFailure(
                reason: "cannot forward lines: got status \(response.status) (\(line)); want 204")
        default: return .refused(status: response.status, words: line)
        }
    }

    private func request(
        _ batch: ExportSpool.Batch
    ) throws(HTTPClientError) -> HTTPClientRequest {
        var headers: [(name: String, value: String)] = []
        if let tenant = settings.tenant { headers.append(("X-Scope-OrgID", tenant)) }
        if let user = settings.username {
            let pair = Data("\(user):\(settings.password ?? "")".utf8).base64EncodedString()
            headers.append(("Authorization", "Basic \(pair)"))
        }
        let body: [UInt8]
        do {
            switch settings.format {
            case .protobuf:
                headers.append(("Content-Type", "application/x-protobuf"))
                body = try Snappy.compress(batch.body)
            case .json:
                headers.append(("Content-Type", "application/json"))
                headers.append(("Content-Encoding", "gzip"))
                let request = try LokiPushRequest(decoding: batch.body[...])
                body = try Gzip.compress(
                    LokiPushJSON.encode(request.streams.map { try LogStream($0) }))
            }
        } catch {
            throw HTTPClientError(.broken, "cannot forward lines: \(error)")
        }
        return HTTPClientRequest(
            method: "POST", target: "/loki/api/v1/push", headers: headers, body: body,
            timeoutSeconds: settings.timeoutSeconds)
    }

    private func failed(_ reason: String) -> Outcome {
        let isNew = state.withLock { state in
            defer { state.figures.problem = reason }
            state.figures.retries += 1
            return state.figures.problem == nil && !state.isStopping
        }
        if isNew { note("\(reason); they wait on disk and are sent again") }
        return .later
    }

    private func took(_ batch: ExportSpool.Batch, _ answer: Answer) {
        let wasFailing = state.withLock { state in
            defer { state.figures.problem = nil }
            switch answer {
            case .taken: state.figures.sentLines += UInt64(batch.lines)
            case .refused(let status, _):
                state.figures.refusedLines["\(status)", default: 0] += UInt64(batch.lines)
            }
            return state.figures.problem != nil
        }
        if case .refused(let status, let words) = answer {
            note("lost \(batch.lines) lines: got status \(status) (\(words)); want 204")
        } else if wasFailing {
            note("forwarding lines works again")
        }
    }
}

/// Where a ``LokiExport`` sends to, and how.
package struct LokiExportSettings: Hashable, Sendable {
    /// How lines are written.
    package enum Format: String, Hashable, Sendable, CaseIterable {
        /// Protobuf in a snappy block, what Loki's own clients send.
        case protobuf
        /// JSON in gzip, for what stands before some stores.
        case json
    }

    /// The store's address, without `/loki/api/v1/push`.
    package var url: String
    /// Sent as `X-Scope-OrgID`.
    package var tenant: String?
    /// Sent as a bearer.
    package var token: String?
    /// Basic authentication, when there is a name.
    package var username: String?
    /// Its password.
    package var password: String?
    /// Certificates to trust (PEM) in place of the system's.
    package var certificateAuthorityFile: String?
    /// How lines are written.
    package var format = Format.protobuf
    /// The most bytes of lines in one request, unless a single push had more.
    package var batchBytes = 1 << 20
    /// How long lines wait for others.
    package var batchSeconds = 0.2
    /// How long an answer may take.
    package var timeoutSeconds = 10.0
    /// The pause after the first failure; it doubles with each.
    package var firstBackoffSeconds = 0.5
    /// The longest pause.
    package var longestBackoffSeconds = 300.0

    /// Settings for an address.
    package init(url: String) { self.url = url }
}

extension LogStream {
    /// The stream that a message holds.
    fileprivate init(_ message: LokiStream) throws {
        let labels = try Selector(message.labels).matchers.map {
            Label(name: $0.name, value: $0.value)
        }
        self.init(
            labels: try LabelSet(labels),
            entries: try message.entries.compactMap { entry in
                guard let time = entry.time else { return nil }
                return LogEntry(
                    time: time, line: entry.line, metadata: try LabelSet(entry.metadata))
            })
    }
}

/// Wakes one waiting thread; a signal that nobody waited for is kept.
private final class Signal: @unchecked Sendable {
    // Safety: `isRaised` is touched only while `condition` is locked.
    private let condition = NSCondition()
    private var isRaised = false

    func raise() {
        condition.lock()
        isRaised = true
        condition.broadcast()
        condition.unlock()
    }

    /// Waits for a signal and takes it; `false` when none came in time.
    func wait(seconds: Double) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        let end = Date(timeIntervalSinceNow: seconds)
        while !isRaised {
            guard condition.wait(until: end) else { break }
        }
        defer { isRaised = false }
        return isRaised
    }
}
