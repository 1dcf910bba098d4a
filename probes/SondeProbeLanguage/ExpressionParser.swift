// SPDX-License-Identifier: Apache-2.0
// Parses Swift's expression syntax, as far as it only reads, by operator precedence.

/// Parses one expression.
///
/// Time and memory are linear in the text; nesting and size are bounded by ``LanguageLimits``.
package struct ExpressionParser {
    let limits: LanguageLimits
    var lexer: Lexer
    /// The next token, which is looked at before it is taken.
    var token: Token
    /// Where the last token that was taken ends.
    var lastEnd: Int
    private var nodes = 0
    private var nesting = 0

    /// Leaves a level that ``enter()`` counted.
    mutating func nestingLeft() { nesting -= 1 }

    init(_ lexer: Lexer, limits: LanguageLimits) throws(LanguageError) {
        self.limits = limits
        self.lexer = lexer
        self.lastEnd = lexer.position
        self.token = try self.lexer.next()
    }

    /// Parses a text that is one expression.
    ///
    /// - Throws: ``LanguageError`` with the first mistake.
    package static func parse(
        _ source: SourceText, limits: LanguageLimits = LanguageLimits()
    ) throws(LanguageError) -> Expression {
        let size = source.text.utf8.count
        guard size <= limits.textBytes else {
            throw LanguageError(
                code: .tooLarge, found: "\(size) bytes", want: "at most \(limits.textBytes)",
                span: SourceSpan(0, size), source: source)
        }
        var parser = try ExpressionParser(Lexer(source), limits: limits)
        guard parser.token.kind != .end else {
            throw parser.failure(
                .emptyExpression, found: "nothing",
                want: "an expression, such as `total > 100`", parser.token.span)
        }
        let expression = try parser.expression()
        guard parser.token.kind == .end else { throw parser.unexpected(after: expression) }
        return expression
    }

    /// An expression with all its operators, up to a token that cannot belong to it.
    mutating func expression(above level: Int = 0) throws(LanguageError) -> Expression {
        try enter()
        defer { nesting -= 1 }
        var left = try prefixed()
        var chained: (level: Int, op: String)?
        while true {
            if let op = binaryOperator {
                let precedence = Precedence(of: op)
                guard precedence.level > level else { return left }
                if let chained, chained.level == precedence.level,
                    precedence.associativity == .none
                {
                    throw unordered(chained.op, op.rawValue)
                }
                chained = (precedence.level, op.rawValue)
                try advance()
                let isRight = precedence.associativity == .right
                let right = try operand(
                    of: op, above: isRight ? precedence.level - 1 : precedence.level)
                left = try node(
                    .binary(op, left, right), left.span.through(right.span), [left, right])
            } else if isTernary, Precedence.ternary.level > level {
                left = try ternary(left)
            } else {
                return left
            }
        }
    }

    private mutating func operand(
        of op: Expression.Binary, above level: Int
    ) throws(LanguageError) -> Expression {
        if case .end = token.kind {
            throw failure(
                .unexpectedToken, found: "the end behind `\(op.rawValue)`",
                want: "a value on its right side", token.span)
        }
        return try expression(above: level)
    }

    private var binaryOperator: Expression.Binary? {
        guard case .symbol(let symbol) = token.kind else { return nil }
        return Expression.Binary(rawValue: symbol.rawValue)
    }

    private var isTernary: Bool { token.kind == .symbol(.question) && token.followsSpace }

    private mutating func ternary(_ condition: Expression) throws(LanguageError) -> Expression {
        let question = token.span
        try advance()
        let first = try expression()
        guard token.kind == .symbol(.colon) else {
            throw failure(
                .unexpectedToken, found: "\(token.found) behind `?`",
                want: "`condition ? value : other value`", question)
        }
        try advance()
        let second = try expression(above: Precedence.ternary.level - 1)
        return try node(
            .conditional(condition, first, second), condition.span.through(second.span),
            [condition, first, second])
    }

    private func unordered(_ first: String, _ second: String) -> LanguageError {
        let isShift = first == "<<" || first == ">>"
        return failure(
            .ambiguousOperators, found: "`\(first)` and `\(second)` beside each other",
            want: isShift
                ? "parentheses, such as `(a << b) << c`"
                : "two comparisons with `&&`, such as `a < b && b < c`", token.span)
    }

    // MARK: - Tokens

    /// Takes the token and looks at the next one.
    mutating func advance() throws(LanguageError) {
        lastEnd = token.span.end
        token = try lexer.next()
    }

    func failure(
        _ code: LanguageError.Code, found: String, want: String, _ span: SourceSpan
    ) -> LanguageError {
        LanguageError(code: code, found: found, want: want, span: span, source: lexer.source)
    }

    // MARK: - Nodes

    /// Makes a node and counts it.
    mutating func node(
        _ kind: Expression.Kind, _ span: SourceSpan, _ children: [Expression] = []
    ) throws(LanguageError) -> Expression {
        nodes += 1
        let depth = 1 + (children.map(\.depth).max() ?? 0)
        guard nodes <= limits.nodes, depth <= limits.depth else {
            throw failure(
                .tooLarge,
                found: "an expression of more than "
                    + (nodes > limits.nodes ? "\(limits.nodes) parts" : "\(limits.depth) levels"),
                want: "a smaller one", span)
        }
        return Expression(kind: kind, span: span, depth: depth)
    }

    /// Counts a level of brackets or prefixes; the caller leaves it.
    mutating func enter() throws(LanguageError) {
        guard nesting < limits.nesting else {
            throw failure(
                .tooLarge, found: "more than \(limits.nesting) levels of brackets and operators",
                want: "a smaller expression", token.span)
        }
        nesting += 1
    }
}
