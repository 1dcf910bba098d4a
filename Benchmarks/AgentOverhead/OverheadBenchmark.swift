// SPDX-License-Identifier: Apache-2.0
// What the agent costs a service: the same work without it, with it, and without it again.

import BenchmarkReport
import Foundation
import SondeAgent

/// Three runs of the same work.
struct Round {
    /// CPU seconds of the process without the agent, before and after.
    var without: [Double] = []
    /// CPU seconds of the process with the agent, its last delivery included.
    var with = 0.0
    /// CPU seconds that the agent says it used itself.
    var own = 0.0
    /// Samples that were taken.
    var samples: UInt64 = 0

    /// What the process used more with the agent, as a share.
    var pairedShare: Double { with * 2 / (without[0] + without[1]) - 1 }
    /// How much the two runs without it differed, as a share; nothing if the machine were quiet.
    var nullShare: Double { without[0] / without[1] - 1 }
}

/// What paired runs say on a machine that others use too.
struct PairedShare {
    /// The median of what the process used more with the agent.
    var median: Double
    /// How far the median may be off by chance: two standard errors.
    ///
    /// The spread of one run is taken from the pairs with the agent and from those of two runs
    /// without it, whichever is the larger, by the median of absolute deviations, which one disturbed
    /// run cannot spoil. A median of n has a standard error 1.25 times that of a mean.
    var bound: Double

    init(_ rounds: [Round]) {
        let pairs = rounds.map(\.pairedShare)
        median = Self.median(pairs)
        let middle = median
        let ofPairs = 1.4826 * Self.median(pairs.map { abs($0 - middle) })
        // A pair compares one run with the mean of two, a null pair one run with another.
        let ofNulls =
            1.4826 * Self.median(rounds.map { abs($0.nullShare) }) * (1.5 / 2).squareRoot()
        bound = 2 * 1.25 * max(ofPairs, ofNulls) / Double(rounds.count).squareRoot()
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}

@main
enum OverheadBenchmark {
    static let rounds = 7
    static let busyThreads = 4
    static let idleThreads = 200

    static func main() throws {
        guard CommandLine.arguments.count == 3 else {
            print("cannot measure: want a file of thresholds and a controller's address")
            exit(2)
        }
        var report = try BenchmarkReport(thresholds: CommandLine.arguments[1])
        let configuration = Sonde.Configuration(
            service: "overhead", url: CommandLine.arguments[2], hertz: 100)
        let workload = Workload(busy: busyThreads, idle: idleThreads)
        // The first run makes caches and pages warm.
        _ = workload.run()
        var done: [Round] = []
        for _ in 0..<rounds {
            let round = try measure(workload, configuration)
            print(
                String(
                    format: "  without %.3f s, with %.3f s (own %.4f s, %d samples), "
                        + "without %.3f s of CPU", round.without[0], round.with, round.own,
                    Int(round.samples), round.without[1]))
            done.append(round)
        }
        let own = done.reduce(0) { $0 + $1.own } / done.reduce(0) { $0 + $1.with }
        let paired = PairedShare(done)
        print(
            String(
                format: "%d busy and %d idle threads at 100 Hz: the agent's own CPU time is "
                    + "%.3f %% of the process's; paired with none: %+.2f %%, give or take %.2f %% "
                    + "(median of %d)", busyThreads, idleThreads, own * 100, paired.median * 100,
                paired.bound * 100, rounds))
        report.judge("own-share", own)
        // The account is exact; the pairs tell only what they can beyond the machine's own noise.
        report.judge("paired-share-beyond-noise", paired.median - paired.bound)
        exit(report.hasFailed ? 1 : 0)
    }

    private static func measure(
        _ workload: Workload, _ configuration: Sonde.Configuration
    ) throws -> Round {
        var round = Round()
        round.without.append(workload.run())
        let sonde = try Sonde.start(configuration)
        let deadline = Date(timeIntervalSinceNow: 20)
        while sonde.status.controller != .connected {
            guard Date() < deadline else {
                print("cannot measure: the agent does not connect: \(sonde.status.problems)")
                exit(1)
            }
            usleep(10_000)
        }
        let before = sonde.status.ownCPUNanoseconds
        // A service delivers every ten seconds; here one delivery is paid for by each run.
        round.with = workload.run { sonde.stop() }
        let after = sonde.status
        guard after.profilesSent > 0, after.samples > 0 else {
            print("cannot measure: got no profile at the controller: \(after)")
            exit(1)
        }
        round.own = Double(after.ownCPUNanoseconds - before) / 1e9
        round.samples = after.samples
        round.without.append(workload.run())
        return round
    }
}
