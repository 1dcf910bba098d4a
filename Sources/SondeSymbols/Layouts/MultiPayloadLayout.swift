// SPDX-License-Identifier: Apache-2.0
// How Swift lays out enums of which several cases carry something.

/// The layout of an enum with several payloads.
///
/// The tag goes into bits that are zero in all payloads, the highest first, and then into bytes
/// behind them. Empty cases share one tag or a few, and are numbered in the bits that payloads use.
struct MultiPayloadLayout {
    private let payloadCount: UInt64
    private let emptyCases: UInt64
    private let payloadSize: UInt64
    private let alignment: UInt64
    private let isLoadable: Bool
    /// The bits that are zero in all payloads.
    private let common: [Int]
    /// The bits that some payload uses, as far as empty cases are numbered in them.
    private let used: [Int]
    private let usedCount: Int

    init(
        _ payloads: [ValueLayout], _ emptyCases: UInt64, _ usesSpareBits: Bool
    ) throws(LayoutProblem) {
        payloadCount = UInt64(payloads.count)
        self.emptyCases = emptyCases
        payloadSize = payloads.map(\.size).max() ?? 0
        alignment = payloads.map(\.alignment).max() ?? 1
        isLoadable = payloads.allSatisfy(\.isLoadable)
        guard payloadSize <= UInt64(BitMask.maxBytes) else {
            throw LayoutProblem(
                reason: "an enum's payload is larger than \(BitMask.maxBytes) bytes")
        }
        var mask = BitMask(size: payloadSize)
        if usesSpareBits, isLoadable, let first = payloads.first {
            mask = payloads.dropFirst().reduce(first.spareBits) {
                BitMask.common($0, $1.spareBits)
            }
            mask.extend(to: payloadSize, false)
        }
        common = mask.positions
        let free = mask.inverted.positions
        usedCount = free.count
        used = Array(free.prefix(32))
    }

    /// How many tags the empty cases need.
    private var emptyTags: UInt64 {
        guard emptyCases > 0 else { return 0 }
        return usedCount >= 32 ? 1 : (emptyCases - 1) >> UInt64(usedCount) + 1
    }

    private var tags: UInt64 { payloadCount + emptyTags }
    private var tagBits: Int { EnumLayout.bits(tags) }
    /// The bits of the payload that hold the tag, lowest first.
    private var innerBits: [Int] { Array(common.suffix(tagBits)) }
    private var outerBits: Int { max(0, tagBits - common.count) }
    private var outerBytes: UInt64 {
        outerBits == 0 ? 0 : UInt64(EnumLayout.tagBytes(1 << UInt64(outerBits)))
    }

    /// The tag's parts, its lowest bit at a position.
    private func tagParts(at position: Int) -> [TagRule.Part] {
        let inner = innerBits.enumerated().map { (bit: $1, position: position + $0) }
        return TagRule.Part.bits(inner)
            + TagRule.Part.bytes(
                at: payloadSize, count: outerBytes, position: UInt8(position + inner.count))
    }

    func layout() -> EnumLayout {
        var spare = BitMask(size: payloadSize)
        for bit in common.dropLast(min(tagBits, common.count)) { spare[bit] = true }
        spare.extend(to: payloadSize &+ outerBytes, true)
        for bit in 0..<outerBits { spare[Int(payloadSize) * 8 + bit] = false }
        return EnumLayout(
            size: payloadSize &+ outerBytes, alignment: alignment, tag: rule(),
            extraInhabitants: extraInhabitants(), spareBits: spare, isLoadable: isLoadable,
            commonBits: commonBits)
    }

    /// The common bits without the zero bytes behind them, as metadata states them.
    private var commonBits: BitMask? {
        guard let last = common.last else { return nil }
        var mask = BitMask(size: UInt64(last / 8 + 1))
        for bit in common { mask[bit] = true }
        return mask
    }

    private func rule() -> TagRule {
        var steps = [
            TagRule.Step(
                parts: tagParts(at: 0),
                choices: [TagRule.Choice(numbers: 0...(payloadCount - 1), firstCase: 0)])
        ]
        if emptyCases > 0 {
            // With one tag for all of them, only the bits that can differ are looked at.
            let bits = emptyTags == 1 ? EnumLayout.bits(emptyCases) : usedCount
            let number = used.prefix(bits).enumerated().map { (bit: $1, position: $0) }
            let first = payloadCount << UInt64(number.count)
            steps.append(
                TagRule.Step(
                    parts: TagRule.Part.bits(number) + tagParts(at: number.count),
                    choices: [
                        TagRule.Choice(
                            numbers: first...(first + emptyCases - 1),
                            firstCase: Int(payloadCount))
                    ]))
        }
        var foreign: [UInt64: UInt64] = [:]
        for bit in innerBits { foreign[UInt64(bit / 64 * 8), default: 0] |= 1 << UInt64(bit % 64) }
        return TagRule(
            steps: steps, otherwise: nil,
            foreignBits: foreign.sorted { $0.key < $1.key }.map {
                TagRule.ForeignBits(byteOffset: $0.key, mask: $0.value)
            })
    }

    /// Tags that are not used, counted down from the highest; all common bits count as the tag's.
    private func extraInhabitants() -> ExtraInhabitants {
        let inner = min(common.count, 32)
        let total = inner + Int(outerBytes) * 8
        let width = min(total, 32)
        guard width > 0 else { return .none }
        // The tag's own bits become the lowest ones.
        var shift = common.count - min(tagBits, common.count)
        if shift >= 32 { shift = 0 }
        let bits = common.prefix(32).enumerated().map {
            (bit: $1, position: inner > 0 ? (($0 - shift) % inner + inner) % inner : 0)
        }
        let highest: UInt64 = 1 << UInt64(width) - 1
        let count = width >= 32 ? ExtraInhabitants.maxCount : highest + 1 - tags
        var parts = TagRule.Part.bits(bits)
        if outerBytes > 0, inner < 32 {
            let room = UInt64(32 - inner) / 8
            parts += TagRule.Part.bytes(
                at: payloadSize, count: min(outerBytes, max(1, room)), position: UInt8(inner))
        }
        return ExtraInhabitants(
            parts: parts, first: highest, isDescending: true,
            count: min(count, ExtraInhabitants.maxCount))
    }
}
