// SPDX-License-Identifier: Apache-2.0
// What a part of an expression has become while code is made: often nothing is loaded yet.

import SondeProbeLanguage
import SondeSymbols

/// The value of a part of an expression, as late as possible.
indirect enum Operand {
    /// A literal, whose type depends on what it meets.
    case integer(IntegerLiteral)
    case floating(Double)
    case text(String)
    case none
    /// `.won`
    case caseName(String)
    /// A value in a register.
    case scalar(ScalarType, Register)
    /// A value that was not loaded yet.
    case place(BytePlace, TypeLayout)
    /// Whether there is a value, in a register; and the value, to be loaded only if there is.
    case optional(presence: Register, payload: Operand)
    /// A string in a span register.
    case span(Register)
    /// A trace id in two registers, the low byte first.
    case trace(Register, Register)
}

/// Why an expression cannot be compiled at one site.
enum SiteFailure: Error {
    /// A mistake that nothing at run time can mend.
    case mistake(ProbeCompileError.Code, found: String, want: String, SourceSpan)
    /// No variable and no member of `self` has the name.
    case unknownName(String, SourceSpan)
    /// The type has no such member; the names that it has.
    case unknownMember(String, type: String, members: [String], SourceSpan)
    /// The variable's value, or the part that is needed, is nowhere.
    case unavailable(String, reason: String, SourceSpan)

    /// Why a value cannot be shown at a site whose line can be probed otherwise.
    var reason: String {
        switch self {
        case .mistake(_, let found, _, _): found
        case .unknownName(let name, _): "no \(name) here"
        case .unknownMember(let name, let type, _, _): "\(type) has no \(name)"
        case .unavailable(_, let reason, _): reason
        }
    }
}
