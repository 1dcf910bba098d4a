// SPDX-License-Identifier: Apache-2.0
// How a pprof profile becomes stored profiles, and stored stacks a pprof profile.

import SondeFormats
import SondeModel
import Testing

@Suite struct PprofProfilesTests {
    static let received = Timestamp(unixNanoseconds: 42)

    static func labels(_ pairs: [String: String]) throws -> LabelSet {
        try LabelSet(pairs.map { Label(name: $0.key, value: $0.value) })
    }

    static func profiles(
        _ document: PprofDocument, _ extra: [String: String] = [:], maxStackDepth: Int = 1000
    ) throws -> [Profile] {
        var pairs = ["__name__": "process_cpu", "service_name": "demo"]
        pairs.merge(extra) { $1 }
        return try document.profiles(
            seriesLabels: labels(pairs), receivedAt: received, maxStackDepth: maxStackDepth)
    }

    /// Each stack with its value: `a;b 3`.
    static func stacks(_ tree: LocationTree) -> [String] {
        (0..<tree.count).filter { tree.selfValues[$0] != 0 }.map { node in
            var names: [String] = []
            var at = node
            while at > 0 {
                switch tree.keys[Int(tree.keyIndices[at])] {
                case .address(let image, let offset):
                    names.append("\(image.name)+\(String(offset.rawValue, radix: 16))")
                case .symbolized(let frames):
                    names.append(frames.map(\.name).joined(separator: "|"))
                }
                at = Int(tree.parents[at])
            }
            return names.reversed().joined(separator: ";") + " \(tree.selfValues[node])"
        }.sorted()
    }

    @Test func eachSampleTypeBecomesAProfile() throws {
        let profiles = try Self.profiles(
            PprofDecoderTests.full, ["region": "eu", "__delta__": "false"])
        #expect(
            profiles.map(\.type.description) == [
                "process_cpu:samples:count:cpu:nanoseconds", "process_cpu:cpu:ns:cpu:nanoseconds",
            ])
        #expect(profiles[0].labels == (try Self.labels(["service_name": "demo", "region": "eu"])))
        #expect(profiles[0].start.unixNanoseconds == 1_700_000_000_000_000_000)
        #expect(profiles[0].durationNanoseconds == 10_000_000_000)
        #expect(profiles[0].period == 10_000_000)
    }

    @Test func addressesBecomeOffsetsOfTheFileAndLinesBecomeFramesOutermostFirst() throws {
        let profiles = try Self.profiles(PprofDecoderTests.full)
        #expect(
            Self.stacks(profiles[0].stacks) == [
                "outer()|inner() 3", "outer()|inner();demo+434 1",
            ])
        let named = profiles[0].stacks.keys.compactMap { key -> [Frame]? in
            if case .symbolized(let frames) = key { frames } else { nil }
        }
        let frames = try #require(named.first)
        #expect(frames.map(\.kind) == [.function, .inlined])
        #expect(frames[1].systemName == "$s4demo5inneryyF")
        #expect(frames[1].file == "demo.swift")
        #expect(frames[1].startLine == 6)
    }

    @Test func valuesOfZeroAndBelowAreDroppedInTheirTypeAlone() throws {
        let profiles = try Self.profiles(PprofDecoderTests.full)
        #expect(Self.stacks(profiles[1].stacks) == ["outer()|inner();demo+434 10000000"])
    }

    @Test func equalStacksAreMergedAndSaturate() throws {
        var document = PprofDecoderTests.full
        document.samples = [
            .init(locationIDs: [1, 2], values: [5, .max]),
            .init(locationIDs: [1, 2], values: [6, 1]),
        ]
        let profiles = try Self.profiles(document)
        #expect(Self.stacks(profiles[0].stacks) == ["outer()|inner();demo+434 11"])
        #expect(Self.stacks(profiles[1].stacks) == ["outer()|inner();demo+434 \(Int64.max)"])
    }

    @Test func aStackThatIsTooDeepKeepsItsRootSide() throws {
        var document = PprofDecoderTests.full
        document.samples = [.init(locationIDs: [1, 1, 1, 2], values: [5, 0])]
        let profiles = try Self.profiles(document, maxStackDepth: 2)
        #expect(Self.stacks(profiles[0].stacks) == ["outer()|inner();demo+434 5"])
    }

    @Test func anAddressOutsideItsMappingBelongsToNoImage() throws {
        var document = PprofDecoderTests.full
        document.locations[0].address = 0xFFFF_FFFF_0000
        let profiles = try Self.profiles(document)
        #expect(Self.stacks(profiles[0].stacks).last == "outer()|inner();+ffffffff0000 1")
    }

    @Test func namesFollowPyroscope() throws {
        var document = PprofDecoderTests.full
        document.timeNanos = 0
        let wall = try Self.profiles(document, ["__name__": "wall", "service_name": ""])
        #expect(wall.map(\.type.name) == ["wall", "process_cpu"])
        #expect(wall[0].labels["service_name"] == "unknown_service")
        #expect(wall[0].start == Self.received)
        let delta = try Self.profiles(document, ["__name__": "godeltaprof_memory"])
        #expect(delta[0].type.name == "memory")
    }

    @Test func namesThatNoProfileTypeCanHaveAreRefused() throws {
        var document = PprofDecoderTests.full
        document.sampleTypes[0].type = "a:b"
        #expect(throws: PprofError.badName(what: "sample type", name: "a:b")) {
            try Self.profiles(document)
        }
        #expect(throws: PprofError.badName(what: "series name (__name__)", name: "")) {
            try Self.profiles(PprofDecoderTests.full, ["__name__": ""])
        }
        #expect(throws: PprofError.noSampleTypes) { try Self.profiles(PprofDocument()) }
    }

    @Test func storedStacksSurviveADownloadAsPprof() throws {
        let profile = try Self.profiles(PprofDecoderTests.full)[0]
        let document = PprofDocument(
            profile.stacks,
            .init(type: profile.type, start: profile.start, durationNanoseconds: 5, period: 7))
        let again = try PprofDocument(decoding: document.encode()[...])
        #expect(again == document)
        let profiles = try Self.profiles(again)
        #expect(profiles.map(\.type) == [profile.type])
        #expect(Self.stacks(profiles[0].stacks) == Self.stacks(profile.stacks))
        #expect(profiles[0].period == 7)
    }

    @Test func namedStacksBecomeAPprofWithoutMappings() throws {
        var tree = FrameTree()
        tree.add(
            3, rootFirst: [Frame(name: "main"), Frame(name: "work", file: "w.swift", startLine: 4)])
        tree.add(2, rootFirst: [Frame(name: "main")])
        let document = PprofDocument(
            tree, .init(type: .cpu, start: Self.received, durationNanoseconds: 0))
        let again = try PprofDocument(decoding: document.encode()[...])
        #expect(Self.stacks(try Self.profiles(again)[0].stacks) == ["main 2", "main;work 3"])
        #expect(again.functions.map(\.filename) == ["", "w.swift"])
    }

    @Test func randomSamplesMergeAsASimpleDictionaryDoes() throws {
        var generator = SplitMix(seed: 7)
        var document = PprofDocument()
        document.sampleTypes = [.init(type: "a", unit: "count"), .init(type: "b", unit: "count")]
        for id in 1...200 as ClosedRange<UInt64> {
            var location = PprofDocument.Location(id: id * 1000)
            location.address = id
            document.locations.append(location)
        }
        var want: [[String: Int64]] = [[:], [:]]
        for _ in 0..<3000 {
            let depth = Int.random(in: 0..<12, using: &generator)
            let stack = (0..<depth).map { _ in UInt64.random(in: 1...20, using: &generator) }
            let values = (0..<2).map { _ in Int64.random(in: -1...3, using: &generator) }
            document.samples.append(.init(locationIDs: stack.map { $0 * 1000 }, values: values))
            let text = stack.reversed().map { "+\(String($0, radix: 16))" }.joined(separator: ";")
            for type in 0..<2 where values[type] > 0 {
                want[type][text, default: 0] += values[type]
            }
        }
        let profiles = try Self.profiles(document)
        for type in 0..<2 {
            #expect(
                Self.stacks(profiles[type].stacks)
                    == want[type].map { "\($0.key) \($0.value)" }.sorted())
        }
    }
}
