// SPDX-License-Identifier: Apache-2.0
// Whether a client still waits for its answer, asked as often as one likes.

internal import Synchronization

/// Whether a client still waits for its answer.
///
/// To ask costs a system call, so the answer is kept for a while; one who is gone stays gone.
final class ClientPresence: Sendable {
    private struct State {
        var asked: ContinuousClock.Instant?
        var isGone = false
    }

    private static let keptFor = Duration.milliseconds(20)
    private let ask: @Sendable () -> Bool
    private let state = Mutex(State())

    /// The presence of a client about whom `ask` knows.
    init(_ ask: @escaping @Sendable () -> Bool) { self.ask = ask }

    /// Whether the client is gone.
    func isGone() -> Bool {
        state.withLock { state in
            if state.isGone { return true }
            let now = ContinuousClock.now
            if let asked = state.asked, asked + Self.keptFor > now { return false }
            state.asked = now
            state.isGone = ask()
            return state.isGone
        }
    }
}
