// SPDX-License-Identifier: Apache-2.0
// How Swift lays out enums: where the tag is, and what is left for enums around them.

/// The layout of an enum by what its cases carry.
///
/// Cases are numbered as reflection metadata lists them: those that carry something first. Which
/// strategy the compiler takes depends on how many do. Source: the compiler's documented strategies
/// (single case, no payload, one payload, several payloads).
struct EnumLayout {
    var size: UInt64
    var alignment: UInt64
    var tag: TagRule
    var extraInhabitants: ExtraInhabitants
    var spareBits: BitMask
    var isLoadable: Bool
    /// With several payloads: the bits that none of them uses, if the tag may go there.
    var commonBits: BitMask?

    /// The most cases of an enum whose layout is computed.
    static let maxCases = 65_536

    /// The layout of an enum by what its cases carry, and how many carry nothing.
    ///
    /// The compiler may put the tag into spare bits only where it knows all payloads when it sees
    /// the enum's declaration: `usesSpareBits`.
    static func make(
        payloads: [ValueLayout], emptyCases: Int, usesSpareBits: Bool
    ) throws(LayoutProblem) -> EnumLayout {
        guard payloads.count + emptyCases <= maxCases else {
            throw LayoutProblem(reason: "an enum has more than \(maxCases) cases")
        }
        switch (payloads.count, emptyCases) {
        case (0, 0), (0, 1): return single(ValueLayout(size: 0, kind: .tuple([])))
        case (1, 0): return single(payloads[0])
        case (0, _): return withoutPayload(emptyCases)
        case (1, _): return try withOnePayload(payloads[0], UInt64(emptyCases))
        default:
            return try MultiPayloadLayout(payloads, UInt64(emptyCases), usesSpareBits).layout()
        }
    }

    private static func single(_ payload: ValueLayout) -> EnumLayout {
        EnumLayout(
            size: payload.size, alignment: payload.alignment,
            tag: TagRule(steps: [], otherwise: 0), extraInhabitants: payload.extraInhabitants,
            spareBits: payload.spareBits, isLoadable: payload.isLoadable)
    }

    /// The bytes of an integer that tells `count` things apart.
    static func tagBytes(_ count: UInt64) -> UInt8 { count <= 256 ? 1 : count <= 65_536 ? 2 : 4 }

    /// The bits of the largest of `count` numbers.
    static func bits(_ count: UInt64) -> Int {
        count <= 1 ? 0 : 64 - (count - 1).leadingZeroBitCount
    }

    private static func withoutPayload(_ count: Int) -> EnumLayout {
        let bytes = tagBytes(UInt64(count))
        let bits = bits(UInt64(count))
        var spare = BitMask(size: UInt64(bytes), true)
        for bit in 0..<bits { spare[bit] = false }
        let step = TagRule.Step(
            parts: TagRule.Part.bytes(at: 0, count: UInt64(bytes), position: 0),
            choices: [TagRule.Choice(numbers: 0...UInt64(count - 1), firstCase: 0)])
        return EnumLayout(
            size: UInt64(bytes), alignment: UInt64(bytes),
            tag: TagRule(steps: [step], otherwise: nil),
            extraInhabitants: .above(UInt64(count), bytes: bytes), spareBits: spare,
            isLoadable: true)
    }

    /// Empty cases are bit patterns that the payload never has; when there are too few, a tag
    /// follows the payload, and where that is not 0 the payload's place holds a number.
    private static func withOnePayload(
        _ payload: ValueLayout, _ emptyCases: UInt64
    ) throws(LayoutProblem) -> EnumLayout {
        let inside = min(emptyCases, payload.extraInhabitants.count)
        let outside = emptyCases - inside
        var layout = single(payload)
        layout.spareBits = BitMask(size: payload.size)
        layout.extraInhabitants =
            outside == 0 ? payload.extraInhabitants.dropping(inside) : .none
        if outside > 0 {
            // The number takes at most 4 bytes of the payload.
            let numberBits = Int(min(payload.size, 4)) * 8
            let pages = numberBits >= 32 ? 1 : (outside - 1) >> UInt64(numberBits) + 1
            let tagBytes = UInt64(tagBytes(pages + 1))
            layout.size = payload.size &+ tagBytes
            layout.spareBits.extend(to: layout.size, true)
            for bit in 0..<bits(pages + 1) { layout.spareBits[Int(payload.size) * 8 + bit] = false }
            let first = UInt64(1) << UInt64(numberBits)
            let parts =
                TagRule.Part.bytes(at: 0, count: UInt64(numberBits / 8), position: 0)
                + TagRule.Part.bytes(
                    at: payload.size, count: tagBytes, position: UInt8(numberBits))
            layout.tag.steps.append(
                TagRule.Step(
                    parts: parts,
                    choices: [
                        TagRule.Choice(
                            numbers: first...(first + outside - 1), firstCase: 1 + Int(inside)),
                        TagRule.Choice(numbers: first...UInt64.max, firstCase: nil),
                    ]))
        }
        if inside > 0 {
            guard let choices = payload.extraInhabitants.choices(inside, firstCase: 1) else {
                throw LayoutProblem(reason: "an enum has too many cases")
            }
            layout.tag.steps.append(
                TagRule.Step(parts: payload.extraInhabitants.parts, choices: choices))
        }
        return layout
    }
}
