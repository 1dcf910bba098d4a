// SPDX-License-Identifier: Apache-2.0
// How the bytes of an enum's value tell its case.

/// How the bytes of an enum's value tell its case.
///
/// Each step collects bits of the value into one number and compares it with ranges; the first range
/// that holds the number, in the order of steps and ranges, decides.
///
///     index = choice.firstCase + (choice.isOneCase ? 0 : number - choice.numbers.lowerBound)
///
/// Cases are numbered as in ``TypeLayout/Kind/enumeration(cases:tag:)``.
package struct TagRule: Hashable, Sendable {
    /// Bits of the value that go into a step's number.
    package struct Part: Hashable, Sendable {
        /// Where the little-endian integer lies.
        package var byteOffset: UInt64
        /// The integer's bytes: 1, 2, 4 or 8.
        package var bytes: UInt8
        /// The lowest of the bits, counted from the integer's lowest.
        package var firstBit: UInt8
        /// How many bits, 1...64.
        package var bitCount: UInt8
        /// Where the lowest of them goes in the number.
        package var position: UInt8

        /// Some bits of a value.
        package init(
            byteOffset: UInt64, bytes: UInt8, firstBit: UInt8, bitCount: UInt8, position: UInt8
        ) {
            self.byteOffset = byteOffset
            self.bytes = bytes
            self.firstBit = firstBit
            self.bitCount = bitCount
            self.position = position
        }
    }

    /// What numbers in a range mean.
    package struct Choice: Hashable, Sendable {
        /// The numbers.
        package var numbers: ClosedRange<UInt64>
        /// The case of the lowest of them, the next number is the next case, and so on;
        /// `nil` when they mean no case.
        package var firstCase: Int?
        /// Whether all numbers mean ``firstCase``.
        package var isOneCase: Bool

        /// Numbers and what they mean.
        package init(numbers: ClosedRange<UInt64>, firstCase: Int?, isOneCase: Bool = false) {
            self.numbers = numbers
            self.firstCase = firstCase
            self.isOneCase = isOneCase
        }
    }

    /// A number to look at, and what it means.
    package struct Step: Hashable, Sendable {
        /// The bits that are or-ed together.
        package var parts: [Part]
        /// What the number means, tried in order.
        package var choices: [Choice]

        /// A step from its parts.
        package init(parts: [Part], choices: [Choice]) {
            self.parts = parts
            self.choices = choices
        }
    }

    /// Bits of the value that hold the tag inside a payload, so that they are to be read as zero in
    /// the payload.
    package struct ForeignBits: Hashable, Sendable {
        /// Where the 8 bytes lie, a multiple of 8 from the start of the value.
        ///
        /// They may reach beyond its end.
        package var byteOffset: UInt64
        /// The bits that do not belong to the payload.
        package var mask: UInt64

        /// Bits that hold a tag.
        package init(byteOffset: UInt64, mask: UInt64) {
            self.byteOffset = byteOffset
            self.mask = mask
        }
    }

    /// The steps, in order.
    package var steps: [Step]
    /// The case when no step decides; `nil` when that is no case.
    package var otherwise: Int?
    /// The bits to clear before a payload is read; empty for most enums.
    package var foreignBits: [ForeignBits]

    /// A rule from its parts.
    package init(steps: [Step], otherwise: Int?, foreignBits: [ForeignBits] = []) {
        self.steps = steps
        self.otherwise = otherwise
        self.foreignBits = foreignBits
    }

    /// The bits that an integer at an offset of the payload has to be cleared of.
    ///
    /// - Parameters:
    ///   - byteOffset: Where the integer lies in the payload, which lies at the value's start.
    ///   - bytes: The integer's size, 1...8.
    /// - Returns: A mask of the bits that hold the tag; 0 for most payloads.
    package func foreignMask(byteOffset: UInt64, bytes: UInt8) -> UInt64 {
        var mask: UInt64 = 0
        for part in foreignBits {
            for byte in 0..<UInt64(min(bytes, 8)) {
                let place = byteOffset &+ byte
                guard place >= part.byteOffset, place &- part.byteOffset < 8 else { continue }
                mask |= (part.mask >> (8 &* (place &- part.byteOffset)) & 0xFF) << (8 &* byte)
            }
        }
        return mask
    }

    /// The case that a value's bytes mean; `nil` when they mean none or are too few.
    package func caseIndex(of value: [UInt8]) -> Int? {
        for step in steps {
            guard let number = Self.number(step.parts, value) else { return nil }
            for choice in step.choices where choice.numbers.contains(number) {
                guard let first = choice.firstCase else { return nil }
                if choice.isOneCase { return first }
                guard let distance = Int(exactly: number &- choice.numbers.lowerBound) else {
                    return nil
                }
                let (index, overflow) = first.addingReportingOverflow(distance)
                return overflow ? nil : index
            }
        }
        return otherwise
    }

    private static func number(_ parts: [Part], _ value: [UInt8]) -> UInt64? {
        var number: UInt64 = 0
        for part in parts {
            guard let start = Int(exactly: part.byteOffset), start <= value.count,
                value.count - start >= Int(part.bytes)
            else { return nil }
            var integer: UInt64 = 0
            for byte in value[start..<start + Int(part.bytes)].reversed() {
                integer = integer << 8 | UInt64(byte)
            }
            let mask = part.bitCount >= 64 ? UInt64.max : 1 << UInt64(part.bitCount) &- 1
            number |= (integer >> UInt64(part.firstBit) & mask) << UInt64(part.position)
        }
        return number
    }
}
