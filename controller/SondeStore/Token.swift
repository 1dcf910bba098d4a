// SPDX-License-Identifier: Apache-2.0
// Who may do what: tokens and their roles.

package import SondeModel

/// What the bearer of a token may do.
package enum Role: String, CaseIterable, Hashable, Sendable {
    /// Push profiles and take part in control; can neither read nor command.
    case agent
    /// Read everything but tokens.
    case viewer
    /// Viewer, and may change agents and add debug info.
    case developer
    /// Everything, tokens too.
    case admin
}

/// What is known of a token.
///
/// The secret is not: only its digest is stored.
package struct Token: Hashable, Sendable {
    /// The public part of the token's text: 12 hexadecimal digits.
    package var id: String
    /// What people call it.
    package var name: String
    /// What its bearer may do.
    package var role: Role
    /// When it was created.
    package var created: Timestamp
    /// When it stops working, or `nil` for never.
    package var expires: Timestamp?
    /// When it was last used, to within ``ControlStore/lastUsedGranularitySeconds``; `nil` for never.
    package var lastUsed: Timestamp?
}

/// A token that was just created.
package struct NewToken: Sendable {
    /// What is stored of it.
    package var token: Token
    /// The text to give to its bearer, `sonde_<id>_<secret>`; it cannot be had again.
    package var text: String
}
