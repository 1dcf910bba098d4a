// SPDX-License-Identifier: Apache-2.0
// What the agent costs a service: the same work without it, with it, and without it again.

import Foundation
import SondeAgent

/// A threshold of the file that the benchmark is called with: `name at-least|at-most ratio`.
struct Threshold {
    var isMinimum: Bool
    var value: Double

    static func all(in file: String) throws -> [String: Threshold] {
        var found: [String: Threshold] = [:]
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count >= 3, let value = Double(words[2]) else { continue }
            found[words[0]] = Threshold(isMinimum: words[1] == "at-least", value: value)
        }
        return found
    }
}

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
    /// How much the two runs without it differed.
    var noise: Double { abs(without[0] / without[1] - 1) / 2 }
}

@main
enum OverheadBenchmark {
    static let rounds = 5
    static let busyThreads = 4
    static let idleThreads = 200

    static func main() throws {
        guard CommandLine.arguments.count == 3 else {
            print("cannot measure: want a file of thresholds and a controller's address")
            exit(2)
        }
        let thresholds = try Threshold.all(in: CommandLine.arguments[1])
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
        let paired = median(done.map(\.pairedShare))
        let noise = median(done.map(\.noise))
        print(
            String(
                format: "%d busy and %d idle threads at 100 Hz: the agent's own CPU time is "
                    + "%.3f %% of the process's; paired with none: %+.2f %%, noise %.2f %% "
                    + "(medians of %d)", busyThreads, idleThreads, own * 100, paired * 100,
                noise * 100, rounds))
        var failed = false
        for (name, value) in [("own-share", own), ("paired-share-beyond-noise", paired - noise)] {
            guard let threshold = thresholds[name] else {
                print("  \(name): no threshold")
                failed = true
                continue
            }
            let isGood = threshold.isMinimum ? value >= threshold.value : value <= threshold.value
            let limit = "\(threshold.isMinimum ? "at least" : "at most") \(threshold.value)"
            print(
                String(
                    format: "  %@ = %.5f; want %@%@", name, value, limit, isGood ? "" : "  FAILED"))
            failed = failed || !isGood
        }
        exit(failed ? 1 : 0)
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

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }
}
