// SPDX-License-Identifier: Apache-2.0
// The profile store: how fast profiles become durable, how many bytes they are, and what a picture
// of a month costs beside that of an hour.

import Foundation
import SondeFormats
import SondeModel
import SondeStore
import SondeWire

@main struct StoreBenchmark {
    static let begin = Timestamp(unixMilliseconds: 1_769_904_000_000)  // 2026-02-01T00:00:00Z

    struct Cost {
        var cpu = Double.infinity
        var wall = Double.infinity
    }

    static func measure(_ body: () throws -> Void) rethrows -> Cost {
        func now(_ clock: clockid_t) -> Double {
            var time = timespec()
            clock_gettime(clock, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let start = (now(CLOCK_PROCESS_CPUTIME_ID), now(CLOCK_MONOTONIC))
        try body()
        return Cost(
            cpu: now(CLOCK_PROCESS_CPUTIME_ID) - start.0, wall: now(CLOCK_MONOTONIC) - start.1)
    }

    /// The best of some runs: others use the machine too.
    static func best(of count: Int, _ body: () throws -> Void) rethrows -> Cost {
        var best = Cost()
        for _ in 0..<count {
            let cost = try measure(body)
            best.cpu = min(best.cpu, cost.cpu)
            best.wall = min(best.wall, cost.wall)
        }
        return best
    }

    static func open(_ path: String, now: Timestamp) throws -> SQLiteProfileStore {
        var configuration = SQLiteProfileStore.Configuration()
        configuration.retentionDays = nil
        configuration.now = { now }
        return try SQLiteProfileStore(DataFolder(path), configuration: configuration)
    }

    static func labels(service: Int, instance: Int) -> LabelSet {
        LabelSet().setting(LabelName.service, to: "service-\(service)")
            .setting("instance", to: "\(instance)")
    }

    static func range(seconds first: Int64, _ last: Int64) -> TimeRange {
        let from = begin.advanced(byNanoseconds: first * 1_000_000_000)
        let until = begin.advanced(byNanoseconds: last * 1_000_000_000 - 1)
        guard let range = TimeRange(from: from, until: until) else {
            preconditionFailure("a range of \(first)...\(last) s ends before it begins")
        }
        return range
    }

    /// Resident memory in MB, and the most that it ever was.
    static func memory() -> (now: Int, most: Int) {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        func field(_ name: String) -> Int {
            let line = status.split(separator: "\n").first { $0.hasPrefix(name) }
            return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) / 1024
        }
        return (field("VmRSS:"), field("VmHWM:"))
    }

    static func text(_ value: Double) -> String { String(format: "%.2f", value) }
    static func milliseconds(_ cost: Cost) -> String {
        String(format: "%8.2f ms, CPU %8.2f ms", cost.wall * 1000, cost.cpu * 1000)
    }

    static func main() throws {
        guard var options = Options(CommandLine.arguments.dropFirst()) else {
            print(Options.usage)
            exit(2)
        }
        var thresholds = try Thresholds(options.thresholds)
        options.folder += "/sonde-bench-store-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: options.folder) }
        for part in options.parts {
            switch part {
            case .hour: try HourBenchmark.run(options.folder + "/hour", &thresholds)
            case .growth: try GrowthBenchmark.run(options.folder + "/growth")
            case .month:
                try options.month.run(
                    options.kept ?? options.folder + "/month", &thresholds)
            }
        }
        let memory = memory()
        print("memory: \(memory.now) MB now, \(memory.most) MB at most")
        if !thresholds.failures.isEmpty {
            print(thresholds.failures.joined(separator: "\n"))
            try? FileManager.default.removeItem(atPath: options.folder)
            exit(1)
        }
    }
}

/// What the command line asks for.
private struct Options {
    enum Part: String, CaseIterable { case hour, growth, month }

    static let usage =
        """
        usage: bench-store THRESHOLDS [folder=F] [days=N] [seconds=N] [keep=F] [PART ...]
          PART is hour, growth or month; all of them without one.
          keep: the month's folder, which is filled when it is empty and left as it is.
        """

    var thresholds = ""
    var folder = NSTemporaryDirectory()
    var parts: [Part] = []
    var month = MonthBenchmark()
    var kept: String?

    init?(_ words: ArraySlice<String>) {
        guard let first = words.first else { return nil }
        thresholds = first
        for word in words.dropFirst() {
            let sides = word.split(separator: "=", maxSplits: 1).map(String.init)
            if let part = Part(rawValue: word) {
                parts.append(part)
            } else if sides.count == 2, sides[0] == "folder" {
                folder = sides[1]
            } else if sides.count == 2, sides[0] == "keep" {
                kept = sides[1]
            } else if sides.count == 2, sides[0] == "days", let days = Int(sides[1]) {
                month.days = days
            } else if sides.count == 2, sides[0] == "seconds", let seconds = Int(sides[1]) {
                month.secondsPerProfile = seconds
            } else {
                return nil
            }
        }
        if parts.isEmpty { parts = Part.allCases }
    }
}

/// Numbers that must not be passed.
struct Thresholds {
    private var values: [String: Double] = [:]
    private(set) var failures: [String] = []

    init(_ path: String) throws {
        for line in try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let value = Double(words[1]) { values[String(words[0])] = value }
        }
    }

    /// Holds a figure against its threshold: `at least` where the name says so, else `at most`.
    mutating func check(_ name: String, _ value: Double) {
        guard let limit = values[name] else {
            failures.append("no threshold is named \(name)")
            return
        }
        let isLow = name.hasSuffix("_at_least")
        if isLow ? value < limit : value > limit {
            failures.append("\(name): \(value) breaks \(limit)")
        }
    }
}
