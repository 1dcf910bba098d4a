// SPDX-License-Identifier: Apache-2.0
// Says what is wrong with a token in a way that leads to the right expression.

extension ExpressionParser {
    /// The token cannot follow an expression.
    func unexpected(after expression: Expression) -> LanguageError {
        let before = lexer.source.excerpt(expression.span)
        switch token.kind {
        case .symbol(.assign):
            return failure(
                .unsupported, found: "`=`", want: "`==` to compare; probes change nothing",
                token.span)
        case .symbol(.plusAssign), .symbol(.minusAssign):
            return failure(
                .unsupported, found: token.found, want: "an expression that changes nothing",
                token.span)
        case .symbol(.identical), .symbol(.notIdentical):
            return failure(
                .unsupported, found: token.found,
                want: "`==` or `!=`, which compare objects by identity", token.span)
        case .symbol(.range), .symbol(.halfOpenRange):
            return failure(
                .unsupported, found: "a range",
                want: "two comparisons, such as `x >= 1 && x < 10`", token.span)
        case .symbol(.closeParenthesis), .symbol(.closeBracket), .symbol(.closeBrace):
            return failure(
                .unbalanced, found: "\(token.found) that was never opened",
                want: "an operator or the end", token.span)
        case .symbol(.openBrace):
            return failure(
                .unsupported, found: "a closure",
                want: "values that can be read without running code", token.span)
        case .symbol(.openParenthesis):
            return failure(
                .unsupported, found: "a call of `\(before)`",
                want: "values that can be read without running the program's code", token.span)
        case .symbol(.question):
            return failure(
                .unexpectedToken, found: "`?`",
                want: "`a ? b : c` with blanks around `?`, or `a?.b` without", token.span)
        case .name(let word) where ForeignWord.remedy(for: word) != nil:
            return failure(
                .unsupported, found: token.found,
                want: ForeignWord.remedy(for: word) ?? "an operator", token.span)
        default:
            return failure(
                .unexpectedToken, found: "\(token.found) behind `\(before)`",
                want: "an operator, such as `==`, or the end", token.span)
        }
    }

    /// The token cannot begin a value.
    func noValue() -> LanguageError {
        switch token.kind {
        case .symbol(.openBracket):
            failure(
                .unsupported, found: "an array literal",
                want: "comparisons with `||`, such as `x == 1 || x == 2`", token.span)
        case .symbol(.openBrace):
            failure(
                .unexpectedToken, found: "`{`",
                want: "a value; `{{` stands for a brace in the text", token.span)
        case .symbol(.closeBrace):
            failure(
                .emptyExpression, found: "`}` where a value is missing",
                want: "a value before it", token.span)
        case .symbol(.backslash):
            failure(
                .unsupported, found: "a key path", want: "a member, such as `bet.id`", token.span)
        case .symbol(.bitAnd):
            failure(
                .unsupported, found: "`&` before a value",
                want: "the value itself: a variable's address cannot be asked for", token.span)
        case .symbol(.times):
            failure(
                .unsupported, found: "`*` before a value",
                want: "`pointer.pointee` or `pointer[0]`", token.span)
        default:
            failure(
                .unexpectedToken, found: "\(token.found) where a value is missing",
                want: "a name, a literal or an expression in parentheses", token.span)
        }
    }
}

/// Words that other languages, or Swift outside expressions, would have.
enum ForeignWord {
    /// What to write instead, or `nil` for a name like any other.
    static func remedy(for word: String) -> String? {
        switch word {
        case "and", "AND": "`&&`"
        case "or", "OR": "`||`"
        case "not", "NOT": "`!`"
        case "null", "NULL", "None", "nullptr", "undefined": "`nil`"
        case "True", "TRUE": "`true`"
        case "False", "FALSE": "`false`"
        case "this": "`self`"
        case "super": "`self`, whose members include inherited ones"
        case "try", "await": "a value that can be read without calling anything"
        case "as", "is": "a value as its declared type; casts are not part of the language"
        case "if", "switch", "case", "let", "var", "guard", "for", "while", "func", "return",
            "in":
            "an expression; statements are not part of the language"
        default: nil
        }
    }
}
