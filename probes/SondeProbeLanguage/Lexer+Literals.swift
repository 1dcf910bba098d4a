// SPDX-License-Identifier: Apache-2.0
// Reads numbers and strings as Swift writes them.

extension Lexer {
    /// A number; the position stands on its first digit.
    ///
    /// An element, as behind the dot of `pair.0`, has only decimal digits.
    mutating func number(asElement: Bool) throws(LanguageError) -> Token.Kind {
        let start = position
        if asElement {
            while Lexer.isDigit(peek()) { position += 1 }
            return .integer(try value(of: bytes[start..<position], radix: 10, from: start))
        }
        let radix: UInt64 =
            switch (peek(), peek(1)) {
            case (UInt8(ascii: "0"), UInt8(ascii: "x")): 16
            case (UInt8(ascii: "0"), UInt8(ascii: "o")): 8
            case (UInt8(ascii: "0"), UInt8(ascii: "b")): 2
            default: 10
            }
        if radix != 10 { position += 2 }
        let digits = position
        skipDigits(radix)
        if radix == 10, let value = try fraction(from: start) { return .floating(value) }
        try rejectLetters(from: start)
        return .integer(try value(of: bytes[digits..<position], radix: radix, from: start))
    }

    private mutating func skipDigits(_ radix: UInt64) {
        while Lexer.digit(peek()).map({ $0 < radix }) ?? false || peek() == UInt8(ascii: "_") {
            position += 1
        }
    }

    /// A fraction and an exponent behind the digits, when there is one of them.
    private mutating func fraction(from start: Int) throws(LanguageError) -> Double? {
        var isFloating = false
        if peek() == UInt8(ascii: "."), Lexer.isDigit(peek(1)) {
            position += 1
            skipDigits(10)
            isFloating = true
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            let hasSign = peek(1) == UInt8(ascii: "+") || peek(1) == UInt8(ascii: "-")
            if Lexer.isDigit(peek(hasSign ? 2 : 1)) {
                position += hasSign ? 2 : 1
                skipDigits(10)
                isFloating = true
            }
        }
        guard isFloating else { return nil }
        try rejectLetters(from: start)
        let text = String(
            decoding: bytes[start..<position].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            throw failure(
                .badNumber, found: "the number `\(text)`",
                want: "a number that fits into a Double", start, position)
        }
        return value
    }

    /// Refuses `12ab`, which is neither a number nor a name.
    private mutating func rejectLetters(from start: Int) throws(LanguageError) {
        guard let scalar = scalar(at: position), Lexer.continuesName(scalar) else { return }
        while let scalar = self.scalar(at: position), Lexer.continuesName(scalar) {
            position += String(scalar).utf8.count
        }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        throw failure(
            .badNumber, found: "the number `\(text)`",
            want: "digits, such as 1_000, 0xFF, 0b101 or 1.5e3", start, position)
    }

    private func value(
        of digits: ArraySlice<UInt8>, radix: UInt64, from start: Int
    ) throws(LanguageError) -> UInt64 {
        var value: UInt64 = 0
        var count = 0
        for byte in digits where byte != UInt8(ascii: "_") {
            let (scaled, isTooLarge) = value.multipliedReportingOverflow(by: radix)
            let (sum, isTooLargeByOne) = scaled.addingReportingOverflow(Lexer.digit(byte) ?? 0)
            guard !isTooLarge, !isTooLargeByOne else {
                throw failure(
                    .badNumber, found: "a number of more than 64 bits",
                    want: "at most \(UInt64.max)", start, position)
            }
            value = sum
            count += 1
        }
        guard count > 0 else {
            throw failure(
                .badNumber, found: "a number without digits", want: "digits behind its prefix",
                start, position)
        }
        return value
    }

    static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// A string's value; the position stands on its opening quote.
    mutating func string() throws(LanguageError) -> String {
        let start = position
        if peek(1) == UInt8(ascii: "\""), peek(2) == UInt8(ascii: "\"") {
            throw failure(
                .unsupported, found: "a string over several lines",
                want: "a string between single double quotes", start, start + 3)
        }
        position += 1
        var value: [UInt8] = []
        while true {
            guard position < bytes.count, bytes[position] != UInt8(ascii: "\n") else {
                throw failure(
                    .badString, found: "a string that is not closed", want: "a `\"` at its end",
                    start, position)
            }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                position += 1
                return String(decoding: value, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\") {
                value += Array(String(try escape()).utf8)
            } else {
                value.append(byte)
                position += 1
            }
        }
    }

    /// What an escape stands for; the position stands on its backslash.
    private mutating func escape() throws(LanguageError) -> Unicode.Scalar {
        let start = position
        let letter = peek(1)
        position += 2
        switch letter {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "0"): return "\0"
        case UInt8(ascii: "\\"): return "\\"
        case UInt8(ascii: "\""): return "\""
        case UInt8(ascii: "'"): return "'"
        case UInt8(ascii: "u"): return try unicodeEscape(from: start)
        case UInt8(ascii: "("):
            throw failure(
                .unsupported, found: "an interpolation inside a string",
                want: "a plain string; values stand in braces in the template itself", start,
                position)
        default:
            position = min(position, bytes.count)
            throw failure(
                .badString, found: "an escape that does not exist",
                want: #"\n, \t, \r, \0, \\, \", \' or \u{…}"#, start, position)
        }
    }

    private mutating func unicodeEscape(from start: Int) throws(LanguageError) -> Unicode.Scalar {
        var number: UInt32 = 0
        var count = 0
        if peek() == UInt8(ascii: "{") {
            position += 1
            while count < 8, let digit = Lexer.digit(peek()) {
                number = number << 4 | UInt32(digit)
                count += 1
                position += 1
            }
        }
        guard count > 0, peek() == UInt8(ascii: "}"), let scalar = Unicode.Scalar(number) else {
            throw failure(
                .badString, found: #"a broken \u{…}"#,
                want: #"1 to 8 hexadecimal digits of a Unicode scalar, such as \u{20AC}"#, start,
                min(position + 1, bytes.count))
        }
        position += 1
        return scalar
    }
}
