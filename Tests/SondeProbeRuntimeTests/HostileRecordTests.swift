// SPDX-License-Identifier: Apache-2.0
// Random shapes over random bytes: rendering ends soon, with bounded text, and never traps.

import SondeProbeProgram
import Testing

@testable import SondeProbeRuntime

struct HostileRecordTests {
    private func shape(_ index: Int, _ random: inout some RandomNumberGenerator) -> ValueShape {
        // Mostly shapes that exist, some that do not, some that come later.
        let part = Int.random(in: -1...(index + 1), using: &random)
        let field = ShapeField(
            name: ["a", "token", ""].randomElement(using: &random) ?? "", shape: part)
        let bits = UInt8.random(in: 0...255, using: &random)
        switch Int.random(in: 0..<17, using: &random) {
        case 0: return .signed(bits: bits)
        case 1: return .unsigned(bits: bits)
        case 2: return .boolean
        case 3: return .float
        case 4: return .double
        case 5: return .unicodeScalar
        case 6: return .pointer(typeName: "P")
        case 7: return .string(quotedWhenNested: Bool.random(using: &random))
        case 8: return .optional(part)
        case 9: return .structure(typeName: "S", fields: [field, field, field])
        case 10: return .tuple([field, field])
        case 11: return .object(typeName: "O", fields: [field])
        case 12:
            return .enumeration(
                typeName: "E",
                cases: [ShapeCase(name: "x", payload: nil), ShapeCase(name: "y", payload: part)])
        case 13: return .array(element: part, typeName: "[T]")
        case 14: return .guarded(part)
        case 15: return .unavailable(reason: "optimized out")
        default: return .raw(typeName: "R", bytes: Int.random(in: -5...70_000, using: &random))
        }
    }

    private func format(_ random: inout some RandomNumberGenerator) -> ValueFormat? {
        guard Bool.random(using: &random) else { return nil }
        return ValueFormat(
            alignment: ValueFormat.Alignment(rawValue: UInt8.random(in: 0...3, using: &random))
                ?? .natural,
            zeroFilled: Bool.random(using: &random), width: .random(in: 0 ... .max, using: &random),
            precision: Bool.random(using: &random) ? .random(in: 0 ... .max, using: &random) : nil,
            notation: ValueFormat.Notation(rawValue: UInt8.random(in: 0...6, using: &random))
                ?? .natural)
    }

    @Test(arguments: 0..<40)
    func randomBytesThroughRandomShapesEndInBoundedText(seed: UInt64) {
        var random = SplitMix(state: seed)
        for _ in 0..<100 {
            let count = Int.random(in: 1...30, using: &random)
            let shapes = (0..<count).map { shape($0, &random) }
            let sparse = Bool.random(using: &random)
            let body = (0..<Int.random(in: 0...400, using: &random)).map { _ in
                sparse && Bool.random(using: &random)
                    ? 0 : UInt8.random(in: 0...255, using: &random)
            }
            var renderer = ValueRenderer(body, shapes: shapes, names: RedactedNames())
            for _ in 0..<4 {
                let index = Int.random(in: -1...count, using: &random)
                let format = format(&random)
                let text = ValueFormat.padded(
                    renderer.next(index, format: format), isNumber: renderer.isNumber(index),
                    format)
                #expect(text.utf8.count < 70_000)
            }
        }
    }

    @Test func anArrayOfNothingCannotKeepUsBusy() {
        let shapes: [ValueShape] = [
            .unavailable(reason: "x"), .array(element: 0, typeName: "[X]"),
            .tuple(Array(repeating: ShapeField(name: "", shape: 0), count: 100)),
        ]
        let body = RecordBytes().with(.max, 8).with(UInt64(UInt32.max), 4)
        var renderer = ValueRenderer(body.bytes, shapes: shapes, names: RedactedNames())
        #expect(renderer.next(1, format: nil).utf8.count < 70_000)
        // The budget is one for the whole record.
        #expect(renderer.next(2, format: nil).contains("<too deep>"))
    }

    @Test func aChainOfShapesThatDoublesEachStepEnds() {
        var shapes: [ValueShape] = [.tuple([])]
        for index in 0..<60 {
            let part = ShapeField(name: "", shape: index)
            shapes.append(.tuple([part, part]))
        }
        var renderer = ValueRenderer([], shapes: shapes, names: RedactedNames())
        #expect(renderer.next(shapes.count - 1, format: nil).utf8.count < 70_000)
    }

    @Test func aThousandOptionalsAroundEachOtherDoNotUseUpTheStack() {
        let shapes = [ValueShape.boolean] + (0..<10_000).map { ValueShape.optional($0) }
        var renderer = ValueRenderer(
            [UInt8](repeating: 1, count: 10_001), shapes: shapes, names: RedactedNames())
        #expect(renderer.next(10_000, format: nil) == "<too deep>")
    }
}

/// A generator with a seed, so that a failure can be seen again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
