// SPDX-License-Identifier: Apache-2.0
// Which bits of a value are meant, the lowest bit of the first byte being bit 0.

/// A set of bits of a value.
struct BitMask: Hashable, Sendable {
    private(set) var bytes: [UInt8]

    /// The largest value whose bits are looked at, in bytes.
    static let maxBytes = 4096

    init(bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

    /// All bits of a value clear, or all set.
    init(size: UInt64, _ isSet: Bool = false) {
        let count = Int(min(size, UInt64(Self.maxBytes)))
        bytes = Array(repeating: isSet ? 0xFF : 0, count: count)
    }

    /// The bits of a 64-bit word.
    init(word: UInt64) {
        bytes = (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
    }

    var bitCount: Int { bytes.count * 8 }
    /// How many bits are set.
    var count: Int { bytes.reduce(0) { $0 + $1.nonzeroBitCount } }
    var isEmpty: Bool { bytes.allSatisfy { $0 == 0 } }

    /// Bits behind the last byte count as clear.
    subscript(bit: Int) -> Bool {
        get { bit / 8 < bytes.count && bytes[bit / 8] >> UInt8(bit % 8) & 1 != 0 }
        set {
            guard bit / 8 < bytes.count else { return }
            let mask = UInt8(1) << UInt8(bit % 8)
            if newValue { bytes[bit / 8] |= mask } else { bytes[bit / 8] &= ~mask }
        }
    }

    /// The positions of the bits that are set, lowest first.
    var positions: [Int] { (0..<bitCount).filter { self[$0] } }

    /// Makes the mask longer; the new bits are set or clear.
    mutating func extend(to size: UInt64, _ isSet: Bool) {
        let count = Int(min(size, UInt64(Self.maxBytes)))
        if count > bytes.count {
            bytes += Array(repeating: isSet ? 0xFF : 0, count: count - bytes.count)
        }
    }

    /// Clears what a part of the value at an offset does not have set.
    mutating func intersect(_ part: BitMask, at offset: UInt64) {
        guard let start = Int(exactly: offset) else { return }
        for (index, byte) in part.bytes.enumerated() where start + index < bytes.count {
            bytes[start + index] &= byte
        }
    }

    /// The bits of both; the shorter one counts as set behind its end.
    static func common(_ left: BitMask, _ right: BitMask) -> BitMask {
        var (long, short) = left.bytes.count >= right.bytes.count ? (left, right) : (right, left)
        short.extend(to: UInt64(long.bytes.count), true)
        long.intersect(short, at: 0)
        return long
    }

    /// The bits that are clear here, and the other way round.
    var inverted: BitMask { BitMask(bytes: bytes.map { ~$0 }) }
}
