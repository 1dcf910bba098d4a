// SPDX-License-Identifier: Apache-2.0
// From a request to its answer, without a socket.

internal import SondeWire

/// Finds a request's endpoint, checks who asks, and has it answered.
///
/// A pure function of the request and of what the endpoints stand on: the listener feeds it from
/// sockets, tests feed it directly. In two steps, so that a request is refused before its body
/// comes: ``admit(_:)``, then ``respond(to:)``.
package struct Router: Sendable {
    private let routes: [Route]
    private let access: AccessControl
    private let pages: @Sendable (RequestTarget, RequestHead) -> HTTPResponse?

    /// A router over endpoints.
    ///
    /// - Parameters:
    ///   - routes: The endpoints.
    ///   - access: Who may do what.
    ///   - pages: The browser's files, which anybody may read.
    package init(
        routes: [Route], access: AccessControl,
        pages: @escaping @Sendable (RequestTarget, RequestHead) -> HTTPResponse? = { _, _ in nil }
    ) {
        self.routes = routes
        self.access = access
        self.pages = pages
    }

    /// What a request's head led to.
    package enum Admission: Sendable {
        /// Answered without the body; `route` names the endpoint for the metrics.
        case refused(HTTPResponse, route: String)
        /// To be answered by ``Router/respond(to:)`` once the body is there.
        case admitted(APIRequest)
    }

    /// Decides on a request before its body comes.
    package func admit(_ head: RequestHead) -> Admission {
        var routeLabel = "other"
        var found: Route?
        do throws(APIError) {
            let target = try RequestTarget(parsing: head.target)
            let candidates = routes.compactMap { route in
                route.match(target.segments).map { (route, $0) }
            }
            if candidates.isEmpty, let page = pages(target, head) {
                routeLabel = "page"
                try access.checkBrowser(head)
                return .refused(try pageAnswer(page, to: head), route: routeLabel)
            }
            guard let first = candidates.first else {
                if let unknown = ConnectProcedure.unknown(target.segments) { throw unknown }
                throw APIError(
                    .notFound,
                    "cannot find \(head.target.quotedForMessage): there is no such endpoint; want one of docs/http-api.md"
                )
            }
            routeLabel = first.0.path
            found = first.0
            let method = head.method == "HEAD" ? "GET" : head.method
            guard let (route, parameters) = candidates.first(where: { $0.0.method == method })
            else { throw Self.methodNotAllowed(head, allowed: candidates.map(\.0.method)) }
            let principal = try access.authorize(head, for: route)
            var request = APIRequest(
                head: head, target: target, parameters: parameters, principal: principal,
                route: route)
            try checkBody(head, route.body)
            if case .streamed(_, let open) = route.body { request.sink = try open(request) }
            return .admitted(request)
        } catch {
            return .refused(error.response(for: found).finished(for: head), route: routeLabel)
        }
    }

    /// Answers an admitted request whose body is there.
    package func respond(to request: APIRequest) -> Reply {
        do throws(APIError) {
            switch try request.route.handler(expandingBody(request)) {
            case .answer(let response):
                return .answer(response.finished(for: request.head))
            case .wait(var pending):
                let attempt = pending.attempt
                let head = request.head
                pending.attempt = { attempt()?.finished(for: head) }
                pending.expired = pending.expired.finished(for: head)
                return .wait(pending)
            case .stream(var streaming):
                streaming.head = streaming.head.finished(for: request.head)
                return .stream(streaming)
            }
        } catch {
            request.sink?.cancel()
            return .answer(error.response(for: request.route).finished(for: request.head))
        }
    }

    private func pageAnswer(
        _ page: HTTPResponse, to head: RequestHead
    ) throws(APIError) -> HTTPResponse {
        guard head.method == "GET" || head.method == "HEAD" else {
            throw Self.methodNotAllowed(head, allowed: ["GET"])
        }
        return page.finished(for: head)
    }

    private static func methodNotAllowed(_ head: RequestHead, allowed: [String]) -> APIError {
        var methods = Set(allowed)
        if methods.contains("GET") { methods.insert("HEAD") }
        let list = methods.sorted().joined(separator: ", ")
        return APIError(
            .methodNotAllowed,
            "cannot serve \(head.target.quotedForMessage): got the method \(head.method.quotedForMessage); want \(list)",
            headers: [HTTPHeader("Allow", list)])
    }

    private func checkBody(_ head: RequestHead, _ rule: BodyRule) throws(APIError) {
        let declared = head.header("content-length").flatMap { Int64($0) }
        let limit: Int64
        switch rule {
        case .none:
            guard head.header("transfer-encoding") == nil, declared ?? 0 == 0 else {
                throw APIError(
                    .invalidArgument,
                    "cannot take a body with \(head.method); want a request without one")
            }
            return
        case .collected(let most): limit = Int64(most)
        case .streamed(let most, _):
            limit = most
            guard head.header("content-encoding") ?? "identity" == "identity" else {
                throw APIError(
                    .unsupportedMediaType, "cannot take a compressed file; want it as it is")
            }
        }
        if let declared, declared > limit { throw Self.tooLarge(limit: limit) }
    }

    /// The error that tells of a body beyond its limit.
    package static func tooLarge(limit: Int64) -> APIError {
        APIError(
            .tooLarge,
            "cannot take the request's body: got more than \(limit) bytes; want at most \(limit)")
    }

    private func expandingBody(_ request: APIRequest) throws(APIError) -> APIRequest {
        guard case .collected(let limit) = request.route.body else { return request }
        guard request.body.count <= limit else { throw Self.tooLarge(limit: Int64(limit)) }
        switch request.head.header("content-encoding")?.lowercased() ?? "identity" {
        case "identity", "": return request
        case let own where request.route.passedEncodings.contains(own): return request
        case "gzip", "x-gzip":
            var expanded = request
            do {
                expanded.body = try Gzip.expand(request.body, limit: limit)
            } catch .tooLarge(let limit) {
                throw Self.tooLarge(limit: Int64(limit))
            } catch {
                throw APIError(.invalidArgument, error.description)
            }
            return expanded
        case let other:
            throw APIError(
                .unimplemented,
                "cannot take the request's body: got the encoding \(other.quotedForMessage); want gzip or identity",
                headers: [HTTPHeader("Accept-Encoding", "gzip")])
        }
    }
}
