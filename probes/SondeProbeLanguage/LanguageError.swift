// SPDX-License-Identifier: Apache-2.0
// Why a template or a condition cannot be read: what was found, what is wanted, and where.

/// Why a template or a condition cannot be read.
package struct LanguageError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of mistake it is; stable, for programs.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        /// There is no expression where one is needed.
        case emptyExpression = "empty_expression"
        /// Something else stands where a value, an operator or a bracket is needed.
        case unexpectedToken = "unexpected_token"
        /// A character that the language does not know.
        case unexpectedCharacter = "unexpected_character"
        /// A bracket or a brace that is never closed, or never opened.
        case unbalanced = "unbalanced"
        /// A string without its closing quote, or with an escape that does not exist.
        case badString = "bad_string"
        /// A number that cannot be read or does not fit into 64 bits.
        case badNumber = "bad_number"
        /// A format after the colon that does not exist.
        case badFormat = "bad_format"
        /// Something of Swift, or of another language, that probes do not have.
        case unsupported = "unsupported"
        /// Operators without a fixed order, such as `a < b < c`.
        case ambiguousOperators = "ambiguous_operators"
        /// More than the limits allow.
        case tooLarge = "too_large"
    }

    /// What kind of mistake it is.
    package var code: Code
    /// What was found, without a full stop.
    package var found: String
    /// What is wanted instead, or what to do.
    package var want: String
    /// Where it was found.
    package var span: SourceSpan
    /// The text that holds it.
    package var source: SourceText

    /// The whole sentence, which every end prints alike.
    package var description: String {
        let column = source.column(of: span.start)
        return "cannot read the \(source.role.rawValue): found \(found) at column \(column); "
            + "want \(want)"
    }

    /// The line with a mark below the place.
    package var caret: String { source.caret(span) }
}
