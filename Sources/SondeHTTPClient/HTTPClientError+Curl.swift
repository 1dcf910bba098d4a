// SPDX-License-Identifier: Apache-2.0
// libcurl's result codes in our words.

internal import CCurl

extension HTTPClientError {
    /// The error for a transfer that libcurl gave up.
    ///
    /// - Parameters:
    ///   - code: libcurl's result, not `CURLE_OK`.
    ///   - what: `cannot <method> <address>`.
    ///   - exchange: The exchange, as far as it came.
    ///   - systemError: The `errno` of the call that failed, or 0.
    init(_ code: CURLcode, what: String, exchange: CurlExchange, systemError: Int32) {
        // Safety: libcurl's texts are constants.
        let text = curl_easy_strerror(code).map { String(cString: $0) } ?? "error \(code.rawValue)"
        let system = systemError == 0 ? text : describe(errno: systemError)
        switch code {
        case _ where exchange.isTooLarge:
            self.init(.tooLarge, "\(what): got an answer beyond the size limit; want a shorter one")
        case CURLE_URL_MALFORMAT:
            self.init(.badAddress, "\(what): got \"\(text)\"; want an http or https address")
        case CURLE_COULDNT_CONNECT:
            self.init(.cannotConnect, "\(what): got \"\(system)\"; want a server there")
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            self.init(.cannotConnect, "\(what): got an unknown host name; want a known one")
        case CURLE_OPERATION_TIMEDOUT:
            let seconds = (exchange.request.timeoutSeconds * 10).rounded() / 10
            self.init(.timedOut, "\(what): got no whole answer within \(seconds) s; want one")
        case CURLE_SSL_CACERT_BADFILE:
            self.init(.tls, "\(what): got a certificate file that cannot be used; want PEM")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM,
            CURLE_SSL_CIPHER, CURLE_SSL_ENGINE_INITFAILED, CURLE_USE_SSL_FAILED,
            CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS:
            self.init(.tls, "\(what): got \"\(text)\"; want a certificate that is trusted")
        case CURLE_ABORTED_BY_CALLBACK where exchange.upload != nil:
            self.init(.unreadableFile, "\(what): the file became shorter; want it as it was")
        case CURLE_UNSUPPORTED_PROTOCOL:
            // The scheme was checked before, so this is about the answer's first line.
            self.init(.broken, "\(what): got an answer that is not HTTP; want HTTP")
        default:
            self.init(.broken, "\(what): got \"\(text)\"; want an HTTP answer")
        }
    }
}
