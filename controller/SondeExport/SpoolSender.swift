// SPDX-License-Identifier: Apache-2.0
// Sends what waits on disk, in order, and again until it is taken or refused for good.

internal import Foundation
internal import SondeHTTPClient
package import SondeStore
internal import Synchronization

/// Sends what waits in a spool to another server.
///
/// One thread sends the oldest entries first. A batch that was answered with 429, 5xx, 401, 403,
/// 404 or 408, or not at all, is sent again, the same bytes: the other side is away, or somebody
/// has to correct an address or a token, and until then nothing is lost but what the full spool
/// pushes out. A batch that is too large (413) is sent in pieces. Any other refusal is final.
package final class SpoolSender: Sendable {
    /// What became of the entries.
    package struct Figures: Hashable, Sendable {
        /// What the other side took, ever: the count is on disk.
        package var sent: UInt64 = 0
        /// What it refused for good, by status, ever.
        ///
        /// It may have taken some of it: of a request that was refused nobody knows what.
        package var refused: [String: UInt64] = [:]
        /// Tries that were made again, since the start.
        package var retries: UInt64 = 0
        /// Why the last try failed; `nil` after one that did not.
        package var problem: String?
        /// What waits.
        package var waiting = ExportSpool.Size()
    }

    /// What a sender needs to know of what it sends.
    struct Cargo: Sendable {
        /// What entries count: `lines`.
        var noun: String
        /// The thread's name, at most 15 bytes.
        var threadName: String
        /// The status of success, for sentences.
        var want: String
        /// The request that delivers a batch.
        var request: @Sendable (ExportSpool.Batch) throws(HTTPClientError) -> HTTPClientRequest
    }

    private struct State: Sendable {
        var figures = Figures()
        var isStopping = false
    }

    private let target: ExportTarget
    private let cargo: Cargo
    private let spool: ExportSpool
    private let client: HTTPClient
    private let state = Mutex(State())
    private let news = Signal()
    private let ended = Signal()
    private let note: @Sendable (String) -> Void

    /// A sender that sends nothing yet.
    ///
    /// - Parameters:
    ///   - target: Where to, and how.
    ///   - cargo: What is sent.
    ///   - spool: What is to be sent.
    ///   - note: Takes a sentence for the log whenever sending begins to fail, works again, or
    ///     something was refused.
    /// - Throws: ``HTTPClientError`` when the address is none.
    init(
        _ target: ExportTarget, _ cargo: Cargo, spool: ExportSpool,
        note: @escaping @Sendable (String) -> Void
    ) throws(HTTPClientError) {
        self.target = target
        self.cargo = cargo
        self.spool = spool
        self.note = note
        client = try target.client()
    }

    /// What became of the entries so far.
    package var figures: Figures {
        var figures = state.withLock { $0.figures }
        figures.waiting = spool.size
        for (outcome, count) in spool.counts {
            if outcome == Self.sent {
                figures.sent = count
            } else if outcome.hasPrefix(Self.refused) {
                figures.refused[String(outcome.dropFirst(Self.refused.count))] = count
            }
        }
        return figures
    }

    /// Says that something was put into the spool.
    func wake() { news.raise() }

    /// Begins to send.
    func start() {
        let thread = Thread { [self] in
            work()
            ended.raise()
        }
        thread.name = cargo.threadName
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Stops sending; what waits stays in the spool.
    func stop() {
        state.withLock { $0.isStopping = true }
        news.raise()
        client.cancel()
        _ = ended.wait(seconds: 5)
    }

    private var isStopping: Bool { state.withLock { $0.isStopping } }

    private func work() {
        var backoff = target.firstBackoffSeconds
        var batchBytes = target.batchBytes
        while !isStopping {
            switch sendOldest(batchBytes) {
            case .nothing: _ = news.wait(seconds: 60)
            case .done:
                backoff = target.firstBackoffSeconds
                batchBytes = target.batchBytes
                // More may come at once: one request for all of it is cheaper for both sides.
                if spool.size.bytes < Int64(target.batchBytes) {
                    Thread.sleep(forTimeInterval: target.batchSeconds)
                }
            case .smaller: batchBytes = 0
            case .later:
                let spread = Double.random(in: 0.75...1.25)
                pause(seconds: backoff * spread)
                backoff = min(target.longestBackoffSeconds, backoff * 2)
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

    private enum Outcome { case nothing, done, smaller, later }

    private func sendOldest(_ batchBytes: Int) -> Outcome {
        let batch: ExportSpool.Batch
        do throws(StoreError) {
            guard let oldest = try spool.oldest(maximumBytes: batchBytes) else { return .nothing }
            batch = oldest
        } catch { return failed(error.message) }
        let answer: Answer
        do throws(ExportFailure) { answer = try send(batch) } catch {
            return failed(error.reason)
        }
        if case .refused(413, _) = answer, batch.entries > 1 { return .smaller }
        let outcome =
            switch answer {
            case .taken: Self.sent
            case .refused(let status, _): "\(Self.refused)\(status)"
            }
        // Before the count is seen: who sees it should not see what was wrong before.
        let wasFailing = state.withLock { state in
            defer { state.figures.problem = nil }
            return state.figures.problem != nil
        }
        do throws(StoreError) {
            try spool.remove(through: batch.last, countingAs: outcome)
        } catch {
            return failed(error.message)
        }
        tell(batch, answer, wasFailing)
        return .done
    }

    /// What entries are counted as in the spool.
    private static let sent = "sent"
    private static let refused = "status_"

    private enum Answer {
        case taken
        case refused(status: Int, words: String)
    }

    private struct ExportFailure: Error { var reason: String }

    private func send(_ batch: ExportSpool.Batch) throws(ExportFailure) -> Answer {
        let response: HTTPClientResponse
        do throws(HTTPClientError) {
            response = try client.send(try cargo.request(batch))
        } catch { throw ExportFailure(reason: error.message) }
        let words = String(decoding: response.body.prefix(1024), as: UTF8.self)
        let line = String(words.split(separator: "\n").first ?? "")
        switch response.status {
        case 200...299: return .taken
        case 401, 403, 404, 408, 429, 500...599:
            throw ExportFailure(
                reason:
                    "cannot forward \(cargo.noun): got status \(response.status) (\(line)); want \(cargo.want)"
            )
        default: return .refused(status: response.status, words: line)
        }
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

    private func tell(_ batch: ExportSpool.Batch, _ answer: Answer, _ wasFailing: Bool) {
        if case .refused(let status, let words) = answer {
            note(
                "lost \(batch.lines) \(cargo.noun): got status \(status) (\(words)); want \(cargo.want)"
            )
        } else if wasFailing {
            note("forwarding \(cargo.noun) works again")
        }
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
