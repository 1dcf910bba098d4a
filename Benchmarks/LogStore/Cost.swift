// SPDX-License-Identifier: Apache-2.0
// What something costs, in this process or in another one.

import Foundation

/// CPU and wall time, in seconds.
struct Cost {
    var cpu: Double
    var wall: Double

    /// What a body costs in this process.
    static func of(_ body: () throws -> Void) rethrows -> Cost {
        let start = (clock(CLOCK_PROCESS_CPUTIME_ID), clock(CLOCK_MONOTONIC))
        try body()
        return Cost(
            cpu: clock(CLOCK_PROCESS_CPUTIME_ID) - start.0, wall: clock(CLOCK_MONOTONIC) - start.1)
    }

    /// What a program costs, from its start to its end.
    static func ofProcess(_ name: String, _ arguments: [String]) throws -> Cost {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [name] + arguments
        process.standardOutput = FileHandle.nullDevice
        let before = children()
        let start = clock(CLOCK_MONOTONIC)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            print("cannot measure: \(name) ended with status \(process.terminationStatus)")
            exit(1)
        }
        return Cost(cpu: children() - before, wall: clock(CLOCK_MONOTONIC) - start)
    }

    private static func clock(_ id: clockid_t) -> Double {
        var time = timespec()
        clock_gettime(id, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The CPU time of the children that have ended.
    private static func children() -> Double {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_CHILDREN.rawValue), &usage)
        let seconds = Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        return seconds + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    }
}
