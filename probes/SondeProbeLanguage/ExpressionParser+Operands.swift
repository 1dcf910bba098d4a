// SPDX-License-Identifier: Apache-2.0
// Parses what stands between operators: literals, names, brackets, and what hangs on them.

extension ExpressionParser {
    /// An operand with the operators directly before it.
    mutating func prefixed() throws(LanguageError) -> Expression {
        guard case .symbol(let symbol) = token.kind else { return try postfixed() }
        let op: Expression.Unary
        switch symbol {
        case .minus: op = .negate
        case .plus: op = .plus
        case .not: op = .not
        case .bitNot: op = .bitNot
        default: return try postfixed()
        }
        let start = token.span
        try enter()
        defer { nestingLeft() }
        try advance()
        let operand = try prefixed()
        return try node(.unary(op, operand), start.through(operand.span), [operand])
    }

    /// An operand with the members, indices and marks behind it.
    private mutating func postfixed() throws(LanguageError) -> Expression {
        var value = try primary()
        var isChain = false
        loop: while true {
            switch token.kind {
            case .symbol(.dot):
                value = try member(of: value)
            case .symbol(.question) where !token.followsSpace:
                value = try node(
                    .unwrapOrEnd(value), value.span.through(token.span), [value])
                isChain = true
                try advance()
            case .symbol(.not) where !token.followsSpace:
                value = try node(.unwrap(value), value.span.through(token.span), [value])
                try advance()
            case .symbol(.openBracket) where !token.followsSpace:
                value = try index(of: value)
            default:
                break loop
            }
        }
        return isChain ? try node(.chain(value), value.span, [value]) : value
    }

    private mutating func primary() throws(LanguageError) -> Expression {
        let start = token
        switch token.kind {
        case .integer(let value):
            try advance()
            return try node(.integer(value), start.span)
        case .floating(let value):
            try advance()
            return try node(.floating(value), start.span)
        case .string(let value):
            try advance()
            return try node(.string(value), start.span)
        case .name(let name):
            return try named(name)
        case .context(let name):
            guard let value = ContextValue(rawValue: name) else {
                throw failure(
                    .unsupported, found: start.found, want: "one of \(ContextValue.list)",
                    start.span)
            }
            try advance()
            return try node(.context(value), start.span)
        case .symbol(.openParenthesis):
            return try parenthesized()
        case .symbol(.dot):
            return try implicitMember()
        case .symbol, .end:
            throw noValue()
        }
    }

    private mutating func named(_ name: String) throws(LanguageError) -> Expression {
        let span = token.span
        let isQuoted = lexer.bytes[span.start] == UInt8(ascii: "`")
        if !isQuoted, let want = ForeignWord.remedy(for: name) {
            throw failure(.unsupported, found: token.found, want: want, span)
        }
        try advance()
        if !isQuoted {
            switch name {
            case "true": return try node(.boolean(true), span)
            case "false": return try node(.boolean(false), span)
            case "nil": return try node(.none, span)
            default: break
            }
        }
        guard token.kind == .symbol(.openParenthesis), !token.followsSpace else {
            return try node(.name(name), span)
        }
        let arguments = try arguments(of: name)
        guard arguments.count == 1, let argument = arguments.first else {
            throw failure(
                .unsupported, found: "a call of `\(name)`",
                want: "values that can be read without running the program's code",
                span.through(SourceSpan(lastEnd, lastEnd)))
        }
        return try node(
            .convert(.init(name, span), argument),
            span.through(SourceSpan(lastEnd, lastEnd)), [argument])
    }

    private mutating func parenthesized() throws(LanguageError) -> Expression {
        let open = token.span
        try advance()
        if case .symbol(.closeParenthesis) = token.kind { throw noValue() }
        let inner = try expression()
        if case .symbol(.comma) = token.kind {
            throw failure(
                .unsupported, found: "a tuple", want: "one value between parentheses",
                open.through(token.span))
        }
        try close(.closeParenthesis, open: open, after: inner)
        var whole = inner
        whole.span = open.through(SourceSpan(lastEnd, lastEnd))
        return whole
    }

    private mutating func implicitMember() throws(LanguageError) -> Expression {
        let dot = token.span
        try advance()
        guard case .name(let name) = token.kind else {
            throw failure(
                .unexpectedToken, found: "\(token.found) behind `.`",
                want: "the name of an enum case, such as `.won`", token.span)
        }
        let span = dot.through(token.span)
        try advance()
        if token.kind == .symbol(.openParenthesis), !token.followsSpace {
            throw failure(
                .unsupported, found: "an enum case with a payload",
                want: "the case alone: `== .\(name)` asks for the case, whatever its payload",
                span.through(token.span))
        }
        return try node(.implicitMember(name), span)
    }

    /// What hangs on a dot; the token is the dot.
    private mutating func member(of base: Expression) throws(LanguageError) -> Expression {
        try advance()
        let place = token.span
        switch token.kind {
        case .integer(let index):
            guard index < 1024 else {
                throw failure(
                    .badNumber, found: "element \(index) of a tuple", want: "a smaller number",
                    place)
            }
            try advance()
            return try node(.element(base, Int(index)), base.span.through(place), [base])
        case .name(let name):
            try advance()
            let span = base.span.through(place)
            guard token.kind == .symbol(.openParenthesis), !token.followsSpace else {
                return try node(.member(base, .init(name, place)), span, [base])
            }
            let arguments = try arguments(of: name)
            return try node(
                .call(base, .init(name, place), arguments),
                span.through(SourceSpan(lastEnd, lastEnd)), [base] + arguments)
        default:
            throw failure(
                .unexpectedToken, found: "\(token.found) behind `.`",
                want: "a member's name, or an element's number", place)
        }
    }

    /// The arguments of a call; the token is the opening parenthesis.
    private mutating func arguments(of name: String) throws(LanguageError) -> [Expression] {
        let open = token.span
        try advance()
        var arguments: [Expression] = []
        if case .symbol(.closeParenthesis) = token.kind {
            try advance()
            return []
        }
        while true {
            let argument = try expression()
            if case .symbol(.colon) = token.kind {
                throw failure(
                    .unsupported,
                    found: "a call with the label `\(lexer.source.excerpt(argument.span)):`",
                    want: "one of .hasPrefix(\"…\"), .hasSuffix(\"…\"), .contains(\"…\")",
                    argument.span.through(token.span))
            }
            arguments.append(argument)
            guard case .symbol(.comma) = token.kind else { break }
            try advance()
        }
        try close(.closeParenthesis, open: open, after: arguments[arguments.count - 1])
        return arguments
    }

    private mutating func index(of base: Expression) throws(LanguageError) -> Expression {
        let open = token.span
        try advance()
        let index = try expression()
        try close(.closeBracket, open: open, after: index)
        return try node(
            .index(base, index), base.span.through(SourceSpan(lastEnd, lastEnd)), [base, index])
    }

    /// Takes a closing bracket.
    private mutating func close(
        _ symbol: Symbol, open: SourceSpan, after expression: Expression
    ) throws(LanguageError) {
        if token.kind == .symbol(symbol) { return try advance() }
        if case .end = token.kind {
            throw failure(
                .unbalanced,
                found: "`\(lexer.source.excerpt(open))` without its `\(symbol.rawValue)`",
                want: "a `\(symbol.rawValue)` behind the expression", open)
        }
        throw unexpected(after: expression)
    }
}
