// SPDX-License-Identifier: Apache-2.0
// Reads one quoted string with the escapes of Go, which PromQL took over.

/// Reads one string literal: in double or single quotes with escapes, or in backquotes without.
///
/// Source: go.dev/ref/spec, "String literals" and "Rune literals".
struct StringLiteral {
    /// What is wrong with a literal.
    struct Failure: Error {
        /// The place, in bytes from the start of the text.
        var offset: Int
        /// What stands there; want what.
        var reason: String
        /// Whether the closing quote is missing: then the opening one is the place to show.
        var isUnterminated = false
    }

    private let bytes: [UInt8]
    /// Where reading stands; after ``read()``, behind the closing quote.
    private(set) var position: Int

    /// A literal whose opening quote stands at `start`.
    init(bytes: [UInt8], start: Int) {
        self.bytes = bytes
        position = start
    }

    /// The literal's value.
    mutating func read() throws(Failure) -> String {
        let start = position
        let quote = bytes[start]
        position += 1
        var value: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            if byte == quote {
                position += 1
                guard let text = String(validating: value, as: UTF8.self) else {
                    throw Failure(offset: start, reason: "bytes that are no UTF-8; want UTF-8")
                }
                return text
            }
            if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") {
                try readEscape(into: &value, quote: quote)
            } else {
                value.append(byte)
                position += 1
            }
        }
        throw Failure(
            offset: start, reason: "a string without its closing quote; want one",
            isUnterminated: true)
    }

    private mutating func readEscape(into value: inout [UInt8], quote: UInt8) throws(Failure) {
        let start = position
        guard start + 1 < bytes.count else {
            position += 1
            return  // the caller reports that the quote is missing
        }
        let letter = bytes[start + 1]
        position += 2
        switch letter {
        case UInt8(ascii: "a"): value.append(7)
        case UInt8(ascii: "b"): value.append(8)
        case UInt8(ascii: "f"): value.append(12)
        case UInt8(ascii: "n"): value.append(10)
        case UInt8(ascii: "r"): value.append(13)
        case UInt8(ascii: "t"): value.append(9)
        case UInt8(ascii: "v"): value.append(11)
        case UInt8(ascii: "\\"), quote: value.append(letter)
        case UInt8(ascii: "x"): value.append(UInt8(try number(2, radix: 16, from: start)))
        case UInt8(ascii: "u"):
            try appendScalar(try number(4, radix: 16, from: start), start, &value)
        case UInt8(ascii: "U"):
            try appendScalar(try number(8, radix: 16, from: start), start, &value)
        case UInt8(ascii: "0")...UInt8(ascii: "7"):
            position -= 1
            let code = try number(3, radix: 8, from: start)
            guard code <= 255 else { throw wrongEscape(at: start) }
            value.append(UInt8(code))
        default: throw wrongEscape(at: start)
        }
    }

    private mutating func number(
        _ digits: Int, radix: Int, from start: Int
    ) throws(Failure) -> UInt32 {
        guard position + digits <= bytes.count else { throw wrongEscape(at: start) }
        let text = bytes[position..<position + digits]
        // A sign is no digit, though the initializer below takes one.
        guard text.allSatisfy({ $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }),
            let number = UInt32(String(decoding: text, as: UTF8.self), radix: radix)
        else { throw wrongEscape(at: start) }
        position += digits
        return number
    }

    private func appendScalar(
        _ code: UInt32, _ start: Int, _ value: inout [UInt8]
    ) throws(Failure) {
        guard let scalar = Unicode.Scalar(code) else { throw wrongEscape(at: start) }
        value.append(contentsOf: Array(String(Character(scalar)).utf8))
    }

    private func wrongEscape(at start: Int) -> Failure {
        let text = String(decoding: bytes[start..<min(bytes.count, start + 2)], as: UTF8.self)
        return Failure(
            offset: start,
            reason: "the escape \"\(text)\"; want one of \\a \\b \\f \\n \\r \\t \\v \\\\ "
                + "\\xHH \\uHHHH \\UHHHHHHHH \\OOO or the quote")
    }
}
