// SPDX-License-Identifier: Apache-2.0
// How fast foreign pprof becomes stored stacks, against expanding the same bytes from gzip.

import Glibc
import SondeFormats
import SondeModel
import SondeWire

@main struct PprofBenchmark {
    /// A profile as a busy service sends it: stacks of 20 to 40 entries that share their roots.
    static func document() -> PprofDocument {
        var generator = SystemRandomNumberGenerator()
        var document = PprofDocument()
        document.sampleTypes = [
            .init(type: "samples", unit: "count"), .init(type: "cpu", unit: "nanoseconds"),
        ]
        document.periodType = .init(type: "cpu", unit: "nanoseconds")
        document.timeNanos = 1_700_000_000_000_000_000
        var mapping = PprofDocument.Mapping(id: 1)
        mapping.memoryStart = 0x5555_5555_0000
        mapping.memoryLimit = 0x5555_6555_0000
        mapping.filename = "/usr/bin/service"
        mapping.buildID = "0123456789abcdef0123456789abcdef01234567"
        document.mappings = [mapping]
        for id in 1...6000 as ClosedRange<UInt64> {
            var location = PprofDocument.Location(id: id)
            location.mappingID = 1
            location.address = mapping.memoryStart + id * 97
            document.locations.append(location)
        }
        // Each stack leaves an earlier one somewhere in its leaf half, as the stacks of a program do.
        var stacks: [[UInt64]] = [(0..<30).map { _ in .random(in: 1...6000, using: &generator) }]
        for index in 0..<20_000 {
            let earlier = stacks[Int.random(in: max(0, index - 400)...index, using: &generator)]
            var stack = Array(earlier.prefix(Int.random(in: 14...26, using: &generator)))
            while stack.count < Int.random(in: 22...40, using: &generator) {
                stack.append(.random(in: 1...6000, using: &generator))
            }
            stacks.append(stack)
            let count = Int64.random(in: 1...5, using: &generator)
            document.samples.append(
                .init(locationIDs: stack.reversed(), values: [count, count * 10_000_000]))
        }
        return document
    }

    static func cpuSeconds(_ body: () throws -> Void) rethrows -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        let start = now()
        try body()
        return now() - start
    }

    static func main() throws {
        let bytes = document().encode()
        let packed = try Gzip.compress(bytes)
        let labels = try LabelSet([
            Label(name: "__name__", value: "process_cpu"), Label(name: "service_name", value: "x"),
        ])
        let megabytes = Double(bytes.count) / 1e6
        var best = (decode: Double.infinity, stacks: Double.infinity, expand: Double.infinity)
        var nodes = 0
        for _ in 0..<7 {
            var document = PprofDocument()
            best.decode = min(
                best.decode, try cpuSeconds { document = try PprofDocument(decoding: bytes[...]) })
            best.stacks = min(
                best.stacks,
                try cpuSeconds {
                    nodes = try document.profiles(
                        seriesLabels: labels, receivedAt: Timestamp(unixNanoseconds: 1)
                    )
                    .reduce(0) { $0 + $1.stacks.count }
                })
            best.expand = min(
                best.expand,
                try cpuSeconds { _ = try Gzip.expand(packed, limit: bytes.count) })
        }
        let both = best.decode + best.stacks
        func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
        print("pprof of \(rounded(megabytes)) MB, 20000 samples, \(nodes) nodes in 2 trees")
        print("  decode            \(rounded(megabytes / best.decode)) MB per CPU second")
        print("  merge into trees  \(rounded(megabytes / best.stacks)) MB per CPU second")
        print("  both              \(rounded(megabytes / both)) MB per CPU second")
        print("  gunzip            \(rounded(megabytes / best.expand)) MB per CPU second")
        let ratio = both / best.expand
        print("  both / gunzip     \(rounded(ratio)) (at most \(threshold))")
        if ratio > threshold { exit(1) }
    }

    /// How many times longer than gunzip's the work may take.
    static let threshold = 10.0
}
