// SPDX-License-Identifier: Apache-2.0
// Why a program is refused.

internal import SondeWire

/// Why a program is refused: its bytes are none, or it could do what no probe may.
package struct ProgramError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of refusal.
    package enum Code: String, Hashable, Sendable, CaseIterable {
        /// The bytes are no program.
        case malformed
        /// More than a program may hold or cost.
        case tooLarge = "too_large"
        /// An instruction does what it may not do at its place.
        case invalid
    }

    /// The kind of refusal.
    package var code: Code
    /// `cannot <do what>: <what was found>; want <what>`.
    package var message: String

    /// A refusal from its parts.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The refusal of bytes that are no message.
    init(_ error: ProtobufError) {
        self.init(.malformed, "cannot read the probe program: \(error.description)")
    }

    static func tooMany(_ what: String, _ count: Int, limit: Int) -> ProgramError {
        ProgramError(
            .tooLarge, "cannot use the probe program: got \(count) \(what); want at most \(limit)")
    }

    static func malformed(_ found: String, want: String) -> ProgramError {
        ProgramError(.malformed, "cannot read the probe program: got \(found); want \(want)")
    }

    package var description: String { message }
}
