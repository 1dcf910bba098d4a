// SPDX-License-Identifier: Apache-2.0
// What every answer gets on its way out: compression and the header fields that keep browsers safe.

internal import SondeWire

extension HTTPResponse {
    /// The fewest bytes of a body for which compression is worth its header.
    static let compressionThreshold = 1024

    /// The answer as it goes out to the client who asked.
    func finished(for head: RequestHead) -> HTTPResponse {
        var response = self
        response.setIfAbsent("X-Content-Type-Options", "nosniff")
        response.setIfAbsent("Cache-Control", "no-store")
        response.setIfAbsent(
            "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        response.setIfAbsent("Referrer-Policy", "no-referrer")
        response.setIfAbsent("Cross-Origin-Resource-Policy", "same-origin")
        if let tag = response.header("ETag"), status == 200, head.matches(entityTag: tag) {
            response.status = 304
            response.body = []
            return response
        }
        guard header("Content-Encoding") == nil, isCompressible else { return response }
        response.set("Vary", "Accept-Encoding")
        guard body.count >= Self.compressionThreshold, head.acceptsGzip,
            let compressed = try? Gzip.compress(body, level: body.count > 1 << 18 ? 1 : 5),
            compressed.count < body.count
        else { return response }
        response.body = compressed
        response.set("Content-Encoding", "gzip")
        return response
    }

    private mutating func setIfAbsent(_ name: String, _ value: String) {
        if header(name) == nil { set(name, value) }
    }

    private var isCompressible: Bool {
        let type = header("Content-Type") ?? ""
        return type.hasPrefix("text/") || type.hasPrefix("application/json")
            || type.hasPrefix("image/svg") || type.hasPrefix("application/openmetrics")
            || type == "application/proto"
    }
}

extension RequestHead {
    /// Whether the client says that it has this version already.
    func matches(entityTag: String) -> Bool {
        // Weak comparison (RFC 9110, 8.8.3.2): whether a tag is weak does not matter.
        func opaque(_ tag: some StringProtocol) -> String {
            let bare = String(tag.filter { $0 != " " })
            return String(bare.hasPrefix("W/") ? bare.dropFirst(2) : bare[...])
        }
        let wanted = opaque(entityTag)
        return headerValues("if-none-match").contains { value in
            value.split(separator: ",").contains { opaque($0) == wanted || opaque($0) == "*" }
        }
    }
}
