// SPDX-License-Identifier: Apache-2.0
// Every shape's text, and bodies that are shorter, longer and stranger than they should be.

import SondeProbeProgram
import Testing

@testable import SondeProbeRuntime

struct ValueRendererTests {
    private func text(
        _ shapes: [ValueShape], _ body: RecordBytes, _ format: ValueFormat? = nil,
        names: RedactedNames = RedactedNames()
    ) -> String {
        var renderer = ValueRenderer(body.bytes, shapes: shapes, names: names)
        return renderer.next(shapes.count - 1, format: format)
    }

    private let empty = RecordBytes()

    @Test(arguments: [
        (ValueShape.signed(bits: 8), UInt64(0xFF), "-1"), (.signed(bits: 16), 0x8000, "-32768"),
        (.signed(bits: 32), 0x7FFF_FFFF, "2147483647"),
        (.signed(bits: 64), 1 << 63, "-9223372036854775808"), (.unsigned(bits: 8), 255, "255"),
        (.unsigned(bits: 16), 65_535, "65535"), (.unsigned(bits: 32), 1 << 31, "2147483648"),
        (.unsigned(bits: 64), .max, "18446744073709551615"), (.boolean, 0, "false"),
        (.boolean, 1, "true"), (.boolean, 7, "<no Bool: 7>"),
        (.float, UInt64(Float(0.1).bitPattern), "0.1"), (.double, (0.1).bitPattern, "0.1"),
        (.double, Double.nan.bitPattern, "nan"), (.double, (-Double.infinity).bitPattern, "-inf"),
        (.double, (1e300).bitPattern, "1e+300"), (.unicodeScalar, 0x1F600, "😀"),
        (.unicodeScalar, 0xD800, "<no Unicode scalar: 0xd800>"),
        (.pointer(typeName: "UnsafeRawPointer"), 0x7FFE_0010, "0x7ffe0010"),
        (.pointer(typeName: "int *"), 0, "0x0"), (.cut(typeName: "User"), 0x1000, "User{...}"),
        (.cut(typeName: "User"), 0, "nil"),
    ])
    func aPlainValueLooksAsSwiftPrintsIt(shape: ValueShape, raw: UInt64, expected: String) {
        let size =
            switch shape {
            case .signed(let bits), .unsigned(let bits): Int(bits) / 8
            case .boolean: 1
            case .float, .unicodeScalar: 4
            default: 8
            }
        #expect(text([shape], empty.with(raw, size)) == expected)
    }

    @Test func aStringStandsBareAloneAndQuotedInsideOfOthers() {
        let string = ValueShape.string(quotedWhenNested: true)
        #expect(text([string], empty.with("say \"hi\"\n")) == "say \"hi\"\n")
        #expect(text([string, .optional(0)], empty.with(1, 1).with("Ä")) == "Ä")
        let nested = [string, .structure(typeName: "S", fields: [ShapeField(name: "a", shape: 0)])]
        #expect(text(nested, empty.with("say \"hi\"\n")) == #"S(a: "say \"hi\"\n")"#)
        let unquoted = [
            ValueShape.string(quotedWhenNested: false), .tuple([ShapeField(name: "", shape: 0)]),
        ]
        #expect(text(unquoted, empty.with("a b")) == "(a b)")
    }

    @Test func aStringThatWasCutSaysHowLongItIs() {
        let string = [ValueShape.string(quotedWhenNested: true)]
        #expect(text(string, empty.with("abc", full: 5000)) == "abc... (5000 bytes)")
        // The cut went through an Ä: its first half is left out instead of shown as damage.
        #expect(text(string, empty.with(raw: [0x61, 0xC3], full: 9)) == "a... (9 bytes)")
        #expect(text(string, empty.with(raw: [0x61, 0xF0, 0x9F], full: 9)) == "a... (9 bytes)")
        #expect(text(string, empty.with(raw: [0x61, 0xC3, 0x84], full: 9)) == "aÄ... (9 bytes)")
    }

    @Test func bytesThatAreNoTextDoNoHarm() {
        let string = [ValueShape.string(quotedWhenNested: true)]
        #expect(text(string, empty.with(raw: [0x61, 0xFF, 0x62])) == "a\u{FFFD}b")
        #expect(text(string, empty.with("\u{1B}[31m\u{202E}x\r")) == "\\u{1b}[31m\\u{202e}x\\u{d}")
    }

    @Test func aggregatesLookAsSwiftPrintsThem() {
        let shapes: [ValueShape] = [
            .signed(bits: 64), .double, .string(quotedWhenNested: true),
            .structure(
                typeName: "Bet",
                fields: [ShapeField(name: "id", shape: 0), ShapeField(name: "stake", shape: 1)]),
            .object(
                typeName: "User",
                fields: [ShapeField(name: "name", shape: 2), ShapeField(name: "bet", shape: 3)]),
        ]
        let body = empty.with(0xDEAD, 8).with("Ann").with(7, 8).with((2.5).bitPattern, 8)
        #expect(text(shapes, body) == #"User(name: "Ann", bet: Bet(id: 7, stake: 2.5))"#)
        #expect(text(shapes, empty.with(0, 8)) == "nil")
        let tuple: [ValueShape] = [
            .signed(bits: 8),
            .tuple([ShapeField(name: "", shape: 0), ShapeField(name: "b", shape: 0)]),
        ]
        #expect(text(tuple, empty.with(1, 1).with(2, 1)) == "(1, b: 2)")
        let optional: [ValueShape] = [.signed(bits: 8), .optional(0), .optional(1)]
        #expect(text(optional, empty.with(1, 1).with(1, 1).with(5, 1)) == "5")
        #expect(text(optional, empty.with(1, 1).with(0, 1)) == "nil")
        let nothing = ValueShape.structure(typeName: "Empty", fields: [])
        #expect(text([nothing], empty) == "Empty()")
    }

    @Test func enumsShowTheirCaseAndPayload() {
        let shapes: [ValueShape] = [
            .double, .tuple([ShapeField(name: "payout", shape: 0)]),
            .enumeration(
                typeName: "Outcome",
                cases: [
                    ShapeCase(name: "open", payload: nil), ShapeCase(name: "won", payload: 1),
                    ShapeCase(name: "late", payload: 0),
                ]),
        ]
        let half = (3.5).bitPattern
        #expect(text(shapes, empty.with(0, 2)) == ".open")
        #expect(text(shapes, empty.with(1, 2).with(half, 8)) == ".won(payout: 3.5)")
        #expect(text(shapes, empty.with(2, 2).with(half, 8)) == ".late(3.5)")
        #expect(text(shapes, empty.with(0xFFFF, 2).with(77, 8)) == "Outcome(rawValue: 77)")
        #expect(text(shapes, empty.with(9, 2)) == "<unknown case 9 of Outcome>")
    }

    @Test func arraysSayHowMuchIsLeftOut() {
        let shapes: [ValueShape] = [.signed(bits: 8), .array(element: 0, typeName: "[Int8]")]
        #expect(text(shapes, empty.with(0, 8).with(0, 4)) == "[]")
        let three = empty.with(3, 8).with(3, 4).with(1, 1).with(2, 1).with(3, 1)
        #expect(text(shapes, three) == "[1, 2, 3]")
        let more = empty.with(100, 8).with(3, 4).with(1, 1).with(2, 1).with(3, 1)
        #expect(text(shapes, more) == "[1, 2, 3, ... 97 more]")
        #expect(text(shapes, empty.with(100, 8).with(0, 4)) == "[... 100 more]")
    }

    @Test func whatCouldNotBeReadSaysSo() {
        let shapes: [ValueShape] = [.signed(bits: 64), .guarded(0)]
        #expect(text(shapes, empty.with(0, 1).with(5, 8)) == "5")
        #expect(text(shapes, empty.with(1, 1).with(0x10, 8)) == "<unreadable 0x10>")
        let words = FaultKind.allCases.map { kind in
            text(shapes, empty.with(UInt64(kind.rawValue), 1).with(0, 8))
        }
        #expect(Set(words).count == FaultKind.allCases.count)
        #expect(
            words.allSatisfy { $0.hasPrefix("<") && $0.hasSuffix(">") && !$0.contains("fault") })
        #expect(text([.unavailable(reason: "optimized out")], empty) == "<optimized out>")
        #expect(
            text([.raw(typeName: "T", bytes: 3)], empty.with(0x0A0F1E, 3)) == "<T: 1e0f0a>")
    }

    @Test func namesThatHideTheirValuesDoSoAtAnyDepth() {
        let shapes: [ValueShape] = [
            .string(quotedWhenNested: true), .signed(bits: 8),
            .structure(
                typeName: "Login",
                fields: [
                    ShapeField(name: "user", shape: 0), ShapeField(name: "passwordHash", shape: 0),
                    ShapeField(name: "tries", shape: 1),
                ]),
            .array(element: 2, typeName: "[Login]"),
        ]
        let body = empty.with(1, 8).with(1, 4).with("ann").with("hunter2").with(3, 1)
        #expect(
            text(shapes, body)
                == #"[Login(user: "ann", passwordHash: <redacted>, tries: 3)]"#)
        #expect(
            text(shapes, body, names: RedactedNames(["-password", "user"]))
                == #"[Login(user: <redacted>, passwordHash: "hunter2", tries: 3)]"#)
    }

    @Test func aBodyThatEndsEarlySaysWhatIsMissing() {
        let pair: [ValueShape] = [
            .signed(bits: 32),
            .structure(
                typeName: "P",
                fields: [ShapeField(name: "a", shape: 0), ShapeField(name: "b", shape: 0)]),
        ]
        #expect(text(pair, empty.with(5, 4).with(0, 2)) == "P(a: 5, b: <missing>)")
        var renderer = ValueRenderer([1], shapes: [.signed(bits: 32)], names: RedactedNames())
        #expect(renderer.next(0, format: nil) == "<missing>")
        // Nothing after a hole is read as if it were in its place.
        #expect(renderer.next(0, format: nil) == "<missing>")
    }
}
