// SPDX-License-Identifier: Apache-2.0
// What the layout of a value means to the values around it: size, and bit patterns it never has.

/// Why a type's layout is not known.
struct LayoutProblem: Error, Hashable {
    var reason: String
}

/// How a value lies in memory, and which of its bit patterns an enum around it may use.
struct ValueLayout: Hashable, Sendable {
    var size: UInt64
    var alignment: UInt64 = 1
    var kind: TypeLayout.Kind
    var extraInhabitants = ExtraInhabitants.none
    /// The bits that are zero in every value.
    var spareBits: BitMask
    /// Whether values may be copied bit by bit while they are looked at; the compiler keeps tags
    /// out of those that may not.
    var isLoadable = true
    /// Whether the layout depends on a generic parameter that is not known.
    var isDependent = false

    /// Bytes from one element of an array to the next.
    var stride: UInt64 { max(1, (size &+ alignment &- 1) & ~(alignment &- 1)) }

    init(
        size: UInt64, alignment: UInt64 = 1, kind: TypeLayout.Kind,
        extraInhabitants: ExtraInhabitants = .none, spareBits: BitMask? = nil
    ) {
        self.size = size
        self.alignment = max(1, alignment)
        self.kind = kind
        self.extraInhabitants = extraInhabitants
        self.spareBits = spareBits ?? BitMask(size: size)
    }

    /// The bits of an object's address that are always zero.
    ///
    /// Source: the x86-64 Swift ABI.
    static let objectSpareBits = BitMask(word: 0xFF00_0000_0000_0007)

    /// A value that begins with an object's address.
    static func reference(_ kind: TypeLayout.Kind) -> ValueLayout {
        ValueLayout(
            size: 8, alignment: 8, kind: kind, extraInhabitants: .object(at: 0),
            spareBits: objectSpareBits)
    }

    /// A value of a generic type's parameter.
    static var dependent: ValueLayout {
        var layout = ValueLayout(size: 0, kind: .opaque(reason: "the type is a generic parameter"))
        layout.isDependent = true
        layout.isLoadable = false
        return layout
    }
}

/// Bit patterns that a value never has; enums around it use them for cases without a payload.
struct ExtraInhabitants: Hashable, Sendable {
    /// The bits that tell them from values.
    var parts: [TagRule.Part]
    /// The number that stands for the first of them.
    var first: UInt64
    /// Whether the next one is the next lower number.
    var isDescending = false
    var count: UInt64

    static let none = ExtraInhabitants(parts: [], first: 0, count: 0)

    /// What the runtime uses at most.
    static let maxCount: UInt64 = 0x7FFF_FFFF

    /// Addresses below the first page that a program may map.
    static func object(at offset: UInt64) -> ExtraInhabitants {
        ExtraInhabitants(parts: [.word(at: offset)], first: 0, count: 4096)
    }

    /// The null pointer.
    static let null = ExtraInhabitants(parts: [.word(at: 0)], first: 0, count: 1)

    /// The numbers from the first that is no value on, in an integer of some bytes.
    static func above(_ first: UInt64, bytes: UInt8) -> ExtraInhabitants {
        let bits = bytes * 8
        let end = bits >= 64 ? UInt64.max : 1 << UInt64(bits)
        return ExtraInhabitants(
            parts: [
                TagRule.Part(
                    byteOffset: 0, bytes: bytes, firstBit: 0, bitCount: bits, position: 0)
            ], first: first, count: min(end &- min(first, end), maxCount))
    }

    /// The patterns of a field, as those of the value around it.
    func moved(by offset: UInt64) -> ExtraInhabitants {
        var moved = self
        for index in moved.parts.indices { moved.parts[index].byteOffset &+= offset }
        return moved
    }

    /// What is left when the first ones are taken.
    func dropping(_ taken: UInt64) -> ExtraInhabitants {
        guard taken < count else { return .none }
        var left = self
        left.first = isDescending ? first &- taken : first &+ taken
        left.count -= taken
        return left
    }

    /// The largest number of cases that are told apart one by one.
    private static let maxChoices: UInt64 = 4096

    /// What the first `taken` patterns mean when they are the cases from `firstCase` on.
    func choices(_ taken: UInt64, firstCase: Int) -> [TagRule.Choice]? {
        guard taken > 0, taken <= count else { return nil }
        if !isDescending {
            return [TagRule.Choice(numbers: first...(first &+ taken &- 1), firstCase: firstCase)]
        }
        guard taken <= Self.maxChoices else { return nil }
        return (0..<taken).map {
            TagRule.Choice(numbers: (first &- $0)...(first &- $0), firstCase: firstCase + Int($0))
        }
    }
}

extension TagRule.Part {
    /// All bits of a 64-bit word.
    static func word(at offset: UInt64) -> TagRule.Part {
        TagRule.Part(byteOffset: offset, bytes: 8, firstBit: 0, bitCount: 64, position: 0)
    }

    /// Whole bytes, at most 4, in loads that do not reach beyond them.
    static func bytes(at offset: UInt64, count: UInt64, position: UInt8) -> [TagRule.Part] {
        var parts: [TagRule.Part] = []
        var done: UInt64 = 0
        while done < count {
            let width: UInt64 = count - done >= 4 ? 4 : count - done >= 2 ? 2 : 1
            parts.append(
                TagRule.Part(
                    byteOffset: offset &+ done, bytes: UInt8(width), firstBit: 0,
                    bitCount: UInt8(width * 8), position: position + UInt8(done * 8)))
            done += width
        }
        return parts
    }

    /// Single bits, given as where they stand in the value and in the number.
    static func bits(_ bits: [(bit: Int, position: Int)]) -> [TagRule.Part] {
        var parts: [TagRule.Part] = []
        for (bit, position) in bits {
            let byte = UInt64(bit / 8)
            let first = UInt8(bit % 8)
            // Neighbors in one byte that stay neighbors go together.
            if var last = parts.last, last.byteOffset == byte,
                last.firstBit + last.bitCount == first,
                Int(last.position) + Int(last.bitCount) == position
            {
                last.bitCount += 1
                parts[parts.count - 1] = last
                continue
            }
            parts.append(
                TagRule.Part(
                    byteOffset: byte, bytes: 1, firstBit: first, bitCount: 1,
                    position: UInt8(clamping: position)))
        }
        return parts
    }
}
