// SPDX-License-Identifier: Apache-2.0
// Requests that wait for something to change; none of them holds a thread.

internal import SondeAPI
internal import Synchronization

/// Requests that wait for something to change.
final class LongPolls: Sendable {
    private struct Waiting: Sendable {
        var pending: PendingAnswer
        var finish: @Sendable (HTTPResponse) -> Void
        var isGone: @Sendable () -> Bool
    }

    private struct State: Sendable {
        var waiting: [UInt64: Waiting] = [:]
        var byTopic: [String: Set<UInt64>] = [:]
        var nextID: UInt64 = 0
        var isEnded = false
    }

    private let state = Mutex(State())

    /// How many requests wait.
    var count: Int { state.withLock { $0.waiting.count } }

    /// Holds a request until it has an answer.
    ///
    /// - Parameters:
    ///   - pending: What it waits for.
    ///   - isGone: Whether the client has left.
    ///   - finish: Takes the answer; called once, on any thread.
    func hold(
        _ pending: PendingAnswer, isGone: @escaping @Sendable () -> Bool,
        finish: @escaping @Sendable (HTTPResponse) -> Void
    ) {
        let id: UInt64? = state.withLock { state in
            guard !state.isEnded else { return nil }
            state.nextID += 1
            state.waiting[state.nextID] = Waiting(
                pending: pending, finish: finish, isGone: isGone)
            state.byTopic[pending.topic, default: []].insert(state.nextID)
            return state.nextID
        }
        guard let id else { return finish(pending.expired) }
        // What changed between the handler's look and this one woke nobody.
        attempt([id])
    }

    /// Looks again after the answers of everybody who waits for these topics.
    func wake(_ topics: Set<String>) {
        let ids = state.withLock { state in topics.flatMap { state.byTopic[$0] ?? [] } }
        attempt(ids)
    }

    /// Answers those whose time is over or whose client has left.
    func expire(now: ContinuousClock.Instant = .now) {
        let (over, gone) = state.withLock { state in
            let over = state.waiting.filter { $0.value.pending.deadline <= now }
            let gone = state.waiting.filter { $0.value.pending.deadline > now && $0.value.isGone() }
            return (Array(over.keys), Array(gone.keys))
        }
        for id in over { take(id).map { $0.finish($0.pending.expired) } }
        for id in gone {
            guard let waiting = take(id) else { continue }
            waiting.pending.abandoned()
            waiting.finish(waiting.pending.expired)
        }
    }

    /// Answers everybody, and whoever comes later at once.
    func end() {
        let ids = state.withLock { state in
            state.isEnded = true
            return Array(state.waiting.keys)
        }
        for id in ids { take(id).map { $0.finish($0.pending.expired) } }
    }

    private func attempt(_ ids: [UInt64]) {
        for id in ids {
            guard let waiting = state.withLock({ $0.waiting[id] }),
                let response = waiting.pending.attempt()
            else { continue }
            take(id)?.finish(response)
        }
    }

    /// Whoever takes a request answers it: there is one taker.
    private func take(_ id: UInt64) -> Waiting? {
        state.withLock { state in
            guard let waiting = state.waiting.removeValue(forKey: id) else { return nil }
            let topic = waiting.pending.topic
            state.byTopic[topic]?.remove(id)
            if state.byTopic[topic]?.isEmpty == true { state.byTopic[topic] = nil }
            return waiting
        }
    }
}
