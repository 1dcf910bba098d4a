// SPDX-License-Identifier: Apache-2.0
// How fast foreign pprof becomes stored stacks, against expanding the same bytes from gzip.

import Glibc
import SondeFormats
import SondeModel
import SondeWire

@main struct PprofBenchmark {
    /// How many times longer than gunzip's the work may take: on profiles as agents send them every
    /// 10 s, and on one that is so large that its trees do not fit into the processor's caches.
    static let thresholds = (usual: 8.0, large: 20.0)

    /// A profile of addresses: stacks of 20 to 40 entries that share their roots.
    static func document(samples: Int, places: UInt64) -> PprofDocument {
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
        for id in 1...places {
            var location = PprofDocument.Location(id: id)
            location.mappingID = 1
            location.address = mapping.memoryStart + id * 97
            document.locations.append(location)
        }
        // Each stack leaves an earlier one somewhere in its leaf half, as the stacks of a program do.
        var stacks: [[UInt64]] = [(0..<30).map { _ in .random(in: 1...places, using: &generator) }]
        for index in 0..<samples {
            let earlier = stacks[Int.random(in: max(0, index - 400)...index, using: &generator)]
            var stack = Array(earlier.prefix(Int.random(in: 14...26, using: &generator)))
            while stack.count < Int.random(in: 22...40, using: &generator) {
                stack.append(.random(in: 1...places, using: &generator))
            }
            stacks.append(stack)
            let count = Int64.random(in: 1...5, using: &generator)
            document.samples.append(
                .init(locationIDs: stack.reversed(), values: [count, count * 10_000_000]))
        }
        return document
    }

    /// What an SDK sends of 10 s: 500 stacks with names, files and lines.
    static func namedDocument() -> PprofDocument {
        var document = document(samples: 500, places: 2000)
        document.mappings[0].hasFunctions = true
        for index in document.locations.indices {
            let id = UInt64(index) + 1
            document.locations[index].lines = [.init(functionID: id, line: Int64(index % 900))]
            var function = PprofDocument.Function(id: id)
            function.name = "example.org/shop/internal/checkout.(*Basket\(index % 97)).step\(index)"
            function.systemName = function.name
            function.filename = "/src/example.org/shop/internal/checkout/basket\(index % 97).go"
            function.startLine = Int64(index % 800)
            document.functions.append(function)
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

    /// Prints the rates of one kind of profile; returns its time as a multiple of gunzip's.
    static func measure(
        _ name: String, _ document: PprofDocument, repeated: Int
    ) throws -> Double {
        let bytes = document.encode()
        let packed = try Gzip.compress(bytes)
        let labels = try LabelSet([
            Label(name: "__name__", value: "process_cpu"), Label(name: "service_name", value: "x"),
        ])
        let megabytes = Double(bytes.count * repeated) / 1e6
        var best = (decode: Double.infinity, stacks: Double.infinity, expand: Double.infinity)
        var nodes = 0
        for _ in 0..<7 {
            var document = PprofDocument()
            best.decode = min(
                best.decode,
                try cpuSeconds {
                    for _ in 0..<repeated { document = try PprofDocument(decoding: bytes[...]) }
                })
            best.stacks = min(
                best.stacks,
                try cpuSeconds {
                    for _ in 0..<repeated {
                        nodes = try document.profiles(
                            seriesLabels: labels, receivedAt: Timestamp(unixNanoseconds: 1)
                        )
                        .reduce(0) { $0 + $1.stacks.count }
                    }
                })
            best.expand = min(
                best.expand,
                try cpuSeconds {
                    for _ in 0..<repeated { _ = try Gzip.expand(packed, limit: bytes.count) }
                })
        }
        let both = best.decode + best.stacks
        func rounded(_ value: Double) -> Double { (value * 10).rounded() / 10 }
        print("\(name): \(rounded(Double(bytes.count) / 1000)) kB, \(nodes) nodes in 2 trees")
        print("  decode            \(rounded(megabytes / best.decode)) MB per CPU second")
        print("  merge into trees  \(rounded(megabytes / best.stacks)) MB per CPU second")
        print("  both              \(rounded(megabytes / both)) MB per CPU second")
        print("  gunzip            \(rounded(megabytes / best.expand)) MB per CPU second")
        print("  both / gunzip     \(rounded(both / best.expand))")
        return both / best.expand
    }

    static func main() throws {
        let large = try measure(
            "addresses, 20000 samples", document(samples: 20_000, places: 6000), repeated: 1)
        let usual = max(
            try measure(
                "addresses, 500 samples", document(samples: 500, places: 6000), repeated: 50),
            try measure("names, 500 samples", namedDocument(), repeated: 50))
        print("at most \(thresholds.usual) times gunzip's; the large one \(thresholds.large)")
        if usual > thresholds.usual || large > thresholds.large { exit(1) }
    }
}
