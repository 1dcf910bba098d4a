// SPDX-License-Identifier: Apache-2.0
// Hands new lines to whoever subscribed, at the moment when they are stored.

internal import SondeModel
internal import Synchronization

/// The subscriptions to new lines.
final class LogFeed: Sendable {
    private struct State: Sendable {
        var takers: [UInt64: @Sendable ([LogStream]) -> Void] = [:]
        var nextID: UInt64 = 0
    }

    private let state = Mutex(State())

    /// Whether anybody listens.
    var isEmpty: Bool { state.withLock { $0.takers.isEmpty } }

    func subscribe(_ take: @escaping @Sendable ([LogStream]) -> Void) -> LogSubscription {
        let id = state.withLock { state in
            state.nextID += 1
            state.takers[state.nextID] = take
            return state.nextID
        }
        return LogSubscription { [weak self] in
            self?.state.withLock { _ = $0.takers.removeValue(forKey: id) }
        }
    }

    /// Hands lines to everybody.
    func publish(_ streams: [LogStream]) {
        guard !streams.isEmpty else { return }
        // Called outside of the lock, so that a taker may end its own subscription.
        for take in state.withLock({ Array($0.takers.values) }) { take(streams) }
    }
}

/// One subscription to new lines; it ends with its last reference.
package final class LogSubscription: Sendable {
    private let isEnded = Atomic(false)
    private let onEnd: @Sendable () -> Void

    /// A subscription that is ended by a call.
    package init(_ onEnd: @escaping @Sendable () -> Void) { self.onEnd = onEnd }

    deinit { end() }

    /// Ends the subscription; harmless when repeated.
    ///
    /// Lines that are being handed over on another thread at this moment may still come.
    package func end() {
        // Relaxed: only one caller may go on; nothing else is passed along.
        guard !isEnded.exchange(true, ordering: .relaxed) else { return }
        onEnd()
    }
}
