// SPDX-License-Identifier: Apache-2.0
// Why a request was refused: the code, the status and the sentence that every client sees.

/// Why a request was refused.
///
/// The body is `{"code": ..., "message": ...}`, which is both docs/http-api.md's form and that of
/// the Connect protocol's errors.
package struct APIError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package var code: Code
    /// `cannot <do what>: <what was found>; want <what>`.
    package var message: String
    /// Header fields that the answer needs beside the usual ones, such as `Allow`.
    package var headers: [HTTPHeader]
    /// Writes the members that the body has beside code and message.
    package var details: @Sendable (inout JSONWriter) -> Void = { _ in }

    /// An error from its parts.
    package init(_ code: Code, _ message: String, headers: [HTTPHeader] = []) {
        self.code = code
        self.message = message
        self.headers = headers
    }

    package var description: String { message }

    /// The kinds of failure, by the word that stands in the body.
    package enum Code: String, Sendable, CaseIterable {
        case invalidArgument = "invalid_argument"
        case unauthenticated = "unauthenticated"
        case permissionDenied = "permission_denied"
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case requestTimeout = "request_timeout"
        case alreadyExists = "already_exists"
        case tooLarge = "too_large"
        case unprocessable = "unprocessable"
        case unsupportedMediaType = "unsupported_media_type"
        case resourceExhausted = "resource_exhausted"
        case internalError = "internal"
        case unimplemented = "unimplemented"
        case unavailable = "unavailable"
        case canceled = "canceled"
        case deadlineExceeded = "deadline_exceeded"

        /// The HTTP status that goes with it.
        package var status: Int {
            switch self {
            case .invalidArgument: 400
            case .unauthenticated: 401
            case .permissionDenied: 403
            case .notFound: 404
            case .methodNotAllowed: 405
            case .requestTimeout: 408
            case .alreadyExists: 409
            case .tooLarge: 413
            case .unsupportedMediaType: 415
            case .unprocessable: 422
            case .resourceExhausted: 429
            case .internalError: 500
            case .unimplemented: 501
            case .unavailable: 503
            case .canceled: 499
            case .deadlineExceeded: 504
            }
        }
    }

    /// The answer that tells it.
    package var response: HTTPResponse {
        var json = JSONWriter()
        json.object { json in
            json.member("code", code.rawValue)
            json.member("message", message)
            details(&json)
        }
        var response = HTTPResponse(status: code.status, json: json)
        response.headers += headers
        response.headers.append(HTTPHeader("Cache-Control", "no-store"))
        if code == .unavailable { response.headers.append(HTTPHeader("Retry-After", "2")) }
        if code == .unauthenticated {
            response.headers.append(HTTPHeader("WWW-Authenticate", "Bearer realm=\"sonde\""))
        }
        response.errorCode = code
        return response
    }

    /// The answer in the form that a route's clients want.
    package func response(for route: Route?) -> HTTPResponse {
        guard let route else { return response }
        if code == .tooLarge, route.tooLargeCode != .tooLarge {
            var error = self
            error.code = route.tooLargeCode
            return error.response(for: route)
        }
        guard route.errorsAreText else { return response }
        var text = response
        text.set("Content-Type", "text/plain; charset=utf-8")
        text.body = Array((message + "\n").utf8)
        return text
    }
}
