// SPDX-License-Identifier: Apache-2.0
// The smallest parts of an expression.

/// One token of an expression.
struct Token: Hashable {
    enum Kind: Hashable {
        /// A name, without the backticks that it may have stood in.
        case name(String)
        /// A `#name` that stands for something of the hit itself.
        case context(String)
        /// A whole number; the sign is an operator.
        case integer(UInt64)
        /// A number with a fraction or an exponent.
        case floating(Double)
        /// A string literal's value.
        case string(String)
        /// An operator or a bracket.
        case symbol(Symbol)
        /// The end of the text.
        case end
    }

    var kind: Kind
    var span: SourceSpan
    /// Whether white space, or the beginning, stands before it: `a ? b` differs from `a?`.
    var followsSpace: Bool

    /// The token as an error shows it.
    var found: String {
        switch kind {
        case .name(let name): "`\(name)`"
        case .context(let name): "`#\(name)`"
        case .integer(let value): "the number \(value)"
        case .floating(let value): "the number \(value)"
        case .string: "a string"
        case .symbol(let symbol): "`\(symbol.rawValue)`"
        case .end: "the end"
        }
    }
}

/// Operators and brackets, the longer ones first: `<<` is not two `<`.
enum Symbol: String, Hashable, CaseIterable {
    case notIdentical = "!=="
    case identical = "==="
    case range = "..."
    case halfOpenRange = "..<"
    case and = "&&"
    case or = "||"
    case nilCoalescing = "??"
    case equal = "=="
    case notEqual = "!="
    case lessOrEqual = "<="
    case greaterOrEqual = ">="
    case shiftLeft = "<<"
    case shiftRight = ">>"
    case wrappingAdd = "&+"
    case wrappingSubtract = "&-"
    case wrappingMultiply = "&*"
    case arrow = "->"
    case plusAssign = "+="
    case minusAssign = "-="
    case less = "<"
    case greater = ">"
    case assign = "="
    case plus = "+"
    case minus = "-"
    case times = "*"
    case divide = "/"
    case remainder = "%"
    case bitAnd = "&"
    case bitOr = "|"
    case bitXor = "^"
    case bitNot = "~"
    case not = "!"
    case question = "?"
    case colon = ":"
    case dot = "."
    case comma = ","
    case semicolon = ";"
    case at = "@"
    case backslash = "\\"
    case openParenthesis = "("
    case closeParenthesis = ")"
    case openBracket = "["
    case closeBracket = "]"
    case openBrace = "{"
    case closeBrace = "}"

    /// The bytes of each symbol, in the order in which they are tried.
    static let spellings: [(symbol: Symbol, bytes: [UInt8])] = allCases.map {
        ($0, Array($0.rawValue.utf8))
    }
}
