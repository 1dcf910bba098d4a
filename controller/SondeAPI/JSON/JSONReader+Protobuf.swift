// SPDX-License-Identifier: Apache-2.0
// What protobuf's JSON writes in other ways than plain JSON: words for numbers, numbers in quotes.

package import SondeWire

extension JSONReader {
    /// Whether the next value is a text.
    var isAtString: Bool {
        mutating get {
            whitespace()
            return current == UInt8(ascii: "\"")
        }
    }

    /// Reads a number, which may stand in quotes or be `NaN`, `Infinity` or `-Infinity`.
    package mutating func protobufDouble() throws(JSONError) -> Double {
        guard isAtString else { return try double() }
        switch try string() {
        case "NaN": return .nan
        case "Infinity": return .infinity
        case "-Infinity": return -.infinity
        case let text:
            if let value = Double(text), value.isFinite { return value }
            throw unexpected("a number before it, not \(text.quotedForMessage)")
        }
    }
}
