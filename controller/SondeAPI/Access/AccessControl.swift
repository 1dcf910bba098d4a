// SPDX-License-Identifier: Apache-2.0
// Decides who asks and whether they may; keeps other people's web pages out.

internal import SondeWire

/// Decides who asks and whether they may.
///
/// Without tokens everybody who reaches the port may do everything. That is meant for programs and
/// the page on the same machine, but a browser there also carries out what foreign web pages say.
/// Two checks keep those out, in every mode: a `Host` that is not the controller's own name is
/// refused (a foreign name that was made to point here: DNS rebinding), and so is a request that
/// changes something with an `Origin` or `Sec-Fetch-Site` of another site.
package struct AccessControl: Sendable {
    /// Finds the owner of a token; `nil` when it is unknown, expired or revoked.
    package typealias TokenLookup = @Sendable (String) throws(APIError) -> Principal?

    /// Whether a request without a token is refused.
    package var requiresToken: Bool
    /// The names, without ports, under which the controller may be asked; empty: any.
    package var allowedHosts: Set<String>
    private let lookup: TokenLookup

    /// Access by tokens.
    ///
    /// - Parameters:
    ///   - requiresToken: Whether a request without a token is refused.
    ///   - allowedHosts: The names, without ports, under which the controller may be asked, beside
    ///     loopback's; empty: any.
    ///   - lookup: Finds a token's owner.
    package init(
        requiresToken: Bool, allowedHosts: Set<String>, lookup: @escaping TokenLookup
    ) {
        self.requiresToken = requiresToken
        self.allowedHosts = allowedHosts
        self.lookup = lookup
    }

    /// Names that always mean this machine, and that no foreign DNS can point here.
    package static let loopbackHosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    /// Who asks, when they may call this endpoint.
    ///
    /// - Parameters:
    ///   - head: The request.
    ///   - route: The endpoint.
    /// - Throws: ``APIError`` `unauthenticated` or `permissionDenied`.
    /// - Returns: Who asks.
    package func authorize(_ head: RequestHead, for route: Route) throws(APIError) -> Principal {
        try checkBrowser(head)
        guard let permission = route.permission else { return .anonymous }
        let principal = try identify(head)
        guard principal.permissions.contains(permission) else {
            throw APIError(
                .permissionDenied,
                "cannot serve \(route.method) \(route.path): the token \(principal.name.quotedForMessage) has the role \(principal.role); want \(permission.wantedRoles)"
            )
        }
        return principal
    }

    /// Refuses what a browser sends on behalf of another site.
    ///
    /// - Throws: ``APIError`` `permissionDenied`.
    package func checkBrowser(_ head: RequestHead) throws(APIError) {
        let host = head.header("host") ?? ""
        let name = Self.hostName(host)
        if !allowedHosts.isEmpty, !host.isEmpty, !allowedHosts.contains(name),
            !Self.loopbackHosts.contains(name)
        {
            throw APIError(
                .permissionDenied,
                "cannot serve the host \(name.quotedForMessage): it is not this controller's name; want \(allowedHosts.union(Self.loopbackHosts).sorted().joined(separator: ", ")), or name it under allowed_hosts"
            )
        }
        // A foreign page cannot add this header: it would need our consent (CORS), which is not given.
        guard head.header("authorization") == nil else { return }
        guard head.method != "GET", head.method != "HEAD" else {
            if head.header("upgrade") != nil { try checkUpgrade(head) }
            return
        }
        if let origin = head.header("origin") {
            let site = origin.split(separator: "/", omittingEmptySubsequences: false)
            guard site.count == 3, site[2].lowercased() == host.lowercased() else {
                throw Self.crossSite(origin)
            }
        }
        if let site = head.header("sec-fetch-site"), site != "same-origin", site != "none" {
            throw Self.crossSite(site)
        }
    }

    /// A foreign page could read a WebSocket: browsers leave that decision to the server.
    private func checkUpgrade(_ head: RequestHead) throws(APIError) {
        guard let origin = head.header("origin"), !allowedHosts.isEmpty else { return }
        let site = origin.split(separator: "/", omittingEmptySubsequences: false)
        guard site.count == 3, allowedHosts.contains(Self.hostName(String(site[2]))) else {
            throw Self.crossSite(origin)
        }
    }

    private func identify(_ head: RequestHead) throws(APIError) -> Principal {
        guard let authorization = head.header("authorization") else {
            guard !requiresToken else {
                throw APIError(
                    .unauthenticated,
                    "cannot serve without a token: got no Authorization; want \"Authorization: Bearer sonde_...\", made by `sonde token create`"
                )
            }
            // The names are checked on loopback only.
            return allowedHosts.isEmpty ? .unchecked : .loopback
        }
        guard let token = Self.token(in: authorization) else {
            throw APIError(
                .unauthenticated,
                "cannot read Authorization: got neither Bearer nor Basic; want \"Bearer sonde_...\""
            )
        }
        guard let principal = try lookup(token) else {
            throw APIError(
                .unauthenticated,
                "cannot accept the token: it is unknown, expired or revoked; want one that `sonde token list` shows"
            )
        }
        return principal
    }

    /// The token in an `Authorization` value: a bearer token, or the password of Basic, which
    /// Pyroscope's clients can send.
    static func token(in authorization: String) -> String? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        switch parts[0].lowercased() {
        case "bearer": return String(parts[1].filter { $0 != " " })
        case "basic":
            var reader = JSONReader(Array("\"\(parts[1])\"".utf8))
            guard let bytes = try? reader.base64(),
                let text = String(validating: bytes, as: UTF8.self),
                let colon = text.firstIndex(of: ":")
            else { return nil }
            return String(text[text.index(after: colon)...])
        default: return nil
        }
    }

    /// A `Host` value without its port, in lower case.
    static func hostName(_ host: String) -> String {
        let lower = host.lowercased()
        if lower.hasPrefix("["), let end = lower.firstIndex(of: "]") {
            return String(lower[...end])
        }
        return String(lower.prefix { $0 != ":" })
    }

    private static func crossSite(_ from: String) -> APIError {
        APIError(
            .permissionDenied,
            "cannot serve a request that changes something from another site: got \(from.quotedForMessage); want the controller's own page"
        )
    }
}

extension Permission {
    /// The roles that hold it, in words.
    var wantedRoles: String {
        switch self {
        case .ingest: "agent, developer or admin"
        case .read: "viewer, developer or admin"
        case .develop: "developer or admin"
        case .administer: "admin"
        }
    }
}
