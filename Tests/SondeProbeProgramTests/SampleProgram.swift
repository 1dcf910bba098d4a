// SPDX-License-Identifier: Apache-2.0
// Random programs that are well-formed as data, and one by hand that runs.

import SondeModel
import SondeProbeProgram

/// A generator of random numbers with a seed, so that a failure can be repeated.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    // Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (SplitMix64).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

enum SampleProgram {
    static let buildID = BuildID(bytes: [0xAB, 0xCD, 0xEF]).unsafelyUnwrapped

    /// A program whose parts hold anything that the encoding can carry.
    static func random(_ random: inout SeededRandom) -> ProbeProgram {
        var limits = ProbeLimits(
            expiresUnixNanos: Int64(bitPattern: random.next()), hits: random.next())
        limits.burst = UInt32(truncatingIfNeeded: random.next())
        limits.cpuMillionths = UInt32(truncatingIfNeeded: random.next())
        var program = ProbeProgram(
            probe: text(&random), revision: random.next(), level: text(&random),
            tag: text(&random), limits: limits, file: text(&random),
            line: UInt32(truncatingIfNeeded: random.next()))
        for _ in 0..<Int.random(in: 0...3, using: &random) { program.images.append(image(&random)) }
        return program
    }

    private static func image(_ random: inout SeededRandom) -> ImageProgram {
        var image = ImageProgram(buildID: buildID)
        for _ in 0..<Int.random(in: 0...4, using: &random) {
            var site = ProbeSite(
                address: ImageAddress(random.next()),
                entry: UInt32(truncatingIfNeeded: random.next()), function: text(&random),
                functionStart: ImageAddress(random.next()),
                functionEnd: ImageAddress(random.next()))
            site.unavailable = [
                UnavailableValue(expression: text(&random), reason: text(&random))
            ]
            image.sites.append(site)
        }
        for _ in 0..<Int.random(in: 0...40, using: &random) {
            let op = Opcode.allCases.randomElement(using: &random) ?? .move
            let bits = random.next()
            image.code.append(
                Instruction(
                    op, d: UInt8(truncatingIfNeeded: bits), a: UInt8(truncatingIfNeeded: bits >> 8),
                    b: UInt8(truncatingIfNeeded: bits >> 16),
                    imm: Int32(truncatingIfNeeded: bits >> 32)))
        }
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            image.constants.append(random.next() >> UInt64.random(in: 0...63, using: &random))
            image.relocations.append(UInt32(truncatingIfNeeded: random.next()))
            image.strings.append(Array(text(&random).utf8) + [0xFF, 0])
        }
        for _ in 0..<Int.random(in: 0...20, using: &random) { image.shapes.append(shape(&random)) }
        for _ in 0..<Int.random(in: 0...6, using: &random) {
            image.template.append(segment(&random))
            image.valueNames.append(Bool.random(using: &random) ? [] : ["a", text(&random)])
        }
        if Bool.random(using: &random) {
            image.condition = ReadExpression(text: text(&random), names: [text(&random), "b.c"])
        }
        return image
    }

    private static func shape(_ random: inout SeededRandom) -> ValueShape {
        let part = Int.random(in: 0...100, using: &random)
        let fields = [
            ShapeField(name: text(&random), shape: part), ShapeField(name: "", shape: 0),
        ]
        let all: [ValueShape] = [
            .signed(bits: 8), .unsigned(bits: 64), .boolean, .float, .double, .unicodeScalar,
            .pointer(typeName: text(&random)),
            .string(quotedWhenNested: Bool.random(using: &random)),
            .optional(part), .structure(typeName: text(&random), fields: fields), .tuple(fields),
            .object(typeName: text(&random), fields: fields),
            .enumeration(
                typeName: text(&random),
                cases: [
                    ShapeCase(name: text(&random), payload: nil),
                    ShapeCase(name: "", payload: part),
                ]),
            .array(element: part, typeName: text(&random)), .cut(typeName: text(&random)),
            .guarded(part), .unavailable(reason: text(&random)),
            .raw(typeName: text(&random), bytes: part),
            .table(key: part, value: nil, typeName: text(&random)),
            .table(key: part, value: part / 2, typeName: ""), .date, .uuid, .duration, .data,
            .wide(.float80),
        ]
        return all.randomElement(using: &random) ?? .boolean
    }

    private static func segment(_ random: inout SeededRandom) -> TemplateSegment {
        guard Bool.random(using: &random) else { return .text(text(&random)) }
        var format: ValueFormat?
        if Bool.random(using: &random) {
            format = ValueFormat(
                alignment: .center, zeroFilled: Bool.random(using: &random),
                width: UInt16.random(in: 0...256, using: &random),
                precision: Bool.random(using: &random) ? 0 : nil, notation: .upperHex)
        }
        return .value(
            expression: text(&random), shape: Int.random(in: 0...100, using: &random),
            format: format)
    }

    private static func text(_ random: inout SeededRandom) -> String {
        let letters = Array("abc. <é€😀")
        let count = Int.random(in: 0...12, using: &random)
        return String((0..<count).compactMap { _ in letters.randomElement(using: &random) })
    }
}
