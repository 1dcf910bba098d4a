// SPDX-License-Identifier: Apache-2.0
// A fixed amount of work on busy threads, in a process with many idle ones.

import Foundation
import Synchronization

/// A process as a service is: a few threads that compute, many that wait.
final class Workload {
    private let busy: Int
    private let idlers: [Thread]

    /// Starts the idle threads.
    init(busy: Int, idle: Int) {
        self.busy = busy
        idlers = (0..<idle).map { _ in
            let thread = Thread { while true { Thread.sleep(forTimeInterval: 3600) } }
            thread.stackSize = 64 << 10
            thread.start()
            return thread
        }
    }

    /// Does the work.
    ///
    /// - Parameter end: What belongs to it at its end.
    /// - Returns: The CPU time of the whole process meanwhile, in seconds.
    func run(_ end: () -> Void = {}) -> Double {
        let before = Self.processCPU
        // Threads of their own: Dispatch would use no more than there are processors.
        let done = DispatchGroup()
        for index in 0..<busy {
            done.enter()
            Thread.detachNewThread {
                Self.work(index)
                done.leave()
            }
        }
        done.wait()
        end()
        return Self.processCPU - before
    }

    private static func work(_ index: Int) {
        var table = [UInt64](repeating: UInt64(index) | 1, count: 1 << 15)
        var sum: UInt64 = 0
        for round in 0..<42_000 as Range<UInt64> { sum &+= descend(24, round, &table) }
        sink.store(sum, ordering: .relaxed)
    }

    /// A stack as deep as services have, with work at each level of it.
    @inline(never)
    private static func descend(_ depth: Int, _ seed: UInt64, _ table: inout [UInt64]) -> UInt64 {
        var value = seed &+ UInt64(depth)
        for _ in 0..<300 {
            value = (value ^ (value >> 29)) &* 0x9e37_79b9_7f4a_7c15
            let place = Int(truncatingIfNeeded: value >> 49)
            table[place] &+= value
            value ^= table[place]
        }
        return depth == 0 ? value : descend(depth - 1, value, &table) ^ value
    }

    private static let sink = Atomic<UInt64>(0)

    private static var processCPU: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
