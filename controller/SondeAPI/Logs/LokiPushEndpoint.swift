// SPDX-License-Identifier: Apache-2.0
// POST /loki/api/v1/push: log lines as Loki's clients send them.

package import SondeModel
internal import SondeQuery
internal import SondeSnappy
package import SondeWire

/// `POST /loki/api/v1/push`.
///
/// What the answer 204 was given for is on disk. When some lines are refused, the rest is stored
/// and the answer is 400 with the reasons, as Loki does.
enum LokiPushEndpoint {
    static func route(_ services: Services) -> Route {
        var route = Route(
            "POST", "/loki/api/v1/push", .ingest,
            body: .collected(limit: services.limits.pushBytes)
        ) { request throws(APIError) in
            var intake = LogIntake(services)
            do throws(APIError) {
                try read(request, limit: services.limits.pushBytes, into: &intake)
            } catch {
                services.metrics.rejectedLines.add(1, "malformed")
                throw error
            }
            guard intake.entryCount > 0 else {
                services.metrics.rejectedLines.add(1, "empty")
                var answer = HTTPResponse(
                    status: 422, text: "error at least one valid stream is required for ingestion")
                answer.errorCode = .invalidArgument
                return answer
            }
            try intake.store()
            return HTTPResponse(status: 204)
        }
        route.errorsAreText = true
        // Prometheus' and Loki's clients say so of the block that is their body anyway.
        route.passedEncodings = ["snappy"]
        return route
    }

    /// Reads the streams of a push: JSON when the body says so, else protobuf in snappy.
    private static func read(
        _ request: APIRequest, limit: Int, into intake: inout LogIntake
    ) throws(APIError) {
        if request.head.mediaType == "application/json" {
            do throws(JSONError) {
                var taken = intake
                try LokiPushReader.read(request.body) { labels, entries in
                    taken.take(labels, entries)
                }
                intake = taken
            } catch { throw APIError(.invalidArgument, error.description) }
            return
        }
        let message = try message(request, limit)
        for stream in message.streams where !stream.entries.isEmpty {
            let labels = try Self.labels(stream.labels)
            intake.take(
                labels,
                stream.entries.map {
                    PushedLogEntry(time: $0.time, line: $0.line, metadata: $0.metadata)
                })
        }
    }

    private static func message(
        _ request: APIRequest, _ limit: Int
    ) throws(APIError) -> LokiPushRequest {
        let bytes: [UInt8]
        do throws(SnappyError) {
            bytes = try Snappy.expand(request.body, limit: limit)
        } catch {
            if case .tooLarge(let limit) = error { throw Router.tooLarge(limit: Int64(limit)) }
            throw APIError(.invalidArgument, error.description)
        }
        do throws(ProtobufError) {
            return try LokiPushRequest(decoding: bytes[...])
        } catch { throw APIError(.invalidArgument, error.description) }
    }

    /// The labels of a stream's text, which is a selector of equalities.
    private static func labels(_ text: String) throws(APIError) -> [Label] {
        do throws(QueryError) {
            let selector = try Selector(text)
            guard text.utf8.first == UInt8(ascii: "{"),
                selector.matchers.allSatisfy({ $0.operation == .equal })
            else {
                throw QueryError(
                    .invalidArgument,
                    "cannot read the labels of a stream: got \(text.quotedForMessage); "
                        + "want {name=\"value\"}")
            }
            return selector.matchers.map { Label(name: $0.name, value: $0.value) }
        } catch { throw APIError(error) }
    }
}

/// Reads Loki's push body in JSON.
package enum LokiPushReader {
    /// The most lines of one push.
    package static let entryLimit = 1 << 20

    /// Reads a body and hands over its streams; `null` is absent, what is unknown is passed over.
    package static func read(
        _ body: [UInt8], _ take: ([Label], [PushedLogEntry]) -> Void
    ) throws(JSONError) {
        var reader = JSONReader(body)
        var count = 0
        try reader.object { reader, name throws(JSONError) in
            guard name == "streams" else { return try reader.skip() }
            guard !reader.null() else { return }
            try reader.array { reader throws(JSONError) in
                guard !reader.null() else { return }
                let (labels, entries) = try stream(&reader, &count)
                take(labels, entries)
            }
        }
        try reader.end()
    }

    private static func stream(
        _ reader: inout JSONReader, _ count: inout Int
    ) throws(JSONError) -> ([Label], [PushedLogEntry]) {
        var labels: [Label] = []
        var entries: [PushedLogEntry] = []
        try reader.object { reader, name throws(JSONError) in
            switch name {
            case "stream" where !reader.null(): labels = try pairs(&reader)
            case "values" where !reader.null():
                try reader.array { reader throws(JSONError) in
                    guard !reader.null() else { return }
                    count += 1
                    guard count <= entryLimit else {
                        throw JSONError(
                            "cannot read JSON: got more than \(entryLimit) lines; want fewer")
                    }
                    entries.append(try entry(&reader))
                }
            case "stream", "values": break
            default: try reader.skip()
            }
        }
        return (labels, entries)
    }

    private static func entry(_ reader: inout JSONReader) throws(JSONError) -> PushedLogEntry {
        var entry = PushedLogEntry(time: nil, line: "", metadata: [])
        var place = 0
        try reader.array { reader throws(JSONError) in
            switch place {
            case 0: entry.time = Int64(try reader.string()).map(Timestamp.init(unixNanoseconds:))
            case 1: entry.line = try reader.string()
            case 2: entry.metadata = try pairs(&reader)
            default: throw reader.unexpected("a line of a time, a text and metadata")
            }
            place += 1
        }
        guard place >= 2 else { throw reader.unexpected("a line of a time and a text before it") }
        return entry
    }

    private static func pairs(_ reader: inout JSONReader) throws(JSONError) -> [Label] {
        var labels: [Label] = []
        try reader.object { reader, name throws(JSONError) in
            guard labels.count < 1024 else {
                throw reader.unexpected("at most 1024 names")
            }
            labels.append(Label(name: name, value: try reader.string()))
        }
        return labels
    }
}
