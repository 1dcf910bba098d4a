// SPDX-License-Identifier: Apache-2.0
// An answer: status, header fields and body.

/// One header field.
package struct HTTPHeader: Hashable, Sendable {
    /// The name, in the spelling in which it is sent.
    package var name: String
    /// The value.
    package var value: String

    /// A field from its name and value.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// An answer to a request.
package struct HTTPResponse: Sendable {
    /// The status, such as 200.
    package var status: Int
    /// The header fields; `Content-Length` and `Date` are added when the answer is sent.
    package var headers: [HTTPHeader]
    /// The body.
    package var body: [UInt8]
    /// Why the request was refused, when it was.
    package var errorCode: APIError.Code?

    /// An answer from its parts.
    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer with a body of a media type.
    package init(status: Int = 200, contentType: String, body: [UInt8]) {
        self.init(status: status, headers: [HTTPHeader("Content-Type", contentType)], body: body)
    }

    /// An answer in JSON.
    package init(status: Int = 200, json: consuming JSONWriter) {
        self.init(status: status, contentType: "application/json", body: json.bytes)
    }

    /// An answer in plain text.
    package init(status: Int = 200, text: String) {
        self.init(
            status: status, contentType: "text/plain; charset=utf-8", body: Array(text.utf8))
    }

    /// The value of the first header field of a name, in any spelling.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// Sets a header field, in place of one that is there.
    package mutating func set(_ name: String, _ value: String) {
        headers.removeAll { $0.name.lowercased() == name.lowercased() }
        headers.append(HTTPHeader(name, value))
    }
}
