// SPDX-License-Identifier: Apache-2.0
// 64-bit words as sixteen hexadecimal digits, as ids of spans, traces and profiles are written.

/// Words as sixteen hexadecimal digits.
enum HexDigits {
    /// The word that exactly sixteen digits of either case name, or `nil`.
    static func word(_ digits: some Collection<UInt8>) -> UInt64? {
        guard digits.count == 16 else { return nil }
        var word: UInt64 = 0
        for digit in digits {
            let nibble: UInt8
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = digit &- UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = digit &- UInt8(ascii: "a") &+ 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): nibble = digit &- UInt8(ascii: "A") &+ 10
            default: return nil
            }
            word = word << 4 | UInt64(nibble)
        }
        return word
    }

    /// Sixteen lower-case digits.
    static func text(_ word: UInt64) -> String {
        let digits = String(word, radix: 16)
        return String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits
    }
}
