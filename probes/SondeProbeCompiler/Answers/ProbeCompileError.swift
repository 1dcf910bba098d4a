// SPDX-License-Identifier: Apache-2.0
// Why a probe is refused, in a form that HTTP, the command line and the log print alike.

package import SondeProbeLanguage

/// Why a probe is refused.
package struct ProbeCompileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of refusal it is; stable, for programs.
    ///
    /// A mistake in a template's or condition's syntax has its ``LanguageError/Code``.
    package struct Code: RawRepresentable, Hashable, Sendable {
        /// The code's spelling.
        package var rawValue: String

        /// A code from its spelling.
        package init(rawValue: String) { self.rawValue = rawValue }

        /// The location is neither a line, a function nor an address.
        package static let badLocation = Code(rawValue: "bad_location")
        /// The image has no such source file.
        package static let unknownFile = Code(rawValue: "unknown_file")
        /// Several source files end in the given path.
        package static let ambiguousFile = Code(rawValue: "ambiguous_file")
        /// The line has no code of its own.
        package static let noCodeOnLine = Code(rawValue: "no_code_on_line")
        /// The image has no such function.
        package static let unknownFunction = Code(rawValue: "unknown_function")
        /// No statement begins at the address.
        package static let unknownAddress = Code(rawValue: "unknown_address")
        /// The image has no build id, or no debug info.
        package static let noDebugInfo = Code(rawValue: "no_debug_info")
        /// More addresses than a probe may have.
        package static let tooManySites = Code(rawValue: "too_many_sites")
        /// No variable or member has this name.
        package static let unknownName = Code(rawValue: "unknown_name")
        /// The variable is declared further down.
        package static let notYetDeclared = Code(rawValue: "not_yet_declared")
        /// The variable exists but its value is nowhere.
        package static let unavailable = Code(rawValue: "unavailable")
        /// The types do not fit.
        package static let wrongType = Code(rawValue: "wrong_type")
        /// The type's contents cannot be read.
        package static let unreadableType = Code(rawValue: "unreadable_type")
        /// The expression needs more registers than there are.
        package static let tooDeep = Code(rawValue: "too_deep")
        /// The program would cost more than a hit may.
        package static let overBudget = Code(rawValue: "over_budget")
        /// The compiler made a program that its own verifier refuses.
        package static let internalError = Code(rawValue: "internal_error")
    }

    /// What kind of refusal it is.
    package var code: Code
    /// The whole sentence: what cannot be done, what was found, what is wanted.
    package var message: String
    /// Which text the place is in, if it is in one.
    package var role: SourceText.Role?
    /// Where the mistake is in that text.
    package var span: SourceSpan?
    /// The column of the mistake in its line, from 1.
    package var column: Int?
    /// The line of text with a mark below the mistake.
    package var caret: String?
    /// What probably was meant: names, files, functions.
    package var suggestions: [String] = []
    /// What can be named at the place.
    package var names: [ReadableName] = []
    /// The nearest lines where it would work.
    package var nearestLines: [UInt32] = []

    /// A refusal without a place in a text.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// A refusal of a place in a text.
    init(_ code: Code, _ message: String, at span: SourceSpan, in source: SourceText) {
        self.init(code, message)
        role = source.role
        self.span = span
        column = source.column(of: span.start)
        caret = source.caret(span)
    }

    /// A mistake of syntax.
    package init(_ error: LanguageError) {
        self.init(
            Code(rawValue: error.code.rawValue), error.description, at: error.span,
            in: error.source)
    }

    static func badLocation(_ text: String) -> Self {
        let shown = text.count > 80 ? String(text.prefix(79)) + "…" : text
        return Self(
            .badLocation,
            "cannot read the location: found `\(shown)`; want FILE:LINE, Type.method or "
                + "0xADDRESS@BUILD-ID")
    }

    /// The message, the caret, and what is offered instead, as a terminal shows them.
    package var description: String {
        var lines = [message]
        if let caret { lines += caret.split(separator: "\n").map { "  \($0)" } }
        if !suggestions.isEmpty {
            lines.append("did you mean: " + suggestions.joined(separator: ", "))
        }
        if !nearestLines.isEmpty {
            lines.append(
                "nearest lines: " + nearestLines.map { "\($0)" }.joined(separator: ", "))
        }
        if !names.isEmpty {
            lines.append(
                "can be read here: "
                    + names.map { "\($0.name): \($0.type)" }.joined(separator: ", "))
        }
        return lines.joined(separator: "\n")
    }
}

/// A name that an expression can use, and its type.
package struct ReadableName: Hashable, Sendable {
    /// The name.
    package var name: String
    /// Its type, as people write it.
    package var type: String

    /// A name from its parts.
    package init(name: String, type: String) {
        self.name = name
        self.type = type
    }
}
