// SPDX-License-Identifier: Apache-2.0
// A question to the controller's HTTP API.

/// What is asked of the controller.
package struct ControllerRequest: Sendable {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    package var method: String
    /// The path and query, percent-encoded.
    package var target: String
    /// The body, or nothing; JSON unless ``contentType`` says otherwise.
    package var body: [UInt8]
    /// What the body is.
    package var contentType = "application/json"
    /// How the body is compressed, if it is.
    package var contentEncoding: String?
    /// The most seconds that the answer may take.
    package var timeoutSeconds: Double = 60

    /// Header fields beside those that the client adds.
    package var headers: [(name: String, value: String)] {
        let encoding = contentEncoding.map { [("Content-Encoding", $0)] } ?? []
        return body.isEmpty ? [] : [("Content-Type", contentType)] + encoding
    }

    /// A request from its parts.
    ///
    /// - Parameters:
    ///   - method: The HTTP method.
    ///   - path: The path, such as `/api/v1/top`.
    ///   - query: Names and values; a pair without a value is left out.
    ///   - body: A JSON body.
    package init(
        _ method: String, _ path: String, query: [(String, String?)] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        let pairs = query.compactMap { name, value in
            value.map { Self.percentEncoded(name) + "=" + Self.percentEncoded($0) }
        }
        target = pairs.isEmpty ? path : path + "?" + pairs.joined(separator: "&")
        self.body = body
    }

    /// A question that changes nothing.
    package static func get(_ path: String, _ query: [(String, String?)] = []) -> ControllerRequest
    {
        ControllerRequest("GET", path, query: query)
    }

    /// Text as it may stand in a query's value or in one component of a path.
    package static func percentEncoded(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }
}
