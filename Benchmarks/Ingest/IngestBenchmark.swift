// SPDX-License-Identifier: Apache-2.0
// How fast pushed profiles reach the disk and come back merged, against gunzip of the same bytes and
// against adding the same profiles up in memory.

import Foundation
import SondeFormats
import SondeModel
import SondeStore
import SondeWire

@main struct IngestBenchmark {
    /// One hour of one instance that sends every 10 s.
    static let profiles = 360
    static let stacksPerProfile = 500
    static let begin = Timestamp(unixMilliseconds: 1_769_871_600_000)

    /// How many times longer than gunzip's the way from pprof to disk may take, in CPU time.
    static let ingestThreshold = 15.0
    /// How many times more CPU time pushing over HTTP may take than the same work in one process.
    static let httpThreshold = 2.0
    /// How many times longer than adding up in memory a merge from disk may take.
    static let mergeThreshold = 0.2

    /// The stacks of a program: 2000 ways of 30 entries on average that share their roots.
    struct Program {
        var stacks: [[UInt64]] = [(0..<30).map { _ in .random(in: 1...6000) }]

        init() {
            for index in 1..<2000 {
                let earlier = stacks[Int.random(in: max(0, index - 400)..<index)]
                var stack = Array(earlier.prefix(.random(in: 18...28)))
                let depth = Int.random(in: 25...35)
                while stack.count < depth { stack.append(.random(in: 1...6000)) }
                stacks.append(stack)
            }
        }

        /// What the agent would send of 10 s.
        func pprof(at start: Timestamp) -> [UInt8] {
            var document = PprofDocument()
            document.sampleTypes = [.init(type: "cpu", unit: "nanoseconds")]
            document.periodType = .init(type: "cpu", unit: "nanoseconds")
            document.period = 10_000_000
            document.timeNanos = start.unixNanoseconds
            document.durationNanos = 10_000_000_000
            var mapping = PprofDocument.Mapping(id: 1)
            mapping.memoryStart = 0x5555_5555_0000
            mapping.memoryLimit = 0x5555_6555_0000
            mapping.filename = "/usr/bin/service"
            mapping.buildID = "0123456789abcdef0123456789abcdef01234567"
            document.mappings = [mapping]
            var ids: [UInt64: UInt64] = [:]
            for _ in 0..<IngestBenchmark.stacksPerProfile {
                // Few stacks are hot.
                let index = min(Int.random(in: 0..<2000), Int.random(in: 0..<2000))
                let locations = stacks[index].reversed().map { place -> UInt64 in
                    if let id = ids[place] { return id }
                    var location = PprofDocument.Location(id: UInt64(ids.count + 1))
                    location.mappingID = 1
                    location.address = mapping.memoryStart + place * 97
                    ids[place] = location.id
                    document.locations.append(location)
                    return location.id
                }
                document.samples.append(
                    .init(locationIDs: locations, values: [.random(in: 1...5) * 10_000_000]))
            }
            return document.encode()
        }
    }

    struct Cost {
        var cpu = 0.0
        var wall = 0.0
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

    static func parse(_ bytes: [UInt8]) throws -> [Profile] {
        let labels = try LabelSet([
            Label(name: "__name__", value: "process_cpu"), Label(name: "service_name", value: "x"),
        ])
        return try PprofDocument(decoding: bytes[...]).profiles(
            seriesLabels: labels, receivedAt: begin)
    }

    static func open(_ path: String) throws -> SQLiteProfileStore {
        var configuration = SQLiteProfileStore.Configuration()
        configuration.retentionDays = nil
        return try SQLiteProfileStore(DataFolder(path), configuration: configuration)
    }

    static func main() throws {
        let folder =
            (CommandLine.arguments.dropFirst().first ?? NSTemporaryDirectory())
            + "/sonde-bench-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let program = Program()
        let bodies = (0..<profiles).map {
            program.pprof(at: begin.advanced(byNanoseconds: Int64($0) * 10_000_000_000))
        }
        let packed = try bodies.map { try Gzip.compress($0) }
        let megabytes = Double(bodies.reduce(0) { $0 + $1.count }) / 1e6
        var parsed: [[Profile]] = []
        let parse = try measure { for body in bodies { parsed.append(try Self.parse(body)) } }
        let expand = try measure {
            for body in packed { _ = try Gzip.expand(body, limit: 1 << 30) }
        }
        print(
            "\(profiles) profiles of \(stacksPerProfile) stacks, "
                + "\(rounded(megabytes)) MB of pprof, \(rounded(expand.cpu * 1000)) ms to gunzip")
        let single = try ingest(parsed, 1, "\(folder)/single")
        let grouped = try ingest(parsed, 36, "\(folder)/grouped")
        print(line("append one by one", single, megabytes))
        print(line("append 36 at once", grouped, megabytes))
        let total = Cost(cpu: parse.cpu + grouped.cpu, wall: parse.wall + grouped.wall)
        print(line("pprof to disk", total, megabytes))
        let ratio = total.cpu / expand.cpu
        print("  CPU time / gunzip      \(rounded(ratio)) (at most \(ingestThreshold))")
        let http = try pushOverHTTP(packed, "\(folder)/http")
        print(line("over HTTP", http, megabytes))
        // The store's grouping differs with the clients' timing, so compare with each profile alone.
        let inProcess = parse.cpu + expand.cpu + single.cpu
        let httpRatio = http.cpu / inProcess
        print("  HTTP / in process      \(rounded(httpRatio)) (at most \(httpThreshold))")
        let mergeRatio = try merge("\(folder)/grouped", parsed.flatMap { $0 })
        if ratio > ingestThreshold || httpRatio > httpThreshold || mergeRatio > mergeThreshold {
            exit(1)
        }
    }

    static func ingest(_ parsed: [[Profile]], _ count: Int, _ path: String) throws -> Cost {
        let store = try open(path)
        let cost = try measure {
            for start in stride(from: 0, to: parsed.count, by: count) {
                try store.append(
                    Array(parsed[start..<min(parsed.count, start + count)].joined()))
            }
        }
        let bytes = try store.statistics().bytes
        print("  \(bytes / 1024) KiB on disk, \(bytes / Int64(parsed.count)) bytes a profile")
        return cost
    }

    static func merge(_ path: String, _ profiles: [Profile]) throws -> Double {
        guard let range = TimeRange(from: begin, until: begin.advanced(byNanoseconds: 1 << 52))
        else { return 0 }
        let store = try open(path)
        var merged = MergedStacks(stacks: LocationTree(), profileCount: 0)
        func read() throws { merged = try store.merge(ProfileSelection(.cpu, in: range)) }
        let cold = try measure(read)
        var warm = try measure(read)
        for _ in 0..<5 {
            let next = try measure(read)
            if next.wall < warm.wall { warm = next }
        }
        var sum = LocationTree()
        var memory = Cost(cpu: .infinity, wall: .infinity)
        for _ in 0..<3 {
            sum = LocationTree()
            let next = measure { for profile in profiles { sum.merge(profile.stacks) } }
            if next.wall < memory.wall { memory = next }
        }
        precondition(sum.totals[0] == merged.stacks.totals[0] && sum.count == merged.stacks.count)
        var points = 0
        let timeline = try measure {
            points = try store.timeline(
                ProfileSelection(.cpu, in: range),
                steps: TimelineSteps(lengthNanoseconds: 10_000_000_000, origin: begin)
            ).count
        }
        print("  merge \(merged.profileCount) profiles into \(sum.count) nodes:")
        print("    first                \(rounded(cold.wall * 1000)) ms")
        print("    again                \(rounded(warm.wall * 1000)) ms")
        print("    in memory            \(rounded(memory.wall * 1000)) ms")
        print("  timeline, \(points) points   \(rounded(timeline.wall * 1000)) ms")
        print(
            "  merge / in memory      \((warm.wall / memory.wall * 1000).rounded() / 1000) (at most \(mergeThreshold))"
        )
        return warm.wall / memory.wall
    }

    static func line(_ what: String, _ cost: Cost, _ megabytes: Double) -> String {
        let name = what.padding(toLength: 20, withPad: " ", startingAt: 0)
        return "  \(name)   \(Int(Double(profiles) / cost.wall)) profiles/s, "
            + "\(Int(Double(profiles) / cost.cpu)) per CPU second, "
            + "\(rounded(megabytes / cost.cpu)) MB per CPU second"
    }

    static func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
}
