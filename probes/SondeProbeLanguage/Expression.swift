// SPDX-License-Identifier: Apache-2.0
// The syntax tree of an expression, with the place of each part in its text.

/// One part of an expression's syntax tree.
package struct Expression: Hashable, Sendable {
    /// What the part is.
    package var kind: Kind
    /// Where it stands in its text.
    package var span: SourceSpan
    /// How deeply it is nested: 1 for a name or a literal.
    package var depth: Int

    /// What a part of an expression is.
    package indirect enum Kind: Hashable, Sendable {
        /// A whole number; a sign before it is ``Unary/negate``.
        case integer(UInt64)
        /// A number with a fraction or an exponent.
        case floating(Double)
        /// A string.
        case string(String)
        /// `true` or `false`.
        case boolean(Bool)
        /// `nil`.
        case none
        /// A variable, or a member of `self`.
        case name(String)
        /// A value of the hit itself: `#thread`.
        case context(ContextValue)
        /// A name behind a bare dot, such as the enum case `.won`.
        case implicitMember(String)
        /// `base.name`.
        case member(Expression, Name)
        /// `base.0`, an element of a tuple.
        case element(Expression, Int)
        /// `base?`; what hangs on it ends at the ``chain(_:)`` around it.
        case unwrapOrEnd(Expression)
        /// A chain with a `?` in it: `nil` when one of them found `nil`.
        case chain(Expression)
        /// `base!`.
        case unwrap(Expression)
        /// `base[index]`.
        case index(Expression, Expression)
        /// `base.method(argument, ...)`.
        case call(Expression, Name, [Expression])
        /// `Int(x)`: a conversion by its type's name.
        case convert(Name, Expression)
        /// An operator before its operand.
        case unary(Unary, Expression)
        /// An operator between its operands.
        case binary(Binary, Expression, Expression)
        /// `condition ? first : second`.
        case conditional(Expression, Expression, Expression)
    }

    /// A name and where it stands.
    package struct Name: Hashable, Sendable {
        /// The name.
        package var text: String
        /// Where it stands.
        package var span: SourceSpan

        /// A name from its parts.
        package init(_ text: String, _ span: SourceSpan) {
            self.text = text
            self.span = span
        }
    }

    /// An operator before its operand.
    package enum Unary: String, Hashable, Sendable {
        /// The number below zero.
        case negate = "-"
        /// Nothing happens.
        case plus = "+"
        /// True for false.
        case not = "!"
        /// Every bit turned.
        case bitNot = "~"
    }

    /// An operator between two operands.
    package enum Binary: String, Hashable, Sendable {
        case shiftLeft = "<<"
        case shiftRight = ">>"
        case multiply = "*"
        case divide = "/"
        case remainder = "%"
        case bitAnd = "&"
        case wrappingMultiply = "&*"
        case add = "+"
        case subtract = "-"
        case bitOr = "|"
        case bitXor = "^"
        case wrappingAdd = "&+"
        case wrappingSubtract = "&-"
        case nilCoalescing = "??"
        case equal = "=="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case and = "&&"
        case or = "||"
    }
}

extension Expression: CustomStringConvertible {
    /// The tree in prefix form, such as `(&& (> a 1) b)`.
    package var description: String {
        switch kind {
        case .integer(let value): "\(value)"
        case .floating(let value): "\(value)"
        case .string(let value): value.debugDescription
        case .boolean(let value): "\(value)"
        case .none: "nil"
        case .name(let name): name
        case .context(let value): "#\(value.rawValue)"
        case .implicitMember(let name): ".\(name)"
        case .member(let base, let name): "(. \(base) \(name.text))"
        case .element(let base, let index): "(. \(base) \(index))"
        case .unwrapOrEnd(let base): "(? \(base))"
        case .chain(let base): "(chain \(base))"
        case .unwrap(let base): "(! \(base))"
        case .index(let base, let index): "([] \(base) \(index))"
        case .call(let base, let name, let arguments):
            "(call \(base) \(name.text)" + arguments.map { " \($0)" }.joined() + ")"
        case .convert(let type, let value): "(\(type.text) \(value))"
        case .unary(let op, let value): "(\(op == .not ? "not" : op.rawValue) \(value))"
        case .binary(let op, let left, let right): "(\(op.rawValue) \(left) \(right))"
        case .conditional(let condition, let first, let second):
            "(if \(condition) \(first) \(second))"
        }
    }
}
