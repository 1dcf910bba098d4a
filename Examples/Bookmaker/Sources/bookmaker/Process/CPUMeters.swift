// SPDX-License-Identifier: Apache-2.0
// What the program itself measures of its CPU time, function by function: the truth for profiles.

import Glibc
import Synchronization

/// CPU time from the kernel's own clocks.
enum CPUClock {
    /// Nanoseconds that the calling thread has computed.
    static var thread: UInt64 { read(CLOCK_THREAD_CPUTIME_ID) }
    /// Nanoseconds that all threads of the process have computed.
    static var process: UInt64 { read(CLOCK_PROCESS_CPUTIME_ID) }

    private static func read(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
    }
}

/// The CPU time of one function over all threads.
final class CPUMeter: Sendable {
    let function: String
    private let nanoseconds = Atomic<UInt64>(0)
    private let calls = Atomic<UInt64>(0)

    init(function: String) { self.function = function }

    /// Adds what the calling thread has computed since `start`, a reading of ``CPUClock/thread``.
    func add(since start: UInt64) {
        // Relaxed: sums that nothing else depends on.
        nanoseconds.wrappingAdd(CPUClock.thread &- start, ordering: .relaxed)
        calls.wrappingAdd(1, ordering: .relaxed)
    }

    var reading: (nanoseconds: UInt64, calls: UInt64) {
        (nanoseconds.load(ordering: .relaxed), calls.load(ordering: .relaxed))
    }
}

/// The meters of the three functions that use most of the time.
struct CPUMeters: Sendable {
    /// Made for half of the work, ``OddsDesk/simulateOutcomes(_:draws:seed:)``.
    let pricing = CPUMeter(function: "simulateOutcomes")
    /// Made for 30 % of the work, ``RiskDesk/worstCase(of:selections:steps:)``.
    let risk = CPUMeter(function: "worstCase")
    /// Made for 20 % of the work, ``FraudDesk/digest(of:rounds:)``.
    let fraud = CPUMeter(function: "digest")

    var all: [CPUMeter] { [pricing, risk, fraud] }
}
