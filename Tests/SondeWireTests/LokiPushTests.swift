// SPDX-License-Identifier: Apache-2.0
// Loki's push bodies: bytes as written by hand, there and back, and hostile ones.

import SondeModel
import SondeWire
import Testing

@Suite struct LokiPushTests {
    static func labels(_ pairs: [(String, String)]) throws -> LabelSet {
        try LabelSet(pairs.map { Label(name: $0.0, value: $0.1) })
    }

    static func sample() throws -> [LogStream] {
        [
            LogStream(
                labels: try labels([("service_name", "shop"), ("level", "info")]),
                entries: [
                    LogEntry(
                        time: Timestamp(unixNanoseconds: 1_795_219_963_523_940_623),
                        line: "a \"quoted\" \\ line\nwith \u{1} and ü",
                        metadata: try labels([("trace_id", "ab"), ("file", "A.swift")])),
                    LogEntry(time: Timestamp(unixNanoseconds: 7), line: ""),
                ]),
            LogStream(labels: try labels([("service_name", "empty")])),
            LogStream(
                labels: try labels([("service_name", "b")]),
                entries: [LogEntry(time: Timestamp(unixNanoseconds: -1), line: "before")]),
        ]
    }

    @Test func jsonIsWrittenAsLokiReadsIt() throws {
        let text = String(decoding: LokiPushJSON.encode(try Self.sample()), as: UTF8.self)
        #expect(
            text
                == #"{"streams":[{"stream":{"level":"info","service_name":"shop"},"values":["#
                + #"["1795219963523940623","a \"quoted\" \\ line\nwith \u0001 and ü","#
                + #"{"file":"A.swift","trace_id":"ab"}],["7",""]]},"#
                + #"{"stream":{"service_name":"b"},"values":[["-1","before"]]}]}"#)
        #expect(LokiPushJSON.encode([]) == Array(#"{"streams":[]}"#.utf8))
    }

    @Test func protobufIsWrittenAsItsDefinitionSays() throws {
        let stream = LogStream(
            labels: try Self.labels([("a", "b")]),
            entries: [
                LogEntry(
                    time: Timestamp(unixNanoseconds: 2_000_000_003), line: "x",
                    metadata: try Self.labels([("k", "v")]))
            ])
        let expected: [UInt8] = [
            0x0A, 0x1C,  // streams, 28 bytes
            0x0A, 0x07, 0x7B, 0x61, 0x3D, 0x22, 0x62, 0x22, 0x7D,  // labels {a="b"}
            0x12, 0x11,  // entries, 17 bytes
            0x0A, 0x04, 0x08, 0x02, 0x10, 0x03,  // timestamp: 2 s and 3 ns
            0x12, 0x01, 0x78,  // line x
            0x1A, 0x06, 0x0A, 0x01, 0x6B, 0x12, 0x01, 0x76,  // metadata k, v
        ]
        #expect(LokiPushRequest([stream]).encode() == expected)
    }

    @Test func protobufComesBack() throws {
        let request = LokiPushRequest(try Self.sample())
        #expect(request.streams.count == 2)
        let again = try LokiPushRequest(decoding: request.encode()[...])
        #expect(again == request)
        #expect(again.streams[0].labels == #"{level="info", service_name="shop"}"#)
        #expect(
            again.streams[0].entries[0].time?.unixNanoseconds == 1_795_219_963_523_940_623)
        #expect(again.streams[1].entries[0].time?.unixNanoseconds == -1)
        #expect(again.streams[1].entries[0].seconds == -1)
    }

    @Test func timesBeyondTheRangeAreNone() {
        var entry = LokiEntry()
        entry.seconds = .max
        #expect(entry.time == nil)
        entry.seconds = 9_223_372_036
        entry.nanoseconds = 854_775_807
        #expect(entry.time?.unixNanoseconds == .max)
        entry.nanoseconds += 1
        #expect(entry.time == nil)
        entry.seconds = 0
        for wrong in [-1, 1_000_000_000] as [Int64] {
            entry.nanoseconds = wrong
            #expect(entry.time == nil)
        }
    }

    @Test func labelsAreEscaped() throws {
        let labels = try Self.labels([("a", "x\"y\\z\nü"), ("b", "1")])
        #expect(LokiLabelText.text(of: labels) == #"{a="x\"y\\z\nü", b="1"}"#)
        #expect(LokiLabelText.text(of: LabelSet()) == "{}")
    }

    @Test func everyCutIsReadOrRefused() throws {
        let bytes = LokiPushRequest(try Self.sample()).encode()
        for count in 0..<bytes.count {
            let cut = try? LokiPushRequest(decoding: bytes[..<count])
            #expect(cut == nil || cut?.streams.count ?? 0 <= 1)
        }
    }
}
