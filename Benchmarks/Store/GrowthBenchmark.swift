// SPDX-License-Identifier: Apache-2.0
// How questions grow with the number of series and with time.

import Foundation
import SondeModel
import SondeStore

/// One service of more and more instances, and of more and more hours.
enum GrowthBenchmark {
    static func run(_ folder: String) throws {
        print("growth: one service, a profile of 40 stacks a minute of each series, hour of all")
        for (series, hours) in [(10, 6), (40, 6), (160, 6), (40, 24)] {
            try run("\(folder)-\(series)-\(hours)", series: series, hours: hours)
        }
    }

    private static func run(_ folder: String, series: Int, hours: Int) throws {
        let end = Int64(hours) * 3600
        let now = StoreBenchmark.begin.advanced(byNanoseconds: 2 * 86_400_000_000_000)
        let store = try StoreBenchmark.open(folder, now: now)
        var workload = Workload(seed: 5, distinctStacks: 2000)
        let trees = (0..<120).map { _ in workload.tree(samples: 40) }
        for minute in 0..<hours * 60 {
            try store.append(
                (0..<series).map { index in
                    Profile(
                        type: .cpu, labels: StoreBenchmark.labels(service: 0, instance: index),
                        start: StoreBenchmark.begin.advanced(
                            byNanoseconds: Int64(minute) * 60_000_000_000 + Int64(index) * 7_000_000
                        ),
                        durationNanoseconds: 10_000_000_000, period: 10_000_000,
                        stacks: trees[(minute &* 7 &+ index &* 31) % 120])
                })
        }
        try store.makeBlocks()
        let middle = end / 2 + 13
        let hour = ProfileSelection(.cpu, in: StoreBenchmark.range(seconds: middle, middle + 3600))
        let all = ProfileSelection(.cpu, in: StoreBenchmark.range(seconds: 0, end))
        let hourCost = try StoreBenchmark.best(of: 5) { _ = try store.merge(hour) }
        let allCost = try StoreBenchmark.best(of: 5) { _ = try store.merge(all) }
        print(
            "  \(series) series, \(hours) h: hour \(StoreBenchmark.milliseconds(hourCost)); "
                + "\(hours) h \(StoreBenchmark.milliseconds(allCost)); "
                + "\(StoreBenchmark.memory().now) MB now")
    }
}
