// SPDX-License-Identifier: Apache-2.0
// Threads that answer requests, so that a slow answer never holds up the listener's own threads.

internal import Foundation

/// A fixed number of threads that take work from a bounded queue.
final class WorkerPool: @unchecked Sendable {
    // Safety: `queue`, `running` and `isStopping` are only touched while `condition` is locked.
    private let condition = NSCondition()
    private var queue: [@Sendable () -> Void] = []
    private var running: Int
    private var isStopping = false
    private let queueLimit: Int

    /// Starts the threads.
    ///
    /// - Parameters:
    ///   - name: What the threads are called, at most 12 characters.
    ///   - threads: How many there are.
    ///   - queueLimit: How much work may wait.
    init(name: String, threads: Int, queueLimit: Int) {
        self.queueLimit = queueLimit
        running = threads
        for index in 0..<threads {
            let thread = Thread { self.run() }
            thread.name = "\(name)-\(index)"
            thread.stackSize = 8 << 20
            thread.start()
        }
    }

    /// Has work done by one of the threads; `false` when too much waits already.
    func submit(_ work: @escaping @Sendable () -> Void) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !isStopping, queue.count < queueLimit else { return false }
        queue.append(work)
        condition.signal()
        return true
    }

    /// Lets the threads finish what waits, then ends them; `false` when that took too long.
    func stop(by deadline: Date) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        isStopping = true
        condition.broadcast()
        while running > 0 {
            guard condition.wait(until: deadline) else { return running == 0 }
        }
        return true
    }

    private func run() {
        while let work = next() { work() }
        condition.lock()
        running -= 1
        condition.broadcast()
        condition.unlock()
    }

    private func next() -> (@Sendable () -> Void)? {
        condition.lock()
        defer { condition.unlock() }
        while queue.isEmpty {
            if isStopping { return nil }
            condition.wait()
        }
        return queue.removeFirst()
    }
}
