// SPDX-License-Identifier: Apache-2.0
// Thirty days of twenty series: what a month costs beside an hour.

import Foundation
import SondeModel
import SondeStore

/// A fleet for a month.
///
/// Profiles have 40 stacks of about 30 entries: those of a service that is mostly idle. More would
/// take longer to make and not longer to read, for blocks know only distinct stacks. An agent sends
/// one every 10 s, which is 5.2 million: unless asked for those, there is one a minute, but for the
/// hours around those that are measured, so that an hour costs what it costs in a full store. A
/// day's block holds as many stacks either way.
struct MonthBenchmark {
    let services = 4
    let instances = 5
    let stacks = 40
    var days = 30
    var secondsPerProfile = 60

    func run(_ folder: String, _ thresholds: inout Thresholds) throws {
        let now = StoreBenchmark.begin.advanced(byNanoseconds: end * 1_000_000_000 + 1)
        let store = try StoreBenchmark.open(folder, now: now)
        let isFull = try store.statistics().profiles > 0
        let fill = try StoreBenchmark.measure { if !isFull { try self.fill(store) } }
        let count = try store.statistics().profiles
        print(
            "\(count) profiles of \(stacks) stacks: \(days) days of \(services * instances) series")
        print(
            "  stored            \(StoreBenchmark.text(fill.wall)) s, "
                + "\(Int(Double(count) / fill.wall)) profiles/s; "
                + "\(StoreBenchmark.memory().most) MB of memory at most")
        let before = try store.statistics().bytes
        let blocks = try StoreBenchmark.measure { try store.makeBlocks() }
        let after = try store.statistics().bytes
        print(
            "  blocks            \(StoreBenchmark.text(blocks.wall)) s, "
                + "\(StoreBenchmark.text(blocks.cpu * 1e6 / Double(count))) us CPU a profile; bytes "
                + "\(before >> 20) MiB -> \(after >> 20) MiB")
        let every: @Sendable (LabelSet) -> Bool = { _ in true }
        let one: @Sendable (LabelSet) -> Bool = { $0["instance"] == "2" }
        let service: @Sendable (LabelSet) -> Bool = { $0[LabelName.service] == "service-1" }
        for (name, matches) in [
            ("all series", every), ("one service", service), ("one in five", one),
        ] {
            print("  flame graph, \(name)")
            let hour = try merge(store, "1 h", middle, middle + 3600, matches)
            _ = try merge(store, "24 h", middle - 40_000, middle + 46_400, matches)
            let month = try merge(store, "\(days) days", 0, end, matches)
            let ragged = try merge(store, "ragged month", 50_000, end - 30_000, matches)
            let recent = try merge(store, "last hour", end - 3600, end, matches)
            let ratio = month.cpu / hour.cpu
            print(
                "    month / hour    \(StoreBenchmark.text(ratio)); ragged month / hour "
                    + "\(StoreBenchmark.text(ragged.cpu / hour.cpu)); month / last hour "
                    + StoreBenchmark.text(month.cpu / recent.cpu))
            thresholds.check("month_by_hour_at_most", ratio)
        }
        try timelines(store, end)
        print("  memory            \(StoreBenchmark.memory().now) MB now")
    }

    private func fill(_ store: SQLiteProfileStore) throws {
        var workloads = (0..<services).map { Workload(seed: UInt64($0 + 77), distinctStacks: 2000) }
        // The same trees again and again, in another order for each series: making them is not
        // what is measured.
        let trees = workloads.indices.map { index in
            (0..<360).map { _ in workloads[index].tree(samples: stacks) }
        }
        let series = (0..<services).flatMap { service in
            (0..<instances).map { (service, StoreBenchmark.labels(service: service, instance: $0)) }
        }
        let steps = stride(from: 0, to: days * 86_400, by: 10).filter {
            $0.isMultiple(of: secondsPerProfile) || isNearMeasured(Int64($0))
        }
        let stepsAtOnce = 60
        for start in stride(from: 0, to: steps.count, by: stepsAtOnce) {
            var profiles: [Profile] = []
            for step in start..<min(steps.count, start + stepsAtOnce) {
                for (index, (service, labels)) in series.enumerated() {
                    let begin = StoreBenchmark.begin.advanced(
                        byNanoseconds: Int64(steps[step]) * 1_000_000_000
                            + Int64(index) * 493_000_000)
                    profiles.append(
                        Profile(
                            type: .cpu, labels: labels, start: begin,
                            durationNanoseconds: 10_000_000_000, period: 10_000_000,
                            stacks: trees[service][(step &* 7 &+ index &* 31) % 360]))
                }
            }
            try store.append(profiles)
        }
    }

    private var end: Int64 { Int64(days) * 86_400 }
    /// Where the measured hour begins.
    private var middle: Int64 { end / 2 + 47 * 60 + 13 }

    /// Whether a second lies within a measured hour or an hour beside it.
    private func isNearMeasured(_ second: Int64) -> Bool {
        (middle - 3600..<middle + 7200).contains(second) || second >= end - 7200
    }

    private func merge(
        _ store: SQLiteProfileStore, _ name: String, _ from: Int64, _ until: Int64,
        _ matches: @escaping @Sendable (LabelSet) -> Bool
    ) throws -> StoreBenchmark.Cost {
        let selection = ProfileSelection(
            .cpu, in: StoreBenchmark.range(seconds: from, until), where: matches)
        var profiles = 0
        var nodes = 0
        func read() throws {
            let merged = try store.merge(selection)
            (profiles, nodes) = (merged.profileCount, merged.stacks.count)
        }
        let first = try StoreBenchmark.measure(read)
        let best = try StoreBenchmark.best(of: 7, read)
        print(
            "    \(name.padding(toLength: 12, withPad: " ", startingAt: 0))    "
                + "\(StoreBenchmark.milliseconds(best)), first \(StoreBenchmark.text(first.wall * 1000)) ms: "
                + "\(profiles) profiles, \(nodes) nodes")
        return best
    }

    private func timelines(_ store: SQLiteProfileStore, _ end: Int64) throws {
        let day = ProfileSelection(.cpu, in: StoreBenchmark.range(seconds: 0, 86_400))
        let month = ProfileSelection(.cpu, in: StoreBenchmark.range(seconds: 0, end))
        for (name, selection, seconds) in [
            ("24 h by 1 min", day, 60), ("month by 30 min", month, 1800),
            ("month by 2 h", month, 7200),
        ] as [(String, ProfileSelection, Int64)] {
            let steps = TimelineSteps(
                lengthNanoseconds: seconds * 1_000_000_000, origin: StoreBenchmark.begin)
            var points = 0
            let cost = try StoreBenchmark.best(of: 3) {
                points = try store.timeline(selection, steps: steps).count
            }
            print("  timeline, \(name): \(StoreBenchmark.milliseconds(cost)), \(points) points")
        }
    }
}
