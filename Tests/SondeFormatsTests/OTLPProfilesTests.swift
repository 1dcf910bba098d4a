// SPDX-License-Identifier: Apache-2.0
// OTLP profiles that OpenTelemetry's own classes wrote, of three versions, in both encodings.

import Foundation
import SondeFormats
import SondeModel
import SondeWire
import Testing

@Suite struct OTLPProfilesTests {
    static func fixture(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: Golden.fixtures.appendingPathComponent("otlp/" + name)))
    }

    /// What the fixtures' profile is, whichever way it was sent.
    static func check(_ profiles: [OTLPProfile]) throws {
        let profile = try #require(profiles.first)
        #expect(profiles.count == 1)
        #expect(
            profile.resourceAttributes.map { "\($0.name)=\($0.value)" } == [
                "service.name=shop", "host.name=eu-1", "process.pid=7",
            ])
        #expect(profile.scopeName == "demo")
        #expect(profile.scopeVersion == "1.2")
        #expect([profile.sampleType, profile.sampleUnit] == ["samples", "count"])
        #expect([profile.periodType, profile.periodUnit] == ["cpu", "nanoseconds"])
        #expect(profile.period == 10_000_000)
        #expect(profile.start?.unixNanoseconds == 1_700_000_000_000_000_000)
        #expect(profile.durationNanoseconds == 10_000_000_000)
        #expect(profile.profileID == Array(0..<16))
        #expect(profile.droppedAttributes == ["thread.name"])
        #expect(
            profile.series.map { $0.attributes.map(\.value) } == [[], ["checkout"]])
        #expect(
            PprofProfilesTests.stacks(profile.series[0].stacks) == [
                "main;Checkout.pay|inlined;shop+1030 4", "main;shop+ffffffff81000000 4",
            ])
        #expect(
            PprofProfilesTests.stacks(profile.series[1].stacks) == ["main;Checkout.pay|inlined 5"])
        let spans = profile.series.map { $0.spans.map { "\($0.span) \($0.trace as Any)" } }
        let link = "0102030405060708 Optional(0102030405060708090a0b0c0d0e0f10)"
        #expect(spans == [[link], [link]])
        #expect(
            PprofProfilesTests.stacks(profile.series[0].spans[0].stacks)
                == ["main;Checkout.pay|inlined;shop+1030 1"])
        let frames = profile.series[1].stacks.keys.compactMap { key -> [Frame]? in
            if case .symbolized(let frames) = key { frames } else { nil }
        }
        #expect(frames.last?.map(\.kind) == [.function, .inlined])
        #expect(frames.last?.first?.file == "Checkout.swift")
        #expect(frames.last?.first?.startLine == 40)
        #expect(frames.last?.first?.module == "shop")
    }

    @Test func whatOpenTelemetrysClassesWriteIsRead() throws {
        try Self.check(OTLPProfiles.decode(Self.fixture("current.pb")[...]))
    }

    @Test func theirJSONIsReadToo() throws {
        let text = try Self.fixture("current.json")
        try Self.check(OTLPProfiles.decode(json: text))
        // OTLP's own JSON has ids in hexadecimal; both spellings of names are welcome.
        let other = String(decoding: text, as: UTF8.self)
            .replacing("AQIDBAUGBwgJCgsMDQ4PEA==", with: "0102030405060708090A0b0c0d0e0f10")
            .replacing("AQIDBAUGBwg=", with: "0102030405060708")
            .replacing("\"stackIndex\"", with: "\"stack_index\"")
            .replacing("\"nameStrindex\"", with: "\"name_strindex\"")
        #expect(other.contains("0102030405060708\""))
        try Self.check(OTLPProfiles.decode(json: Array(other.utf8)))
    }

    @Test func sendersThatPutValuesFirstAreReadRightly() throws {
        try Self.check(OTLPProfiles.decode(Self.fixture("values-first.pb")[...]))
    }

    @Test func sendersThatAreTooOldAreRefusedInWords() throws {
        let bytes = try Self.fixture("too-old.pb")
        let error = #expect(throws: FormatError.self) { try OTLPProfiles.decode(bytes[...]) }
        #expect(error?.code == .unsupported)
        #expect(error?.description.contains("opentelemetry-proto 1.8") == true)
        let json = #"{"resourceProfiles":[{"scopeProfiles":[{"profiles":[{"sample":[]}]}]}]}"#
        #expect(throws: try #require(error)) { try OTLPProfiles.decode(json: Array(json.utf8)) }
    }

    /// A request whose single sample `sample` writes.
    static func request(_ sample: (inout ProtobufWriter) -> Void) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.message(field: 1) { resource in
            resource.message(field: 2) { scope in
                scope.message(field: 2) { $0.message(field: 2, sample) }
            }
        }
        writer.message(field: 2) { tables in
            tables.message(field: 2) { _ in }
            tables.message(field: 2) { location in
                location.message(field: 3) { $0.write(1 as UInt64, field: 1) }
            }
            tables.message(field: 3) { _ in }
            tables.message(field: 3) { $0.write(1 as UInt64, field: 1) }
            tables.element("", field: 5)
            tables.element("f", field: 5)
            tables.message(field: 6) { _ in }
            tables.message(field: 6) { _ in }
            tables.message(field: 7) { _ in }
            tables.message(field: 7) { $0.packed([1], field: 1) }
        }
        return writer.bytes
    }

    static func stacks(_ sample: (inout ProtobufWriter) -> Void) throws -> [String] {
        let profiles = try OTLPProfiles.decode(request(sample)[...])
        return profiles[0].series.flatMap { PprofProfilesTests.stacks($0.stacks) }
    }

    @Test func withoutValuesTimestampsAreCounted() throws {
        let found = try Self.stacks { sample in
            sample.write(1 as UInt64, field: 1)
            sample.packed([1], field: 2)
            sample.write(1.5, field: 5)
            sample.write(2.5, field: 5)
        }
        #expect(found == ["f 2"])
    }

    @Test func aSampleThatOnlyMakesSenseWithItsValuesFirstIsReadSo() throws {
        let found = try Self.stacks { sample in
            sample.write(1 as UInt64, field: 1)
            sample.packed([1], field: 2)
        }
        #expect(found == ["f 1"])
        let timed = try Self.stacks { sample in
            sample.write(1 as UInt64, field: 1)
            sample.packed([900], field: 2)
            sample.write(1.5, field: 5)
        }
        #expect(timed == ["f 900"])
    }

    @Test func samplesThatContradictEachOtherAreRefused() {
        let error = #expect(throws: FormatError.self) {
            try Self.stacks { sample in
                sample.packed([1], field: 3)
                sample.packed([1], field: 4)
            }
        }
        #expect(error?.description.contains("two versions") == true)
    }

    @Test(arguments: [(1, "stack"), (3, "link")] as [(Int, String)])
    func unknownIndicesAreRefusedByTheirTable(_ field: Int, _ table: String) {
        let error = #expect(throws: FormatError.self) {
            try Self.stacks { sample in
                sample.write(7 as UInt64, field: field)
                sample.packed([1], field: 4)
            }
        }
        #expect(error?.description.contains("the index 7 of the \(table) table") == true)
    }

    @Test func limitsAreKept() throws {
        let bytes = try Self.fixture("current.pb")
        func refusal(_ change: (inout FormatLimits) -> Void) -> FormatError.Code? {
            var limits = FormatLimits()
            change(&limits)
            do throws(FormatError) {
                _ = try OTLPProfiles.decode(bytes[...], limits: limits)
            } catch { return error.code }
            return nil
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.bytes = 100 } == .tooLarge)
        #expect(refusal { $0.tableEntries = 4 } == .tooLarge)
        #expect(refusal { $0.steps = 3 } == .tooLarge)
        #expect(refusal { $0.nodes = 12 } == .tooLarge)
        #expect(refusal { $0.profiles = 1 } == .tooLarge)
        #expect(refusal { $0.spans = 0 } == nil)
        var limits = FormatLimits()
        limits.spans = 0
        #expect(try OTLPProfiles.decode(bytes[...], limits: limits)[0].droppedSpans == 2)
        limits = FormatLimits()
        limits.stackDepth = 1
        let cut = try OTLPProfiles.decode(bytes[...], limits: limits)
        #expect(PprofProfilesTests.stacks(cut[0].series[0].stacks) == ["main 8"])
    }

    @Test(arguments: ["current.pb", "values-first.pb", "current.json"])
    func mutatedRequestsNeverCrash(_ name: String) throws {
        var generator = SplitMix(seed: 4)
        let bytes = try Self.fixture(name)
        for _ in 0..<1500 {
            let wrong = mutated(bytes, &generator)
            do throws(FormatError) {
                _ =
                    name.hasSuffix("json")
                    ? try OTLPProfiles.decode(json: wrong) : try OTLPProfiles.decode(wrong[...])
            } catch {
                #expect(error.description.hasPrefix("cannot read OTLP profiles: "))
            }
        }
    }
}
