// SPDX-License-Identifier: Apache-2.0
// A request as the service sees it, and an answer as it goes out.

/// A request with its whole body.
struct HTTPRequest: Sendable {
    let method: String
    /// The path without the query, split at slashes, percent-decoding left out: ids are plain.
    let path: [String]
    let headers: [String: String]
    let body: [UInt8]
    let keepsAlive: Bool
}

/// An answer.
struct HTTPResponse: Sendable {
    var status: Int
    var contentType = "application/json"
    var body: [UInt8]

    init(status: Int = 200, _ value: JSONValue) {
        self.status = status
        body = Array(value.text.utf8)
    }

    init(text: String) {
        status = 200
        contentType = "text/plain; charset=utf-8"
        body = Array(text.utf8)
    }

    /// An error in the form of all errors: a code and a sentence.
    static func failure(_ status: Int, _ message: String) -> HTTPResponse {
        let codes = [
            400: "invalid_argument", 404: "not_found", 405: "method_not_allowed", 409: "conflict",
            411: "length_required", 413: "too_large", 431: "too_large", 501: "unimplemented",
            503: "unavailable", 505: "unimplemented",
        ]
        return HTTPResponse(
            status: status,
            .object([("code", .text(codes[status] ?? "internal")), ("message", .text(message))]))
    }

    /// The bytes for the wire.
    func encoded(keepsAlive: Bool) -> [UInt8] {
        let head =
            "HTTP/1.1 \(status) \(Self.reasons[status] ?? "Status")\r\n"
            + "Content-Type: \(contentType)\r\nContent-Length: \(body.count)\r\n"
            + "Connection: \(keepsAlive ? "keep-alive" : "close")\r\n\r\n"
        return Array(head.utf8) + body
    }

    private static let reasons = [
        200: "OK", 201: "Created", 202: "Accepted", 400: "Bad Request", 404: "Not Found",
        405: "Method Not Allowed", 409: "Conflict", 411: "Length Required",
        413: "Content Too Large", 431: "Request Header Fields Too Large", 500: "Internal Error",
        501: "Not Implemented", 503: "Service Unavailable", 505: "HTTP Version Not Supported",
    ]
}
