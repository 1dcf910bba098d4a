// SPDX-License-Identifier: Apache-2.0
// An exchange's steps: admit the head, take the body, have it answered, send the answer.

internal import CMicroHTTPD
internal import Glibc
internal import SondeAPI
internal import SondeWire
internal import Synchronization

extension HTTPListener {
    /// Bytes of an unwanted body that are read and dropped, so that the client gets to read the
    /// answer: closing a connection with unread bytes resets it, and the answer may be lost.
    static let discardLimit = 64 << 20

    /// Decides on a request's head.
    func begin(_ exchange: Exchange, _ connection: OpaquePointer) -> MHD_Result {
        let head = head(of: exchange, connection)
        let declared = head.header("content-length").flatMap { Int($0) } ?? 0
        let hasBody = declared > 0 || head.header("transfer-encoding") != nil
        switch router.admit(head) {
        case .refused(let response, let route):
            exchange.route = route
            // A client that waits for "100 Continue" gets the answer in place of it.
            let waits = head.header("expect") != nil
            guard hasBody, !waits, declared <= Self.discardLimit else {
                return send(response, for: exchange, connection)
            }
            exchange.record?.enter(.body)
            exchange.phase = .discarding(response)
        case .admitted(let request):
            exchange.route = request.route.path
            exchange.phase = .receiving(request)
            exchange.record?.enter(.body)
            if case .collected(let limit) = request.route.body {
                exchange.body.reserveCapacity(min(declared, limit, 1 << 20))
            }
        }
        return .YES
    }

    /// Takes a piece of a body.
    func receive(
        _ piece: UnsafeRawBufferPointer, for request: APIRequest, _ exchange: Exchange
    ) -> MHD_Result {
        exchange.receivedBytes += piece.count
        exchange.record?.received(piece.count)
        do throws(APIError) {
            switch request.route.body {
            case .none: break
            case .collected(let limit):
                guard exchange.receivedBytes <= limit else {
                    throw Router.tooLarge(limit: Int64(limit))
                }
                try takeFromBudget(piece.count, for: exchange)
                exchange.body.append(contentsOf: piece)
            case .streamed(let limit, _):
                guard exchange.receivedBytes <= limit else { throw Router.tooLarge(limit: limit) }
                try request.sink?.append(piece)
            }
        } catch {
            request.sink?.cancel()
            returnBudget(of: exchange)
            exchange.phase = .discarding(refusal(error, to: request))
            exchange.receivedBytes = 0
        }
        return .YES
    }

    /// Gives a request whose body is there to a worker; the connection waits suspended.
    func dispatch(_ request: APIRequest, _ exchange: Exchange, _ connection: OpaquePointer) {
        var request = request
        request.body = exchange.body
        exchange.body = []
        exchange.start = .now
        exchange.phase = .working
        exchange.record?.enter(.answering)
        if request.route.isImmediate, case .answer(let response) = router.respond(to: request) {
            exchange.phase = .answered(response)
            return
        }
        MHD_suspend_connection(connection)
        // Safety: the connection outlives the suspension, and is resumed exactly once.
        let handle = SuspendedConnection(connection)
        let pool = request.route.permission == .ingest ? ingesters : readers
        if let socket = exchange.record?.socket {
            // The connection stays open while it is suspended, so the socket is this client's.
            request.isGone = { Exchange.isGone(socket: socket) }
        }
        let admitted = request
        let isTaken = pool.submit { [self] in answer(admitted, exchange, handle) }
        guard !isTaken else { return }
        request.sink?.cancel()
        let error = APIError(
            .unavailable,
            "cannot answer now: \(settings.queueLimit) requests are waiting; want fewer")
        resume(handle, exchange, with: refusal(error, to: request))
    }

    /// Hands an answer over to be sent.
    func send(
        _ response: HTTPResponse, for exchange: Exchange, _ connection: OpaquePointer
    ) -> MHD_Result {
        let count = response.body.count
        guard let message = Self.message(response.body) else { return .NO }
        defer { MHD_destroy_response(message) }
        for header in response.headers {
            MHD_add_response_header(message, header.name, header.value)
        }
        if state.isDraining.load(ordering: .relaxed) {
            MHD_add_response_header(message, "Connection", "close")
        }
        exchange.phase = .sent
        exchange.status = response.status
        exchange.record?.enter(.sending, bytes: count)
        metrics.sentBytes.add(UInt64(exchange.method == "HEAD" ? 0 : count), exchange.route)
        return MHD_queue_response(connection, UInt32(response.status), message)
    }

    /// Does the books of an exchange that is over.
    func finish(_ exchange: Exchange, completed: Bool) {
        returnBudget(of: exchange)
        exchange.record?.enter(.head)
        exchange.upgrading = nil
        if case .streaming(let streaming) = exchange.phase { streaming.source.end() }
        if case .receiving(let request) = exchange.phase { request.sink?.cancel() }
        let status = completed || exchange.status != 0 ? exchange.status : 499
        let method = Self.knownMethods.contains(exchange.method) ? exchange.method : "other"
        metrics.requests.add(1, exchange.route, method, "\(status)")
        metrics.receivedBytes.add(UInt64(exchange.receivedBytes), exchange.route)
        let duration = exchange.start.duration(to: .now)
        metrics.durations.record(duration, exchange.route)
        log.event(
            status >= 500 ? .warn : .debug, "request",
            [
                "method": method, "route": exchange.route, "status": status,
                "ms": Int(duration / .milliseconds(1)),
            ])
    }

    private static let knownMethods: Set<String> = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
    ]

    private func answer(
        _ request: APIRequest, _ exchange: Exchange, _ connection: SuspendedConnection
    ) {
        let reply = router.respond(to: request)
        returnBudget(of: exchange)
        switch reply {
        case .answer(let response): resume(connection, exchange, with: response)
        case .wait(let pending):
            let socket = exchange.record?.socket ?? -1
            state.longPolls.hold(pending, isGone: { Exchange.isGone(socket: socket) }) {
                [self] response in
                resume(connection, exchange, with: response)
            }
        case .stream(let streaming):
            exchange.phase = .streaming(streaming)
            MHD_resume_connection(connection.pointer)
        }
    }

    private func resume(
        _ connection: SuspendedConnection, _ exchange: Exchange, with response: HTTPResponse
    ) {
        exchange.phase = .answered(response)
        MHD_resume_connection(connection.pointer)
    }

    private func refusal(_ error: APIError, to request: APIRequest) -> HTTPResponse {
        var response = error.response(for: request.route)
        response.set("Connection", "close")
        return response
    }

    private func takeFromBudget(_ count: Int, for exchange: Exchange) throws(APIError) {
        let (_, total) = state.bodyBytes.add(count, ordering: .relaxed)
        exchange.budgetedBytes += count
        guard total <= settings.maximumBodyBytesInMemory else {
            throw APIError(
                .unavailable,
                "cannot take the request's body: the bodies of all requests together exceed \(settings.maximumBodyBytesInMemory) bytes; want it again later"
            )
        }
    }

    private func returnBudget(of exchange: Exchange) {
        state.bodyBytes.subtract(exchange.budgetedBytes, ordering: .relaxed)
        exchange.budgetedBytes = 0
        exchange.body = []
    }

    private func head(of exchange: Exchange, _ connection: OpaquePointer) -> RequestHead {
        var headers: [HTTPHeader] = []
        withUnsafeMutablePointer(to: &headers) { headers in
            // Safety: the pointer is only used during the call.
            _ = MHD_get_connection_values(
                connection, .HEADER_KIND,
                { context, _, name, value in
                    guard let name else { return .YES }
                    context?.assumingMemoryBound(to: [HTTPHeader].self).pointee.append(
                        HTTPHeader(
                            String(cString: name), value.map { String(cString: $0) } ?? ""))
                    return .YES
                }, headers)
        }
        return RequestHead(method: exchange.method, target: exchange.target, headers: headers)
    }

    private static func message(_ body: [UInt8]) -> OpaquePointer? {
        guard !body.isEmpty else {
            return MHD_create_response_from_buffer(0, nil, .RESPMEM_PERSISTENT)
        }
        return body.withUnsafeBytes { bytes in
            // Safety: the library copies the bytes before it returns, and only reads them.
            MHD_create_response_from_buffer(
                bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress),
                .RESPMEM_MUST_COPY)
        }
    }
}

/// A suspended connection, on its way to the thread that will resume it.
///
/// Safety: libmicrohttpd lets any thread resume a connection, and whoever holds this resumes once.
struct SuspendedConnection: @unchecked Sendable {
    let pointer: OpaquePointer
    init(_ pointer: OpaquePointer) { self.pointer = pointer }
}
