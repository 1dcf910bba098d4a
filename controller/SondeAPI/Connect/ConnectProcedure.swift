// SPDX-License-Identifier: Apache-2.0
// Unary procedures of the Connect protocol: one handler for protobuf and for JSON.

internal import SondeWire

/// A call of a procedure, as its handler sees it.
package struct ConnectCall: Sendable {
    /// The request, routed and allowed.
    package var request: APIRequest
    /// Whether the client reads label names that are no identifiers.
    package var allowsUTF8LabelNames: Bool
    /// When the client gives up; `nil` when it did not say.
    package var deadline: ContinuousClock.Instant?
}

/// The routes of unary procedures.
///
/// A procedure is `POST /<package.Service>/<Method>`: the body is one message, protobuf or JSON by
/// its content type, and the answer is one of the same kind. Source: connectrpc.com, "Protocol
/// reference".
package enum ConnectProcedure {
    /// A procedure of the services that are served.
    ///
    /// - Parameters:
    ///   - name: `package.Service/Method`.
    ///   - services: What the endpoints stand on.
    ///   - handler: Answers a request.
    ///   - permission: What the caller must be allowed to do.
    ///   - limit: The most bytes of a request, expanded; `nil` for that of all JSON requests.
    /// - Returns: The route.
    package static func route<Request: ConnectMessage, Response: ConnectMessage>(
        _ name: String, _ services: Services,
        _ handler:
            @escaping @Sendable (Request, ConnectCall, Services) throws(APIError) -> Response,
        permission: Permission = .read, limit: Int? = nil
    ) -> Route {
        let body = BodyRule.collected(limit: limit ?? services.limits.requestBytes)
        var route = Route("POST", "/" + name, permission, body: body) {
            request throws(APIError) in
            let isJSON = try isJSON(request.head)
            let call = ConnectCall(
                request: request, allowsUTF8LabelNames: request.head.allowsUTF8LabelNames,
                deadline: try deadline(request.head))
            let message: Request = try read(request.body, isJSON: isJSON)
            let answer = try handler(message, call, services)
            return response(to: answer, isJSON: isJSON)
        }
        route.tooLargeCode = .resourceExhausted
        return route
    }

    /// The answer that holds a message.
    package static func response(
        to message: some ConnectMessage, isJSON: Bool
    ) -> HTTPResponse {
        isJSON
            ? HTTPResponse(json: message.json)
            : HTTPResponse(contentType: "application/proto", body: message.protobuf)
    }

    /// Reads a request's message.
    package static func read<Message: ConnectMessage>(
        _ body: [UInt8], isJSON: Bool
    ) throws(APIError) -> Message {
        if isJSON {
            do throws(JSONError) { return try Message(json: body) } catch {
                throw APIError(.invalidArgument, error.description)
            }
        }
        do throws(ProtobufError) { return try Message(protobuf: body[...]) } catch {
            throw APIError(.invalidArgument, error.description)
        }
    }

    /// Checks what the protocol says about itself; whether the body is JSON.
    package static func isJSON(_ head: RequestHead) throws(APIError) -> Bool {
        if let version = head.header("connect-protocol-version"), version != "1" {
            throw APIError(
                .invalidArgument,
                "cannot read Connect-Protocol-Version: got \(version.quotedForMessage); want 1")
        }
        _ = try deadline(head)
        switch head.mediaType {
        case "application/proto", "application/x-protobuf", "application/protobuf": return false
        case "application/json": return true
        case let other:
            throw APIError(
                .unsupportedMediaType,
                "cannot read the request: got the content type \(other.quotedForMessage); "
                    + "want application/proto or application/json",
                headers: [HTTPHeader("Accept-Post", "application/proto, application/json")])
        }
    }

    /// Reads `Connect-Timeout-Ms`.
    package static func deadline(
        _ head: RequestHead
    ) throws(APIError) -> ContinuousClock.Instant? {
        guard let timeout = head.header("connect-timeout-ms") else { return nil }
        guard (1...10).contains(timeout.utf8.count),
            timeout.utf8.allSatisfy({ (48...57).contains($0) }), let value = Int64(timeout)
        else {
            throw APIError(
                .invalidArgument,
                "cannot read Connect-Timeout-Ms: got \(timeout.quotedForMessage); "
                    + "want at most 10 digits")
        }
        return .now + .milliseconds(value)
    }

    /// The error for a procedure that nobody serves; `nil` when the path is none of a procedure.
    static func unknown(_ segments: [String]) -> APIError? {
        guard segments.count == 2, segments[0].contains("."),
            segments[0].hasSuffix("Service") || segments[0].hasSuffix(".Version"),
            !segments[1].isEmpty
        else { return nil }
        return APIError(
            .unimplemented,
            "cannot call \(segments.joined(separator: "/").quotedForMessage): "
                + "there is no such procedure; want one of docs/http-api.md")
    }
}

extension RequestHead {
    /// Whether the client says that it reads label names that are no identifiers: a parameter of
    /// `Accept`, as Pyroscope's clients send it.
    var allowsUTF8LabelNames: Bool {
        headerValues("accept").contains { value in
            value.split(whereSeparator: { $0 == ";" || $0 == "," }).contains { part in
                part.split(separator: " ").joined().lowercased() == "allow-utf8-labelnames=true"
            }
        }
    }
}
