// SPDX-License-Identifier: Apache-2.0
// What a made-up service does: stacks that share their roots, some hot, most rare.

import SondeFormats
import SondeModel

/// A service whose profiles look like those of a real one.
struct Workload {
    /// Root first, as places in one image.
    private var stacks: [[UInt64]]
    private var generator: Xorshift

    /// A service with so many distinct stacks of about 30 entries.
    init(seed: UInt64, distinctStacks: Int) {
        var generator = Xorshift(state: seed &* 0x9E37_79B9_7F4A_7C15 | 1)
        var stacks: [[UInt64]] = [(0..<30).map { _ in .random(in: 1...6000, using: &generator) }]
        for index in 1..<distinctStacks {
            let earlier = stacks[
                Int.random(in: max(0, index - 400)..<index, using: &generator)]
            var stack = Array(earlier.prefix(.random(in: 18...28, using: &generator)))
            let depth = Int.random(in: 25...35, using: &generator)
            while stack.count < depth { stack.append(.random(in: 1...6000, using: &generator)) }
            stacks.append(stack)
        }
        self.stacks = stacks
        self.generator = generator
    }

    /// What an agent would send of 10 s: this many samples of stacks, few of which are hot.
    mutating func pprof(at start: Timestamp, samples: Int) -> [UInt8] {
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
        for _ in 0..<samples {
            let locations = choose().reversed().map { place -> UInt64 in
                if let id = ids[place] { return id }
                var location = PprofDocument.Location(id: UInt64(ids.count + 1))
                location.mappingID = 1
                location.address = mapping.memoryStart + place * 97
                ids[place] = location.id
                document.locations.append(location)
                return location.id
            }
            document.samples.append(
                .init(
                    locationIDs: locations,
                    values: [.random(in: 1...5, using: &generator) * 10_000_000]))
        }
        return document.encode()
    }

    /// The same as stacks, for what does not begin with a pprof.
    mutating func tree(samples: Int) -> LocationTree {
        let image = ImageID(
            buildID: BuildID(hex: "0123456789abcdef0123456789abcdef01234567"),
            path: "/usr/bin/service")
        var tree = LocationTree()
        for _ in 0..<samples {
            tree.add(
                .random(in: 1...5, using: &generator) * 10_000_000,
                rootFirst: choose().map { .address(image: image, offset: FileOffset($0 * 97)) })
        }
        return tree
    }

    private mutating func choose() -> [UInt64] {
        // Few stacks are hot.
        let one = Int.random(in: 0..<stacks.count, using: &generator)
        let other = Int.random(in: 0..<stacks.count, using: &generator)
        return stacks[min(one, other)]
    }
}

/// The same numbers in each run.
struct Xorshift: RandomNumberGenerator {
    var state: UInt64 = 0x2545_F491_4F6C_DD1D

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
