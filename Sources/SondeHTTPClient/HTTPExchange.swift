// SPDX-License-Identifier: Apache-2.0
// One request and its answer.

/// A request to the server that an ``HTTPClient`` was made for.
package struct HTTPClientRequest: Sendable {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    package var method: String
    /// The path and query, beginning with a slash, already percent-encoded.
    package var target: String
    /// Header fields beside those that the client adds itself (token, length).
    package var headers: [(name: String, value: String)]
    /// The body; empty for none.
    package var body: [UInt8]
    /// The most seconds that the whole exchange may take.
    package var timeoutSeconds: Double

    /// A request from its parts.
    package init(
        method: String = "GET", target: String, headers: [(name: String, value: String)] = [],
        body: [UInt8] = [], timeoutSeconds: Double = 30
    ) {
        self.method = method
        self.target = target
        self.headers = headers
        self.body = body
        self.timeoutSeconds = timeoutSeconds
    }
}

/// What the server answered.
package struct HTTPClientResponse: Sendable {
    /// The status, such as 200.
    package var status: Int
    /// Header fields with lower-case names, in the order in which they came.
    package var headers: [(name: String, value: String)]
    /// The body, already expanded when it came compressed.
    package var body: [UInt8]

    /// An answer from its parts.
    package init(status: Int, headers: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first value of the header field of this lower-case name.
    package func header(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }
}

/// Why an exchange did not come to an answer.
package struct HTTPClientError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package var code: Code
    /// `cannot <do what>: <what was found>; want <what>`.
    package var message: String

    /// An error from its parts.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The base address is not one that can be used.
        case badAddress
        /// Nobody answers there: refused, unknown host, unreachable.
        case cannotConnect
        /// The time limit passed.
        case timedOut
        /// The connection broke, or the answer is not HTTP.
        case broken
        /// The certificate is not trusted, or TLS failed in another way.
        case tls
        /// The answer is longer than the limit.
        case tooLarge
        /// The exchange was ended by ``HTTPClient/cancel()``.
        case cancelled
        /// The exchange was ended by ``HTTPClient/interrupt()``.
        case interrupted
        /// The file that was to be sent cannot be read.
        case unreadableFile
    }
}
