// SPDX-License-Identifier: Apache-2.0
// What callers may do, and which role may do what.

/// One kind of act.
package enum Permission: String, Sendable, CaseIterable {
    /// Push profiles and log lines, and speak the control protocol, as an agent does.
    case ingest
    /// See profiles, agents and the controller's own state.
    case read
    /// Change what agents do, and add debug info.
    case develop
    /// Manage tokens.
    case administer
}

/// Who asks, and what they may do.
package struct Principal: Hashable, Sendable {
    /// The token's name, or where the request came from when there was none.
    package var name: String
    /// The role, in words.
    package var role: String
    /// What they may do.
    package var permissions: Set<Permission>

    /// A principal from its parts.
    package init(name: String, role: String, permissions: Set<Permission>) {
        self.name = name
        self.role = role
        self.permissions = permissions
    }

    /// Somebody without a token who may do nothing but what anybody may.
    package static let anonymous = Principal(name: "anonymous", role: "none", permissions: [])
    /// Somebody on this machine, who needs no token.
    package static let loopback = Principal(
        name: "loopback", role: "admin", permissions: Set(Permission.allCases))
    /// Somebody anywhere, who needs no token because of `--insecure`.
    package static let unchecked = Principal(
        name: "anybody", role: "admin", permissions: Set(Permission.allCases))
}
