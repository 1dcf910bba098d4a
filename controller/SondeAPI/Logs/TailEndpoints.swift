// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/tail and /loki/api/v1/tail: new lines as they are stored.

internal import SondeModel
internal import SondeQuery
internal import Synchronization

/// `GET /api/v1/tail`, lines of JSON, and `GET /loki/api/v1/tail`, a WebSocket.
enum TailEndpoints {
    /// The most lines of the past that come first.
    private static let pastLines = 5000

    static func routes(_ services: Services) -> [Route] {
        let count = TailCount(limit: services.limits.logTails)
        let own = Route("GET", "/api/v1/tail", .read, body: .none) { request throws(APIError) in
            try tail(request, services, count)
        }
        var loki = Route("GET", "/loki/api/v1/tail", .read, body: .none) {
            request throws(APIError) in
            try lokiTail(request, services, count)
        }
        loki.errorsAreText = true
        return [own, loki]
    }

    private static func tail(
        _ request: APIRequest, _ services: Services, _ count: TailCount
    ) throws(APIError) -> Reply {
        let now = services.now()
        let query = try LogQuery(named: request.query("query") ?? "")
        let limit = try request.integer("limit", default: 100, in: 0...pastLines)
        var since = now
        if let text = request.query("since") {
            guard let seconds = LogQuery.seconds(ofDuration: text), (0...1e9).contains(seconds)
            else {
                throw APIError(
                    .invalidArgument,
                    "cannot read since: got \(text.quotedForMessage); want a duration such as 5m")
            }
            since = now.advanced(byNanoseconds: -Int64(seconds * 1e9))
        }
        try count.enter()
        // Without `since`, nothing of the past.
        let history = (since: since, limit: request.query("since") == nil ? 0 : limit)
        let source = LogTail(query, .lines, history: history, services) { count.leave() }
        var head = HTTPResponse(contentType: "application/x-ndjson", body: [])
        // For proxies that would otherwise wait for a piece that is worth sending.
        head.set("X-Accel-Buffering", "no")
        return .stream(StreamingAnswer(head: head, framing: .lines, source: source))
    }

    private static func lokiTail(
        _ request: APIRequest, _ services: Services, _ count: TailCount
    ) throws(APIError) -> Reply {
        let parameters = try LokiParameters(request, now: services.now())
        let query = try parameters.query()
        let range = try parameters.range()
        let limit = try parameters.limit(atMost: services.limits.logAnswerLines)
        // Lines are sent at once, whatever delay is asked for; a wrong one is told as Loki does.
        if let text = parameters.value("delay_for") {
            guard let delay = Int(text), (0...5).contains(delay) else {
                throw APIError(
                    .invalidArgument,
                    "cannot read delay_for: got \(text.quotedForMessage); want 0...5")
            }
        }
        let key = try webSocketKey(request.head)
        try count.enter()
        let source = LogTail(
            query, .loki(LokiEncoding(request.head)),
            history: (since: range?.from ?? services.now(), limit: limit), services
        ) { count.leave() }
        return .stream(
            StreamingAnswer(
                head: HTTPResponse(status: 101), framing: .webSocket(key: key), source: source))
    }

    /// The key of a request that asks for a WebSocket.
    ///
    /// Source: RFC 6455, 4.2.1.
    private static func webSocketKey(_ head: RequestHead) throws(APIError) -> String {
        func tokens(_ name: String) -> [String] {
            head.headerValues(name).flatMap { $0.split(separator: ",") }.map {
                $0.split(separator: " ").joined().lowercased()
            }
        }
        guard tokens("connection").contains("upgrade"), tokens("upgrade").contains("websocket")
        else {
            throw APIError(
                .invalidArgument, "Bad Request: got no upgrade; want one to a WebSocket")
        }
        guard head.header("sec-websocket-version") == "13" else {
            throw APIError(
                .invalidArgument,
                "Bad Request: got another version of WebSocket; want Sec-WebSocket-Version 13",
                headers: [HTTPHeader("Sec-WebSocket-Version", "13")])
        }
        guard let key = head.header("sec-websocket-key"), key.utf8.count == 24,
            key.hasSuffix("==")
        else {
            throw APIError(
                .invalidArgument,
                "Bad Request: got no Sec-WebSocket-Key; want 16 bytes in base64")
        }
        return key
    }
}

/// How many clients follow.
private final class TailCount: Sendable {
    private let limit: Int
    private let count = Mutex(0)

    init(limit: Int) { self.limit = limit }

    func enter() throws(APIError) {
        let isIn = count.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
        guard isIn else {
            throw APIError(
                .resourceExhausted,
                "cannot follow new lines: \(limit) clients do already; want fewer, or a larger "
                    + "limits.log_tails")
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
