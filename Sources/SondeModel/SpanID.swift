// SPDX-License-Identifier: Apache-2.0
// The ids under which distributed tracing knows a piece of work.

/// The id of a span: 8 bytes, written as 16 hexadecimal digits.
package struct SpanID: Hashable, Sendable, CustomStringConvertible {
    /// The bytes as one number, the first the highest.
    package var rawValue: UInt64

    /// A span id from its number.
    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// A span id from its 16 digits of either case, or `nil` when it is none.
    package init?(_ text: String) {
        guard let word = HexDigits.word(text.utf8) else { return nil }
        rawValue = word
    }

    /// 16 lower-case hexadecimal digits.
    package var description: String { HexDigits.text(rawValue) }
}

/// The id of a trace: 16 bytes, written as 32 hexadecimal digits.
package struct TraceID: Hashable, Sendable, CustomStringConvertible {
    /// The first eight bytes as a number.
    package var high: UInt64
    /// The last eight bytes as a number.
    package var low: UInt64

    /// A trace id from its halves.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A trace id from its 32 digits of either case, or `nil` when it is none.
    package init?(_ text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 32, let high = HexDigits.word(digits[..<16]),
            let low = HexDigits.word(digits[16...])
        else { return nil }
        self.init(high: high, low: low)
    }

    /// 32 lower-case hexadecimal digits.
    package var description: String { HexDigits.text(high) + HexDigits.text(low) }
}
