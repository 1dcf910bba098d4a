// SPDX-License-Identifier: Apache-2.0
// Layouts that no compiler makes: types that hold themselves, sizes and offsets beyond all bounds.

import SondeModel
import SondeProbeCompiler
import SondeProbeProgram
import SondeSymbols
import Testing

/// Makes layouts that no compiler makes.
struct LayoutMaker {
    var random: Random

    private mutating func number() -> UInt64 {
        switch random.below(6) {
        case 0: 0
        case 1: UInt64(random.below(64))
        case 2: .max - UInt64(random.below(3))
        case 3: 1 << 63
        case 4: UInt64(random.below(1 << 30))
        default: UInt64(8 * random.below(16))
        }
    }

    private mutating func small() -> UInt8 {
        UInt8([0, 1, 2, 3, 7, 8, 16, 32, 63, 64, 65, 128, 255][random.below(13)])
    }

    private mutating func anyType() -> TypeID { type("T\(random.below(8))") }

    private mutating func fields() -> [TypeLayout.Field] {
        (0..<random.below(6)).map { index in
            TypeLayout.Field(
                name: random.pick(["a", "b", "", "c\(index)"]), offset: number(), type: anyType(),
                bits: random.below(5) == 0 ? .init(first: small(), count: small()) : nil,
                ownership: random.below(8) == 0 ? .weak : .strong)
        }
    }

    private mutating func rule() -> TagRule {
        TagRule(
            steps: (0..<random.below(3)).map { _ in
                TagRule.Step(
                    parts: (0..<random.below(3)).map { _ in
                        TagRule.Part(
                            byteOffset: number(), bytes: small(), firstBit: small(),
                            bitCount: small(), position: small())
                    },
                    choices: (0..<random.below(3)).map { _ in
                        let low = number()
                        return TagRule.Choice(
                            numbers: low...max(low, number()),
                            firstCase: random.below(3) == 0 ? nil : random.below(5) - 1,
                            isOneCase: random.below(2) == 0)
                    })
            }, otherwise: random.below(3) == 0 ? nil : random.below(4) - 1,
            foreignBits: (0..<random.below(2)).map { _ in
                .init(byteOffset: number(), mask: number())
            })
    }

    private mutating func kind() -> TypeLayout.Kind {
        switch random.below(25) {
        case 0: .signed(bits: small())
        case 1: .unsigned(bits: small())
        case 2: .boolean
        case 3: .float
        case 4: .pointer(pointee: random.below(3) == 0 ? nil : anyType())
        case 5: .cString
        case 6: .swiftString
        case 7, 8: .structure(fields())
        case 9: .tuple(fields())
        case 10: .object(fields: fields(), isActor: false, incomplete: nil)
        case 11: .optional(payload: anyType(), tag: rule())
        case 12:
            .enumeration(
                cases: (0..<random.below(5)).map { index in
                    .init(
                        name: "k\(index)", payload: random.below(2) == 0 ? anyType() : nil,
                        isIndirect: random.below(4) == 0, boxOffset: number(),
                        rawValue: random.below(2) == 0 ? number() : nil)
                }, tag: rule())
        case 13: .array(element: anyType())
        case 14: .hashed(key: anyType(), value: random.below(2) == 0 ? nil : anyType())
        case 15: .cArray(element: anyType(), count: number())
        case 16: .weak(object: anyType())
        case 17: .objectText(path: [number(), number()])
        case 18: .date
        case 19: .uuid
        case 20: .duration
        case 21: .data
        case 22: .float16
        case 23: .float80
        default: .function
        }
    }

    mutating func table() -> [String: TypeLayout] {
        var table: [String: TypeLayout] = [:]
        for index in 0..<8 {
            table["T\(index)"] = TypeLayout(
                name: random.pick(["T\(index)", "char", ""]), size: number(), stride: number(),
                alignment: number(), kind: kind())
        }
        return table
    }

    mutating func location() -> [LocationPiece] {
        (0..<1 + random.below(3)).map { _ in
            let source: LocationPiece.Source =
                switch random.below(7) {
                case 0: .register(small() % 16)
                case 1: .vector(small() % 16)
                case 2: .implicit([1, 2, 3])
                case 3: .missing("nowhere")
                case 4:
                    .value(
                        AddressExpression(
                            (0..<1 + random.below(6)).map { _ in operation() }))
                default:
                    .memory(
                        AddressExpression(
                            (0..<1 + random.below(6)).map { _ in operation() }))
                }
            return LocationPiece(sizeBytes: number(), source: source)
        }
    }

    private mutating func operation() -> AddressExpression.Operation {
        switch random.below(8) {
        case 0: .constant(number())
        case 1: .load(bytes: small())
        case 2: .plusConstant(Int64(bitPattern: number()))
        case 3: .add
        case 4: .shl
        case 5: .neg
        default: .register(small() % 16, plus: Int64(bitPattern: number()))
        }
    }
}

@Suite struct BrokenLayouts {
    static let templates = [
        "{v}", "{v.a}", "{v.a.b}", "{v?.a}", "{v!}", "{v[1]}", "{v[n]}", "{v.k0}", "{v.k1?.a}",
        "{v.rawValue}", "{v.count}", "{v ?? 1}", "{v + 1}", "{v} {w} {v.b} {w.a}", "{v.pointee}",
        "{a}", "{v.0}",
    ]
    static let conditions = [
        "v == nil", "v == w", "v == 1", "v == .k0", "v == \"x\"", "v < w", "v", "v.a == w.b",
        "v.hasPrefix(\"x\")", "v == k1",
    ]

    @Test(arguments: [0, 1, 52])
    func compileWithinBoundsOrAreRefused(seed: Int) throws {
        var maker = LayoutMaker(random: Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 7))
        var compiled = 0
        for _ in 0..<60 {
            let image = FakeImage()
            image.layouts = maker.table()
            image.layouts["Int"] = Layouts.standard["Int"]
            for address in [0x1000, 0x2000] as [UInt64] {
                image.add(
                    42, at: address,
                    [
                        variable("v", "T0", maker.location()),
                        variable("w", "T1", maker.location()),
                        variable("self", "T2", maker.location()),
                        inRegister("n", "Int", 0),
                    ])
            }
            let location = ProbeLocation.line(file: "Checkout.swift", line: 42)
            _ = try ProbeCompiler.describe(location: location, image: image)
            for index in 0..<Self.templates.count + Self.conditions.count {
                let isTemplate = index < Self.templates.count
                let request = ProbeRequest(
                    location: location, template: isTemplate ? Self.templates[index] : "x",
                    condition: isTemplate
                        ? nil : Self.conditions[index - Self.templates.count])
                do {
                    let probe = try ProbeCompiler.compile(request, image: image)
                    compiled += 1
                    for site in probe.program.sites.indices {
                        var machine = ReferenceMachine(probe.program, Subject())
                        _ = machine.run(site: site)
                        #expect(machine.steps <= probe.cost.steps)
                    }
                } catch {
                    #expect(error.code != .internalError, "\(error)")
                }
            }
        }
        #expect(compiled > 100)
    }
}
