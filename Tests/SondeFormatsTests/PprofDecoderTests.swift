// SPDX-License-Identifier: Apache-2.0
// What the pprof decoder takes, and everything that it has to refuse.

import SondeFormats
import SondeWire
import Testing

@Suite struct PprofDecoderTests {
    /// A document that uses every field.
    static var full: PprofDocument {
        var document = PprofDocument()
        document.sampleTypes = [
            .init(type: "samples", unit: "count"), .init(type: "cpu", unit: "ns"),
        ]
        document.samples = [
            .init(
                locationIDs: [1, 2], values: [1, 10_000_000],
                labels: [
                    .init(key: "thread", text: "main"),
                    .init(key: "n", number: -3, numberUnit: "b"),
                ]),
            .init(locationIDs: [2], values: [3, -4]),
        ]
        var mapping = PprofDocument.Mapping(id: 9)
        mapping.memoryStart = 0x1000
        mapping.memoryLimit = 0x9000
        mapping.fileOffset = 0x200
        mapping.filename = "/usr/bin/demo"
        mapping.buildID = "ab12"
        mapping.hasFunctions = true
        mapping.hasFilenames = true
        mapping.hasLineNumbers = true
        mapping.hasInlineFrames = true
        document.mappings = [mapping]
        var leaf = PprofDocument.Location(id: 1)
        leaf.mappingID = 9
        leaf.address = 0x1234
        leaf.isFolded = true
        var root = PprofDocument.Location(id: 2)
        root.lines = [.init(functionID: 5, line: 7, column: 3), .init(functionID: 6, line: 8)]
        document.locations = [leaf, root]
        var inner = PprofDocument.Function(id: 5)
        inner.name = "inner()"
        inner.systemName = "$s4demo5inneryyF"
        inner.filename = "demo.swift"
        inner.startLine = 6
        var outer = PprofDocument.Function(id: 6)
        outer.name = "outer()"
        document.functions = [inner, outer]
        document.timeNanos = 1_700_000_000_000_000_000
        document.durationNanos = 10_000_000_000
        document.periodType = .init(type: "cpu", unit: "nanoseconds")
        document.period = 10_000_000
        document.comments = ["a", "b"]
        document.defaultSampleType = "cpu"
        document.docURL = "https://example.org/profile"
        return document
    }

    static func refusal(_ bytes: [UInt8], _ limits: PprofLimits = PprofLimits()) -> PprofError? {
        do {
            _ = try PprofDocument(decoding: bytes[...], limits: limits)
            return nil
        } catch {
            return error
        }
    }

    static func refusal(_ change: (inout PprofDocument) -> Void) -> PprofError? {
        var document = full
        change(&document)
        return refusal(document.encode())
    }

    @Test func everyFieldSurvivesEncodingAndDecoding() throws {
        let bytes = Self.full.encode()
        #expect(try PprofDocument(decoding: bytes[...]) == Self.full)
    }

    @Test func unpackedFieldsAndUnknownFieldsAreRead() throws {
        var writer = ProtobufWriter()
        writer.message(field: 1) { $0.write(1 as UInt64, field: 1) }
        writer.message(field: 2) { sample in
            sample.write(3 as UInt64, field: 1)
            sample.write(3 as UInt64, field: 1)
            sample.write(42 as UInt64, field: 2)
            sample.write(1.5, field: 99)
        }
        writer.message(field: 4) { $0.write(3 as UInt64, field: 1) }
        writer.element("", field: 6)
        writer.element("cpu", field: 6)
        writer.write(1 as UInt64, field: 13)
        writer.write("https://example.org", field: 100)
        let document = try PprofDocument(decoding: writer.bytes[...])
        #expect(document.samples == [.init(locationIDs: [3, 3], values: [42])])
        #expect(document.sampleTypes == [.init(type: "cpu", unit: "")])
        #expect(document.comments == ["cpu"])
    }

    @Test func emptyInputIsRefused() {
        #expect(Self.refusal([]) == .empty)
    }

    @Test func everyTruncationIsRefusedOrStillConsistent() {
        let bytes = Self.full.encode()
        for length in 1..<bytes.count {
            guard let document = try? PprofDocument(decoding: bytes[..<length]) else { continue }
            #expect(document.samples.allSatisfy { $0.values.count == document.sampleTypes.count })
        }
        #expect(Self.refusal(Array(bytes.dropLast())) != nil)
    }

    @Test func stringIndicesOutsideTheTableAreRefused() {
        for index in [2, UInt64(bitPattern: -1), 1 << 40] {
            var writer = ProtobufWriter()
            writer.message(field: 1) { $0.write(index, field: 1) }
            writer.element("", field: 6)
            writer.element("cpu", field: 6)
            #expect(Self.refusal(writer.bytes) == .badStringIndex(index, count: 2))
        }
    }

    @Test func aStringTableThatDoesNotBeginEmptyIsRefused() {
        var writer = ProtobufWriter()
        writer.element("cpu", field: 6)
        #expect(Self.refusal(writer.bytes) == .badFirstString)
        #expect(Self.refusal([0x48, 1]) == .badFirstString)
    }

    @Test func stringsThatAreNotUTF8AreRefused() {
        var writer = ProtobufWriter()
        writer.element("", field: 6)
        #expect(Self.refusal(writer.bytes + [0x32, 1, 0xFF]) == .wire(.invalidUTF8(field: 6)))
    }

    @Test func twoProfilesInARowAreRefused() {
        #expect(Self.refusal(Self.full.encode() + Self.full.encode()) != nil)
        var writer = ProtobufWriter()
        writer.element("", field: 6)
        writer.write(1 as UInt64, field: 9)
        writer.write(2 as UInt64, field: 9)
        #expect(Self.refusal(writer.bytes) == .concatenated)
    }

    @Test func samplesWithoutSampleTypesAreRefused() {
        #expect(Self.refusal { $0.sampleTypes = [] } == .noSampleTypes)
    }

    @Test func valuesThatDoNotFitTheSampleTypesAreRefused() {
        #expect(
            Self.refusal { $0.samples[1].values = [1] } == .valueCount(sample: 1, got: 1, want: 2))
    }

    @Test func idsThatAreZeroOrDoubledAreRefused() {
        #expect(Self.refusal { $0.locations[0].id = 0 } == .badID(table: "location", id: 0))
        #expect(Self.refusal { $0.locations[0].id = 2 } == .badID(table: "location", id: 2))
        #expect(Self.refusal { $0.functions[0].id = 6 } == .badID(table: "function", id: 6))
        #expect(Self.refusal { $0.mappings[0].id = 0 } == .badID(table: "mapping", id: 0))
    }

    @Test func referencesToUnknownIDsAreRefused() {
        #expect(
            Self.refusal { $0.samples[0].locationIDs = [77] }
                == .unknownID(from: "sample", table: "location", id: 77))
        #expect(
            Self.refusal { $0.samples[0].locationIDs = [0] }
                == .unknownID(from: "sample", table: "location", id: 0))
        #expect(
            Self.refusal { $0.locations[0].mappingID = .max }
                == .unknownID(from: "location", table: "mapping", id: .max))
        #expect(
            Self.refusal { $0.locations[1].lines[0].functionID = 0 }
                == .unknownID(from: "line", table: "function", id: 0))
    }

    @Test func eachLimitIsKept() {
        func refusal(_ change: (inout PprofLimits) -> Void) -> PprofError? {
            var limits = PprofLimits()
            change(&limits)
            return Self.refusal(Self.full.encode(), limits)
        }
        #expect(refusal { $0.bytes = 10 } == .tooMany(what: "bytes", limit: 10))
        #expect(refusal { $0.samples = 1 } == .tooMany(what: "samples", limit: 1))
        #expect(refusal { $0.strings = 3 } == .tooMany(what: "strings", limit: 3))
        #expect(refusal { $0.locations = 1 } == .tooMany(what: "locations", limit: 1))
        #expect(refusal { $0.mappings = 0 } == .tooMany(what: "mappings", limit: 0))
        #expect(refusal { $0.sampleTypes = 1 } == .tooMany(what: "sample types", limit: 1))
        #expect(
            refusal { $0.stackDepth = 1 } == .tooMany(what: "entries in a sample's stack", limit: 1)
        )
        #expect(refusal { $0.elements = 8 }?.isTooLarge == true)
    }

    @Test func aHugePackedFieldStopsAtTheLimit() {
        var writer = ProtobufWriter()
        writer.element("", field: 6)
        writer.message(field: 1) { _ in }
        writer.message(field: 2) { sample in
            sample.packed([UInt64](repeating: 1, count: 100_000), field: 1)
        }
        #expect(
            Self.refusal(writer.bytes)
                == .tooMany(what: "entries in a sample's stack", limit: 16_384))
    }

    @Test func mutatedProfilesNeverCrash() {
        var generator = SplitMix(seed: 20_241_121)
        let bytes = Self.full.encode()
        var accepted = 0
        for _ in 0..<5000 {
            var mutated = bytes
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                let place = Int.random(in: 0..<mutated.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: mutated[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: mutated[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: mutated.insert(mutated[place], at: place)
                default: mutated.remove(at: place)
                }
            }
            guard let document = try? PprofDocument(decoding: mutated[...]) else { continue }
            accepted += 1
            #expect(throws: Never.self) { try PprofDocument(decoding: document.encode()[...]) }
        }
        #expect(accepted > 0)
    }
}

/// A small generator with a fixed seed, so that a failure comes back.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
