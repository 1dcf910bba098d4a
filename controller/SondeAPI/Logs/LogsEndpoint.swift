// SPDX-License-Identifier: Apache-2.0
// GET /api/v1/logs: log lines in Sonde's own form, for the command line and the page.

internal import SondeModel
internal import SondeQuery

/// `GET /api/v1/logs`.
enum LogsEndpoint {
    static func route(_ services: Services) -> Route {
        Route("GET", "/api/v1/logs", .read) { request throws(APIError) in
            let query = try LogQuery(named: request.query("query") ?? "")
            let limit = try request.integer(
                "limit", default: min(100, services.limits.logAnswerLines),
                in: 1...services.limits.logAnswerLines)
            let order = request.query("keep") ?? "newest"
            guard ["newest", "oldest"].contains(order) else {
                throw APIError(
                    .invalidArgument,
                    "cannot read keep: got \(order.quotedForMessage); want newest or oldest")
            }
            let range: TimeRange
            do throws(QueryError) {
                range = try TimeExpression.range(
                    from: request.query("from"), until: request.query("until"),
                    now: services.now())
            } catch { throw APIError(error) }
            // One more, to know whether there are more.
            let search = try LogSearch(
                query, in: range, newestFirst: order == "newest", limit: limit + 1, services)
            let lines = search.lines.prefix(limit)
            var json = JSONWriter()
            json.object { json in
                json.member("lines") { json in
                    json.array(order == "newest" ? Array(lines.reversed()) : Array(lines)) {
                        $1.write(to: &$0)
                    }
                }
                json.member("more", search.lines.count > limit)
            }
            return HTTPResponse(json: json)
        }
    }
}

extension LogQuery {
    /// A query as people write it: LogQL, a service's name, or nothing for every stream.
    init(named text: String) throws(APIError) {
        let first = text.utf8.first { $0 != UInt8(ascii: " ") }
        do throws(QueryError) {
            let isLogQL = first == UInt8(ascii: "{") || first == UInt8(ascii: "(")
            self = isLogQL ? try LogQuery(text) : LogQuery(try Selector(text))
        } catch { throw APIError(error) }
    }
}

extension FoundLine {
    /// Writes the line as an object of Sonde's own API.
    func write(to json: inout JSONWriter) {
        json.object { json in
            json.member("time", String(entry.time.unixNanoseconds))
            json.member("labels") { LokiStreams.write(labels, to: &$0) }
            json.member("metadata") { LokiStreams.write(entry.metadata, to: &$0) }
            json.member("line", entry.line)
        }
    }
}
