// SPDX-License-Identifier: Apache-2.0
// The id of one stored profile, under which exemplars point to it.

/// The id of a stored profile: 16 bytes, written as a UUID.
///
/// The store makes it when it stores a profile; it stays the same as long as the profile is kept.
package struct ProfileID: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes as a number.
    package var high: UInt64
    /// The last eight bytes as a number.
    package var low: UInt64

    /// A profile id from its halves.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A profile id from a UUID's text of either case, or `nil` when it is none.
    package init?(_ text: String) {
        let groups = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard groups.map(\.count) == [8, 4, 4, 4, 12] else { return nil }
        let digits = Array(groups.joined())
        guard let high = HexDigits.word(digits[..<16]), let low = HexDigits.word(digits[16...])
        else { return nil }
        self.init(high: high, low: low)
    }

    /// The UUID in lower case.
    package var description: String {
        let digits = Array((HexDigits.text(high) + HexDigits.text(low)).utf8)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32]
            .map { String(decoding: digits[$0], as: UTF8.self) }.joined(separator: "-")
    }
}
