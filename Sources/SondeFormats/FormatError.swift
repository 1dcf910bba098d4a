// SPDX-License-Identifier: Apache-2.0
// Why bytes are no acceptable profile of one of the formats that Sonde reads.

/// Why a profile of a foreign format was refused.
package struct FormatError: Error, Hashable, CustomStringConvertible {
    /// What kind of reason it is.
    package enum Code: Hashable, Sendable {
        /// The bytes are not of this format, or break its rules.
        case malformed
        /// The profile may be valid but is larger than the limits allow.
        case tooLarge
        /// The profile is of a version or a kind that is not read.
        case unsupported
    }

    /// What kind of reason it is.
    package var code: Code
    /// The reason: `cannot read <format>: <what was found>; want <what>`.
    package var description: String

    /// An error from its parts.
    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func malformed(_ format: String, got: String, want: String) -> FormatError {
        FormatError(.malformed, "cannot read \(format): got \(got); want \(want)")
    }

    static func tooMany(_ format: String, _ what: String, limit: Int) -> FormatError {
        FormatError(
            .tooLarge,
            "cannot read \(format): got more than \(limit) \(what); want at most \(limit)")
    }
}
