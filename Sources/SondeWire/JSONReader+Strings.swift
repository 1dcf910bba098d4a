// SPDX-License-Identifier: Apache-2.0
// JSON's texts: escapes, surrogates, and base64 as protobuf's JSON has it for bytes.

extension JSONReader {
    /// Reads a text.
    package mutating func string() throws(JSONError) -> String {
        let start = position
        let bytes = try stringBytes()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            position = start
            throw unexpected("a text in UTF-8")
        }
        return text
    }

    /// Reads bytes from a text in base64, of the standard or the URL alphabet, padded or not.
    package mutating func base64() throws(JSONError) -> [UInt8] {
        let start = position
        let text = try stringBytes()
        var output: [UInt8] = []
        output.reserveCapacity(text.count / 4 * 3 + 3)
        var bits: UInt32 = 0
        var count = 0
        var digits = 0
        for byte in text {
            if byte == UInt8(ascii: "=") { break }
            guard let value = Self.base64Value(byte) else {
                position = start
                throw unexpected("a text in base64")
            }
            digits += 1
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                output.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        guard digits % 4 != 1, text[digits...].allSatisfy({ $0 == UInt8(ascii: "=") }) else {
            position = start
            throw unexpected("a text in base64")
        }
        return output
    }

    /// Passes over a text without keeping it.
    mutating func skipString() throws(JSONError) {
        try expect("\"", "a text")
        while let byte = current {
            position += 1
            if byte == UInt8(ascii: "\"") { return }
            if byte < 32 { break }
            if byte == UInt8(ascii: "\\") { position = min(position + 1, bytes.count) }
        }
        throw unexpected("the end of a text")
    }

    private mutating func stringBytes() throws(JSONError) -> [UInt8] {
        try expect("\"", "a text")
        var output: [UInt8] = []
        var copied = position
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                output += bytes[copied..<position]
                position += 1
                return output
            case UInt8(ascii: "\\"):
                output += bytes[copied..<position]
                position += 1
                try escape(into: &output)
                copied = position
            case 0..<32: throw unexpected("a text without control characters")
            default: position += 1
            }
        }
        throw unexpected("the end of a text")
    }

    private mutating func escape(into output: inout [UInt8]) throws(JSONError) {
        guard let byte = current else { throw unexpected("an escape") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): output.append(byte)
        case UInt8(ascii: "b"): output.append(8)
        case UInt8(ascii: "f"): output.append(12)
        case UInt8(ascii: "n"): output.append(10)
        case UInt8(ascii: "r"): output.append(13)
        case UInt8(ascii: "t"): output.append(9)
        case UInt8(ascii: "u"): output += String(try unicodeScalar()).utf8
        default:
            position -= 1
            throw unexpected("an escape such as \\n")
        }
    }

    private mutating func unicodeScalar() throws(JSONError) -> Unicode.Scalar {
        let first = try hexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // A high surrogate; its low half must follow.
        guard first < 0xDC00, bytes[position...].starts(with: "\\u".utf8) else {
            throw unexpected("the second half of a surrogate pair")
        }
        position += 2
        let second = try hexDigits()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw unexpected("the second half of a surrogate pair") }
        return scalar
    }

    private mutating func hexDigits() throws(JSONError) -> UInt32 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, let text = String(validating: digits, as: UTF8.self),
            text.allSatisfy(\.isHexDigit), let value = UInt32(text, radix: 16)
        else { throw unexpected("four hexadecimal digits") }
        position += 4
        return value
    }

    private static func base64Value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
