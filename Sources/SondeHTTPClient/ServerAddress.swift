// SPDX-License-Identifier: Apache-2.0
// A server's base address, checked before anything is sent there.

internal import CCurl

/// An `http` or `https` address with a host, and perhaps a path.
struct ServerAddress: Sendable {
    /// Scheme, host, port and path, without a slash at the end.
    let base: String
    /// Whether the host is this machine by its loopback address or its usual name.
    let isLoopback: Bool

    /// An address from its text.
    init(_ text: String) throws(HTTPClientError) {
        guard let parts = curl_url() else {
            throw HTTPClientError(.broken, "cannot use libcurl: no memory; want some")
        }
        defer { curl_url_cleanup(parts) }
        func refuse(_ found: String) -> HTTPClientError {
            HTTPClientError(
                .badAddress,
                "cannot use the address \"\(text)\": got \(found); "
                    + "want one like http://127.0.0.1:4040")
        }
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw refuse("characters that must be percent-encoded")
        }
        guard curl_url_set(parts, CURLUPART_URL, text, 0) == CURLUE_OK else {
            throw refuse("no address")
        }
        guard let scheme = Self.part(CURLUPART_SCHEME, of: parts),
            scheme == "http" || scheme == "https"
        else { throw refuse("another scheme than http and https") }
        guard let host = Self.part(CURLUPART_HOST, of: parts), !host.isEmpty else {
            throw refuse("no host")
        }
        for (part, name) in [
            (CURLUPART_USER, "a user name"), (CURLUPART_PASSWORD, "a password"),
            (CURLUPART_QUERY, "a query"), (CURLUPART_FRAGMENT, "a fragment"),
        ] where Self.part(part, of: parts) != nil { throw refuse(name) }
        guard var whole = Self.part(CURLUPART_URL, of: parts) else { throw refuse("no address") }
        while whole.utf8.last == UInt8(ascii: "/") { whole.removeLast() }
        base = whole
        isLoopback = host == "localhost" || host == "[::1]" || host.hasPrefix("127.")
    }

    private static func part(_ part: CURLUPart, of parts: OpaquePointer) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(parts, part, &text, 0) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        // Safety: curl_url_get gives a zero-terminated string, freed once read.
        return String(cString: text)
    }
}
