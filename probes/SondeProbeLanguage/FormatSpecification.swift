// SPDX-License-Identifier: Apache-2.0
// What may stand behind the colon of a template's value: width, alignment, precision, base.

/// How a template's value is to be printed: `[<>^][0][width][.precision][f|e|x|X|o|b]`.
package struct FormatSpecification: Hashable, Sendable {
    /// On which side of its width a value stands.
    package enum Alignment: String, Hashable, Sendable {
        case left = "<"
        case right = ">"
        case center = "^"
    }

    /// The notation of a number.
    package enum Notation: String, Hashable, Sendable {
        /// A fixed count of digits behind the point.
        case fixed = "f"
        /// With an exponent.
        case exponent = "e"
        /// Lower-case hexadecimal.
        case hex = "x"
        /// Upper-case hexadecimal.
        case upperHex = "X"
        /// Octal.
        case octal = "o"
        /// Binary.
        case binary = "b"
    }

    /// The side, or `nil` for the type's own: numbers right, the rest left.
    package var alignment: Alignment?
    /// Whether zeros instead of blanks fill a number's width.
    package var zeroFilled = false
    /// The least characters, or `nil` for as many as needed.
    package var width: Int?
    /// Digits behind the point, or a text's most characters.
    package var precision: Int?
    /// The notation, or `nil` for the type's own.
    package var notation: Notation?
    /// Where it stands in the template.
    package var span: SourceSpan

    /// The most characters of a width, and the most digits of a precision.
    package static let largestWidth = 256, largestPrecision = 64

    /// Reads what stands between the colon and the closing brace.
    init(_ span: SourceSpan, in lexer: Lexer) throws(LanguageError) {
        self.span = span
        var rest = lexer.bytes[span.start..<span.end]
        while rest.first == 0x20 { rest.removeFirst() }
        while rest.last == 0x20 { rest.removeLast() }
        let isEmpty = rest.isEmpty
        if let alignment = rest.first.flatMap({ Alignment(rawValue: Self.letter($0)) }) {
            self.alignment = alignment
            rest.removeFirst()
        }
        if rest.first == UInt8(ascii: "0"), rest.count > 1 {
            zeroFilled = true
            rest.removeFirst()
        }
        width = Self.number(&rest)
        var hasPrecision = true
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            precision = Self.number(&rest)
            hasPrecision = precision != nil
        }
        if let notation = rest.first.flatMap({ Notation(rawValue: Self.letter($0)) }) {
            self.notation = notation
            rest.removeFirst()
        }
        guard rest.isEmpty, !isEmpty, hasPrecision, (width ?? 0) <= Self.largestWidth,
            (precision ?? 0) <= Self.largestPrecision
        else {
            throw lexer.failure(
                .badFormat, found: "the format `\(lexer.source.excerpt(span))`",
                want: "a width, a precision and a letter of f e x X o b, such as `.2f`, `x` or "
                    + "`>10`; at most \(Self.largestWidth) wide and \(Self.largestPrecision) "
                    + "digits", span.start, span.end)
        }
    }

    private static func letter(_ byte: UInt8) -> String { String(Unicode.Scalar(byte)) }

    /// Up to four digits.
    private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int? {
        var value: Int?
        while let byte = bytes.first, Lexer.isDigit(byte), (value ?? 0) < 1000 {
            value = (value ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
            bytes.removeFirst()
        }
        return value
    }
}

extension FormatSpecification: CustomStringConvertible {
    /// The format in its shortest spelling.
    package var description: String {
        (alignment?.rawValue ?? "") + (zeroFilled ? "0" : "") + (width.map { "\($0)" } ?? "")
            + (precision.map { ".\($0)" } ?? "") + (notation?.rawValue ?? "")
    }
}
