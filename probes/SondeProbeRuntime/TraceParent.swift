// SPDX-License-Identifier: Apache-2.0
// The W3C `traceparent` field: which trace and span a piece of work belongs to.
// Source: w3.org/TR/trace-context, section 3.2.

/// A trace and a span in it.
package struct TraceParent: Hashable, Sendable {
    /// The trace id's 16 bytes as two words, the first byte in the top bits of the first.
    package var trace: (high: UInt64, low: UInt64) { (traceHigh, traceLow) }
    /// The span id's 8 bytes, the first one in the top bits.
    package let span: UInt64

    private let traceHigh: UInt64
    private let traceLow: UInt64

    /// Reads `00-<32 digits>-<16 digits>-<2 digits>`; `nil` when it is not valid.
    ///
    /// Digits are lower-case hexadecimal. A later version than 00 may have more behind it. The
    /// version `ff` and ids of zeros alone are not valid.
    package init?(_ text: some StringProtocol) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(64)
        for byte in text.utf8 {
            // 256 bytes hold any version of today; the rest of a longer text is not looked at.
            guard bytes.count < 256 else { break }
            bytes.append(byte)
        }
        let dash = UInt8(ascii: "-")
        guard bytes.count >= 55, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = Self.number(bytes[0..<2]), version != 0xFF,
            version == 0 ? bytes.count == 55 : bytes.count == 55 || bytes[55] == dash,
            let high = Self.number(bytes[3..<19]), let low = Self.number(bytes[19..<35]),
            let span = Self.number(bytes[36..<52]), Self.number(bytes[53..<55]) != nil,
            high | low != 0, span != 0
        else { return nil }
        traceHigh = high
        traceLow = low
        self.span = span
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                value = value << 4 | UInt64(digit &- UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"):
                value = value << 4 | UInt64(digit &- UInt8(ascii: "a") &+ 10)
            default: return nil
            }
        }
        return value
    }
}
