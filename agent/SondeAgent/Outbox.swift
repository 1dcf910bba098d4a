// SPDX-License-Identifier: Apache-2.0
// Pushes that wait for the server: sent oldest first, tried again, dropped and counted in the end.

internal import SondeHTTPClient
internal import SondeLock

/// Where one kind of data goes, and how it is counted.
struct PushRoute: Sendable {
    /// The path of the push.
    var target: String
    /// Header fields that say what the body is.
    var headers: [(name: String, value: String)]
    /// Where problems with it are stated.
    var place: Ledger.Place
    /// What was accepted.
    var sent: Ledger.Delivered
    /// The queue was full; the oldest went.
    var full: Ledger.Loss
    /// It waited for too long.
    var old: Ledger.Loss
    /// The server refused it for good.
    var refused: Ledger.Loss
    /// The process ended before the server took it.
    var unsent: Ledger.Loss
}

/// A bounded queue in front of a server, emptied by one thread.
final class Outbox: Sendable {
    private let route: PushRoute
    private let url: String
    private let pushTimeout: Double
    private let client: HTTPClient
    private let ledger: Ledger
    private let state: Locked<State>

    private struct State {
        var queue: DeliveryQueue
        var backoff: Backoff
        var nextAttempt: UInt64 = 0
        /// The number of the push that is just being sent.
        var sending: UInt64?
    }

    init(
        _ settings: AgentSettings, _ route: PushRoute, maximumBytes: Int, client: HTTPClient,
        ledger: Ledger
    ) {
        self.route = route
        self.client = client
        self.ledger = ledger
        url = settings.url
        pushTimeout = settings.pace.pushTimeout
        state = Locked(
            State(
                queue: DeliveryQueue(
                    maximumBytes: maximumBytes, maximumAgeSeconds: settings.queueSeconds),
                backoff: Backoff(
                    first: settings.pace.firstRetry, longest: settings.pace.longestRetry)))
    }

    /// What waits: pushes, what is in them, and their bytes.
    var waiting: (pushes: Int, items: Int, bytes: Int) {
        state.withLock { ($0.queue.count, $0.queue.itemCount, $0.queue.byteCount) }
    }

    /// When the next attempt is due, by the monotonic clock; `nil` when nothing waits.
    var nextAttempt: UInt64? {
        state.withLock { $0.queue.count > 0 ? $0.nextAttempt : nil }
    }

    /// Adds a push; when there is no room for it the oldest ones go and are counted.
    func append(_ push: PendingPush) {
        ledger.count(route.full, state.withLock { $0.queue.append(push, keeping: $0.sending) })
    }

    /// Sends the oldest push if its time has come.
    ///
    /// - Parameter deadline: When to give up at the latest, by the monotonic clock; 0 for never.
    func attempt(until deadline: UInt64 = 0) {
        let now = Clock.monotonic
        let (outdated, oldest) = state.withLock { state -> (Int, PendingPush?) in
            guard now >= state.nextAttempt || deadline != 0 else { return (0, nil) }
            let outdated = state.queue.dropOutdated(at: now)
            state.sending = state.queue.first?.number
            return (outdated, state.queue.first)
        }
        ledger.count(route.old, outdated)
        guard let oldest else { return }
        switch send(oldest, until: deadline) {
        case .accepted:
            ledger.count(route.sent, oldest.items)
            ledger.setProblem(nil, at: route.place)
        case .refused(let reason):
            ledger.count(route.refused, oldest.items)
            ledger.setProblem(reason, at: route.place)
        case .later(let reason, let retryAfter):
            ledger.setProblem(reason, at: route.place)
            state.withLock { state in
                state.sending = nil
                let wait = state.backoff.fail(retryAfter: retryAfter)
                state.nextAttempt = Clock.monotonic(after: wait)
            }
            return
        }
        state.withLock { state in
            // Only this thread removes the first entry while it is being sent.
            state.queue.removeFirst()
            state.sending = nil
            state.backoff.succeed()
            state.nextAttempt = 0
        }
    }

    /// Whether ``finish(by:)`` would send anything.
    ///
    /// A server that was away a moment ago is not worth holding up the program's end.
    func willTry(by deadline: UInt64) -> Bool {
        state.withLock { !$0.backoff.isFailing } && Clock.monotonic < deadline
    }

    /// Sends what waits as far as the server takes it, and counts the rest as lost.
    ///
    /// - Parameter deadline: When to give up, by the monotonic clock.
    func finish(by deadline: UInt64) {
        while waiting.pushes > 0, willTry(by: deadline) { attempt(until: deadline) }
        ledger.count(route.unsent, waiting.items)
    }

    private func send(_ push: PendingPush, until deadline: UInt64) -> PushOutcome {
        let now = Clock.monotonic
        let remaining = deadline == 0 ? .infinity : Double(deadline - min(now, deadline)) / 1e9
        let request = HTTPClientRequest(
            method: "POST", target: route.target, headers: route.headers, body: push.body,
            timeoutSeconds: min(pushTimeout, max(0.05, remaining)))
        do {
            return PushOutcome(try client.send(request), url: url + route.target)
        } catch {
            return .later(error.message, retryAfter: nil)
        }
    }
}
