// SPDX-License-Identifier: Apache-2.0
// Where something is forwarded to, and how patient the sender is: what all exports have in common.

internal import Foundation
internal import SondeHTTPClient
internal import SondeModel

/// Where something is forwarded to.
package struct ExportTarget: Hashable, Sendable {
    /// The server's address, without the path of its endpoint.
    package var url: String
    /// Sent as `X-Scope-OrgID`.
    package var tenant: String?
    /// Sent as a bearer.
    package var token: String?
    /// Basic authentication, when there is a name.
    package var username: String?
    /// Its password.
    package var password: String?
    /// Certificates to trust (PEM) in place of the system's.
    package var certificateAuthorityFile: String?
    /// The most bytes in one request, unless a single entry had more.
    package var batchBytes = 1 << 20
    /// How long an entry waits for others.
    package var batchSeconds = 0.2
    /// How long an answer may take.
    package var timeoutSeconds = 10.0
    /// The pause after the first failure; it doubles with each.
    package var firstBackoffSeconds = 0.5
    /// The longest pause.
    package var longestBackoffSeconds = 300.0

    /// A target by its address.
    package init(url: String) { self.url = url }

    /// A client for the target.
    func client() throws(HTTPClientError) -> HTTPClient {
        try HTTPClient(
            HTTPClientConfiguration(
                baseURL: url, token: token, certificateAuthorityFile: certificateAuthorityFile,
                maxResponseBytes: 1 << 20, userAgent: "sonde/" + SondeVersion.current))
    }

    /// A request to the target, with who asks.
    func request(
        _ path: String, tenant other: String? = nil, headers: [(name: String, value: String)],
        body: [UInt8]
    ) -> HTTPClientRequest {
        var headers = headers
        if let tenant = tenant ?? other { headers.append(("X-Scope-OrgID", tenant)) }
        if let username {
            let pair = Data("\(username):\(password ?? "")".utf8).base64EncodedString()
            headers.append(("Authorization", "Basic \(pair)"))
        }
        return HTTPClientRequest(
            method: "POST", target: path, headers: headers, body: body,
            timeoutSeconds: timeoutSeconds)
    }
}
