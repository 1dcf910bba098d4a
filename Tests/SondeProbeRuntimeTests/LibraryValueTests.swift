// SPDX-License-Identifier: Apache-2.0
// Dictionaries, and what stands for values of library types, as people read them.

import SondeProbeProgram
import Testing

@testable import SondeProbeRuntime

struct LibraryValueTests {
    private func text(_ shapes: [ValueShape], _ bytes: [UInt8]) -> String {
        var renderer = ValueRenderer(bytes, shapes: shapes, names: RedactedNames())
        return renderer.next(shapes.count - 1, format: nil)
    }

    private func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return [UInt8(bytes.count), 0, 0, 0, UInt8(bytes.count), 0, 0, 0] + bytes
    }

    private func words(_ words: UInt64...) -> [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
    }

    @Test func dictionariesHideValuesByTheirKeys() {
        let shapes: [ValueShape] = [
            .string(quotedWhenNested: true), .signed(bits: 8),
            .table(key: 0, value: 1, typeName: "[String: Int8]"),
        ]
        let head: [UInt8] = words(3) + [3, 0, 0, 0]
        let entries = [1] + string("a") + [7, 1] + string("apiToken") + [8]
        #expect(
            text(shapes, head + entries + [0])
                == #"["a": 7, "apiToken": <redacted>, ... 1 more]"#)
        #expect(text(shapes, words(0) + [0, 0, 0, 0]) == "[:]")
        #expect(text(shapes, words(9) + [0, 0, 0, 0]) == "[... 9 more]")
        // A record that promises more than it holds ends.
        #expect(text(shapes, head + entries).hasPrefix(#"["a": 7, "apiToken": <redacted>"#))
        #expect(text(shapes, words(.max) + [255, 255, 255, 255]).hasPrefix("[..."))
    }

    @Test func setsHaveNoValues() {
        let shapes: [ValueShape] = [
            .signed(bits: 8), .table(key: 0, value: nil, typeName: "Set<Int8>"),
        ]
        #expect(text(shapes, words(2) + [2, 0, 0, 0, 1, 4, 1, 5]) == "[4, 5]")
        #expect(text(shapes, words(0) + [0, 0, 0, 0]) == "[]")
    }

    @Test(arguments: [
        (0.0, "2001-01-01T00:00:00.000Z"), (-0.001, "2000-12-31T23:59:59.999Z"),
        (790_000_000.25, "2026-01-13T12:26:40.250Z"), (-978_307_200, "1970-01-01T00:00:00.000Z"),
        (94_694_400, "2004-01-02T00:00:00.000Z"), (5_011_200, "2001-02-28T00:00:00.000Z"),
        (-63_113_904_000, "0001-01-01T00:00:00.000Z"), (.nan, "Date(nan)"),
        (1e300, "Date(1e+300)"),
    ])
    func datesAreOfUTC(seconds: Double, expected: String) {
        #expect(text([.date], words(seconds.bitPattern)) == expected)
    }

    @Test func identifiersAndBytesAndDurations() {
        #expect(
            text([.uuid], Array(0..<16)) == "00010203-0405-0607-0809-0A0B0C0D0E0F")
        #expect(text([.data], string("hi")) == "<2 bytes: 6869>")
        #expect(text([.data], [5, 0, 0, 0, 1, 0, 0, 0, 255]) == "<5 bytes: ff...>")
        #expect(text([.data], string("")) == "<0 bytes>")
        #expect(
            text([.duration], words(1_500_000_000_000_000_000, 0)) == "\(Duration.seconds(1.5))")
        for duration in [Duration.nanoseconds(-1), .seconds(-2.5), .seconds(1_000_000_000_000)] {
            let (seconds, atto) = duration.components
            let whole = Int128(seconds) * 1_000_000_000_000_000_000 + Int128(atto)
            let bytes = words(
                UInt64(truncatingIfNeeded: whole), UInt64(truncatingIfNeeded: whole >> 64))
            #expect(text([.duration], bytes) == "\(duration)")
        }
        #expect(text([.duration], words(0, 1 << 62)) == "<no duration>")
        #expect(text([.uuid], [1, 2]) == "<missing>")
    }

    @Test func wideNumbers() {
        #expect(text([.wide(.float16)], [0x66, 0x2E]) == "\(Float16(0.1))")
        #expect(
            text([.wide(.float80)], words(0x8000_0000_0000_0000, 0xBFFD)) == "-0.25")
        #expect(text([.wide(.signed128)], words(.max, .max)) == "-1")
        #expect(
            text([.wide(.unsigned128)], words(.max, .max))
                == "340282366920938463463374607431768211455")
        for bits in [0, 1, 0x7FFF, 0xFFFF] as [UInt64] {
            #expect(!text([.wide(.float80)], words(bits << 48 | 3, bits)).isEmpty)
        }
    }
}
