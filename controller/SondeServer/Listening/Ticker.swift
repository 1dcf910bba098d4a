// SPDX-License-Identifier: Apache-2.0
// A thread that does something again and again until it is stopped.

internal import Foundation

/// A thread that does something again and again until it is stopped.
final class Ticker: @unchecked Sendable {
    // Safety: the variables are only touched while `condition` is locked.
    private let condition = NSCondition()
    private var isStopping = false
    private var isRunning = false
    private let name: String
    private let interval: Double

    /// A ticker that does not tick yet.
    ///
    /// - Parameters:
    ///   - name: What the thread is called.
    ///   - interval: Seconds between two ticks.
    init(name: String, every interval: Double) {
        self.name = name
        self.interval = interval
    }

    /// Begins to tick.
    func start(_ tick: @escaping @Sendable () -> Void) {
        condition.lock()
        defer { condition.unlock() }
        guard !isRunning, !isStopping else { return }
        isRunning = true
        let thread = Thread { [self] in
            while waitForNext() { tick() }
            condition.lock()
            isRunning = false
            condition.broadcast()
            condition.unlock()
        }
        thread.name = name
        thread.start()
    }

    /// Ends the ticking, and returns when the last tick is over.
    func stop() {
        condition.lock()
        defer { condition.unlock() }
        isStopping = true
        condition.broadcast()
        while isRunning { condition.wait() }
    }

    private func waitForNext() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        let due = Date(timeIntervalSinceNow: interval)
        while !isStopping {
            guard condition.wait(until: due) else { break }
        }
        return !isStopping
    }
}
