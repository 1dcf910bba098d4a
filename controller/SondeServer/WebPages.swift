// SPDX-License-Identifier: Apache-2.0
// The browser's files, from the table that is embedded in this binary.

internal import CSondeWeb
internal import SondeAPI
internal import SondeWire

/// The browser's files.
struct WebPages: Sendable {
    private struct Page: Sendable {
        var plain: HTTPResponse
        /// The same compressed; `nil` when that would not be smaller.
        var compressed: HTTPResponse?
    }

    private let pages: [String: Page]

    /// What the pages may load: nothing but the controller's own files and answers.
    private static let policy =
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        + "form-action 'none'; frame-ancestors 'none'"

    /// The files that are embedded in this binary.
    init() {
        var count = 0
        var pages: [String: Page] = [:]
        // Safety: the table holds `count` entries and lives as long as the process.
        let assets = UnsafeBufferPointer(start: sonde_web_assets(&count), count: count)
        for asset in assets {
            let body = Array(UnsafeBufferPointer(start: asset.bytes, count: asset.size_bytes))
            var plain = HTTPResponse(contentType: String(cString: asset.content_type), body: body)
            plain.set("Content-Security-Policy", Self.policy)
            plain.set("X-Frame-Options", "DENY")
            // Files change with the binary only; the tag tells whether they did.
            plain.set("Cache-Control", "no-cache")
            plain.set("ETag", "W/\"\(Self.digest(body))\"")
            plain.set("Vary", "Accept-Encoding")
            var page = Page(plain: plain)
            if let smaller = try? Gzip.compress(body, level: 9), smaller.count < body.count {
                var compressed = plain
                compressed.body = smaller
                compressed.set("Content-Encoding", "gzip")
                page.compressed = compressed
            }
            pages[String(cString: asset.path)] = page
        }
        self.pages = pages
    }

    /// The file that a target names; `/` is `index.html`.
    func response(to target: RequestTarget, acceptsGzip: Bool) -> HTTPResponse? {
        let path = target.segments.isEmpty ? "index.html" : target.segments.joined(separator: "/")
        guard let page = pages[path] else { return nil }
        return acceptsGzip ? page.compressed ?? page.plain : page.plain
    }

    /// Tells versions of a file apart, not against forgery: FNV-1a of 64 bits.
    private static func digest(_ bytes: [UInt8]) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return String(hash, radix: 16)
    }
}
