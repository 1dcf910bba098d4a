// SPDX-License-Identifier: Apache-2.0
// Reads HTTP/1.1 requests out of the bytes of a connection.

/// The most that a request may be.
struct HTTPLimits: Sendable {
    var headBytes = 16 << 10
    var bodyBytes = 64 << 10
    var connections = 4096
    var idleSeconds: Int64 = 75
    var writeMilliseconds: Int32 = 5000
}

/// What the bytes so far amount to.
enum HTTPParseResult: Sendable {
    /// More bytes are needed.
    case incomplete
    /// A request, and how many bytes it took.
    case request(HTTPRequest, consumed: Int)
    /// Nothing can be read from this connection any more.
    case malformed(HTTPResponse)
}

/// Parses one request at a time.
struct HTTPParser: Sendable {
    let limits: HTTPLimits

    func parse(_ bytes: [UInt8]) -> HTTPParseResult {
        guard let head = Self.headEnd(in: bytes, limit: limits.headBytes) else {
            guard bytes.count <= limits.headBytes else {
                return .malformed(
                    .failure(
                        431,
                        "cannot read the request: got a head of more than "
                            + "\(limits.headBytes) bytes; want less"))
            }
            return .incomplete
        }
        let lines = String(decoding: bytes[..<head], as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first else { return Self.malformed("an empty head") }
        let words = first.split(separator: " ")
        guard words.count == 3, words[2].hasPrefix("HTTP/1."), words[1].hasPrefix("/") else {
            return Self.malformed("the line '\(first.prefix(80))'")
        }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
                return Self.malformed("the header line '\(line.prefix(80))'")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            headers[line[..<colon].lowercased()] = String(value)
        }
        return body(of: bytes, from: head + 4, words: words, headers: headers)
    }

    private func body(
        of bytes: [UInt8], from start: Int, words: [Substring], headers: [String: String]
    ) -> HTTPParseResult {
        guard headers["transfer-encoding"] == nil else {
            return .malformed(
                .failure(501, "cannot read the request: got a chunked body; want a length"))
        }
        var length = 0
        if let text = headers["content-length"] {
            guard let number = Int(text), number >= 0 else {
                return Self.malformed("the length '\(text.prefix(40))'")
            }
            length = number
        }
        guard length <= limits.bodyBytes else {
            return .malformed(
                .failure(
                    413,
                    "cannot read the request: got a body of \(length) bytes; "
                        + "want at most \(limits.bodyBytes)"))
        }
        guard bytes.count - start >= length else { return .incomplete }
        let connection = headers["connection"]?.lowercased()
        let target = words[1].prefix { $0 != "?" }
        let request = HTTPRequest(
            method: String(words[0]), path: target.split(separator: "/").map(String.init),
            headers: headers, body: Array(bytes[start..<(start + length)]),
            keepsAlive: words[2] == "HTTP/1.0" ? connection == "keep-alive" : connection != "close")
        return .request(request, consumed: start + length)
    }

    /// Where the empty line begins that ends the head.
    private static func headEnd(in bytes: [UInt8], limit: Int) -> Int? {
        let last = min(bytes.count, limit) - 4
        guard last >= 0 else { return nil }
        for index in 0...last
        where bytes[index] == 13 && bytes[index + 1] == 10 && bytes[index + 2] == 13
            && bytes[index + 3] == 10
        {
            return index
        }
        return nil
    }

    private static func malformed(_ found: String) -> HTTPParseResult {
        .malformed(.failure(400, "cannot read the request: got \(found); want HTTP/1.1"))
    }
}
