// SPDX-License-Identifier: Apache-2.0
// How many bytes may come in at the moment.

internal import Synchronization

/// A bucket that fills at a steady rate and that what comes in is taken from.
package final class ByteRate: Sendable {
    private struct State {
        var available: Double
        var last: ContinuousClock.Instant
    }

    private let bytesPerSecond: Double
    private let burst: Double
    private let state: Mutex<State>

    /// A full bucket.
    ///
    /// - Parameters:
    ///   - bytesPerSecond: How fast it fills.
    ///   - burst: What it holds.
    package init(bytesPerSecond: Int, burst: Int) {
        self.bytesPerSecond = Double(bytesPerSecond)
        self.burst = Double(burst)
        state = Mutex(State(available: Double(burst), last: .now))
    }

    /// Takes bytes, when there are as many; otherwise takes none.
    package func take(_ count: Int, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            fill(&state, at: now)
            guard Double(count) <= state.available else { return false }
            state.available -= Double(count)
            return true
        }
    }

    /// Whether there are as many bytes; takes none.
    package func has(_ count: Int, at now: ContinuousClock.Instant) -> Bool {
        state.withLock { state in
            fill(&state, at: now)
            return Double(count) <= state.available
        }
    }

    private func fill(_ state: inout State, at now: ContinuousClock.Instant) {
        let passed = max(.zero, state.last.duration(to: now))
        state.available = min(burst, state.available + bytesPerSecond * (passed / .seconds(1)))
        state.last = now
    }
}
