// SPDX-License-Identifier: Apache-2.0
// What an HTTP client is told when it is made.

/// Where an ``HTTPClient`` sends its requests, and how.
package struct HTTPClientConfiguration: Sendable {
    /// The server's address, such as `http://127.0.0.1:4040`; its path is put before each target.
    package var baseURL: String
    /// Sent as `Authorization: Bearer`, when there is one.
    package var token: String?
    /// Sent as `X-Scope-OrgID`, when there is one.
    package var tenant: String?
    /// A file with the certificates to trust (PEM) in place of the system's.
    package var certificateAuthorityFile: String?
    /// The most bytes of a body that are accepted.
    package var maxResponseBytes: Int
    /// `User-Agent`.
    package var userAgent: String

    /// A configuration from its parts.
    package init(
        baseURL: String, token: String? = nil, certificateAuthorityFile: String? = nil,
        maxResponseBytes: Int = 256 << 20, userAgent: String
    ) {
        self.baseURL = baseURL
        self.token = token
        self.certificateAuthorityFile = certificateAuthorityFile
        self.maxResponseBytes = maxResponseBytes
        self.userAgent = userAgent
    }
}
