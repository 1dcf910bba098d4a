// SPDX-License-Identifier: Apache-2.0
// The same work with and without the sampler, in pairs, in one process with many idle threads.

import Foundation
import SondeSampling
import Synchronization

/// What sampling cost.
struct Overhead {
    /// CPU time of helper and handler by the CPU time of the process.
    var ownShare: Double
    /// CPU time of the helper by the CPU time of the process.
    var helperShare: Double
    /// CPU time of the process with the sampler by that without it, minus one; median of pairs.
    var pairedShare: Double

    static func measure(busy: Int, idle: Int, pairs: Int) throws -> Overhead {
        let idlers = (0..<idle).map { _ in
            let thread = Thread { while true { Thread.sleep(forTimeInterval: 3600) } }
            thread.stackSize = 64 << 10
            thread.start()
            return thread
        }
        var ratios: [Double] = []
        var own = 0.0
        var helper = 0.0
        var total = 0.0
        for pair in 0..<pairs {
            // The order alternates, so that a machine that gets slower favours neither.
            var cpu = [0.0, 0.0]
            for sampled in pair % 2 == 0 ? [0, 1] : [1, 0] {
                let sampler = sampled == 1 ? try CPUSampler() : nil
                let before = processCPU()
                work(threads: busy)
                cpu[sampled] = processCPU() - before
                guard let sampler else { continue }
                let statistics = sampler.statistics
                sampler.stop()
                own += Double(statistics.ownCPUNanoseconds) / 1e9
                helper += Double(statistics.helperNanoseconds) / 1e9
                total += cpu[1]
            }
            ratios.append(cpu[1] / cpu[0] - 1)
        }
        withExtendedLifetime(idlers) {}
        return Overhead(
            ownShare: own / total, helperShare: helper / total,
            pairedShare: ratios.sorted()[pairs / 2])
    }

    private static func work(threads: Int) {
        DispatchQueue.concurrentPerform(iterations: threads) { index in
            var value = UInt64(index)
            for round in 0..<700_000_000 as Range<UInt64> {
                value = (value ^ round) &* 0x9e37_79b9_7f4a_7c15 &+ (value >> 7)
            }
            sink.store(value, ordering: .relaxed)
        }
    }

    private static let sink = Atomic<UInt64>(0)

    private static func processCPU() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
