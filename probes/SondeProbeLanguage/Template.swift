// SPDX-License-Identifier: Apache-2.0
// A log point's text: plain parts, and expressions in braces.

/// A log point's text, taken apart.
package struct Template: Hashable, Sendable {
    /// One part of a template.
    package enum Segment: Hashable, Sendable {
        /// Text as it is printed.
        case text(String)
        /// An expression's value, and how it is printed.
        case value(Expression, format: FormatSpecification?)
    }

    /// What was typed.
    package var source: SourceText
    /// The parts in their order; no two texts follow each other.
    package var segments: [Segment]

    /// Takes a template apart: `{expression}`, `{expression:format}`, `{{` and `}}` for braces.
    ///
    /// - Throws: ``LanguageError`` with the first mistake.
    package init(
        parsing text: String, limits: LanguageLimits = LanguageLimits()
    ) throws(LanguageError) {
        source = SourceText(text, role: .template)
        segments = []
        var lexer = Lexer(source)
        let size = lexer.bytes.count
        guard size <= limits.textBytes else {
            throw lexer.failure(
                .tooLarge, found: "\(size) bytes", want: "at most \(limits.textBytes)", 0, size)
        }
        var plain: [UInt8] = []
        let open = UInt8(ascii: "{"), close = UInt8(ascii: "}")
        while lexer.position < size {
            let byte = lexer.peek()
            if byte == open || byte == close, lexer.peek(1) == byte {
                plain.append(byte)
                lexer.position += 2
            } else if byte == close {
                throw lexer.failure(
                    .unbalanced, found: "`}` that was never opened",
                    want: "`}}` for a brace in the text", lexer.position, lexer.position + 1)
            } else if byte == open {
                try append(text: &plain, limits, lexer)
                segments.append(try Self.value(&lexer, limits))
                try checkCount(limits, lexer)
            } else {
                plain.append(byte)
                lexer.position += 1
            }
        }
        try append(text: &plain, limits, lexer)
    }

    private mutating func append(
        text: inout [UInt8], _ limits: LanguageLimits, _ lexer: Lexer
    ) throws(LanguageError) {
        guard !text.isEmpty else { return }
        segments.append(.text(String(decoding: text, as: UTF8.self)))
        text = []
        try checkCount(limits, lexer)
    }

    private func checkCount(_ limits: LanguageLimits, _ lexer: Lexer) throws(LanguageError) {
        guard segments.count > limits.segments else { return }
        throw lexer.failure(
            .tooLarge, found: "more than \(limits.segments) parts", want: "a shorter template",
            0, lexer.bytes.count)
    }

    /// A value in braces; the position stands on the opening one and ends behind the closing one.
    private static func value(
        _ lexer: inout Lexer, _ limits: LanguageLimits
    ) throws(LanguageError) -> Segment {
        let start = lexer.position
        lexer.position += 1
        var parser = try ExpressionParser(lexer, limits: limits)
        if parser.token.kind == .symbol(.closeBrace) {
            throw parser.failure(
                .emptyExpression, found: "`{}`",
                want: "an expression between the braces, or `{{}}` for braces in the text",
                SourceSpan(start, parser.token.span.end))
        }
        if parser.token.kind == .end { throw parser.unclosed(start) }
        let expression = try parser.expression()
        switch parser.token.kind {
        case .symbol(.closeBrace):
            lexer.position = parser.token.span.end
            return .value(expression, format: nil)
        case .symbol(.colon):
            let begin = parser.token.span.end
            guard let end = lexer.bytes[begin...].firstIndex(of: UInt8(ascii: "}")) else {
                throw parser.unclosed(start)
            }
            let format = try FormatSpecification(SourceSpan(begin, end), in: lexer)
            lexer.position = end + 1
            return .value(expression, format: format)
        case .end:
            throw parser.unclosed(start)
        default:
            throw parser.unexpected(after: expression)
        }
    }
}

extension ExpressionParser {
    fileprivate func unclosed(_ start: Int) -> LanguageError {
        failure(
            .unbalanced, found: "`{` without its `}`",
            want: "a `}` behind the expression, or `{{` for a brace in the text",
            SourceSpan(start, lexer.bytes.count))
    }
}
