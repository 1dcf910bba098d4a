// SPDX-License-Identifier: Apache-2.0
// Loki's query_range and query: lines that a LogQL query keeps, and counts of them.

internal import SondeModel
internal import SondeQuery

/// `/loki/api/v1/query_range` and `/loki/api/v1/query`, by GET and by a form.
enum LokiQueryEndpoints {
    static func routes(_ services: Services) -> [Route] {
        lokiRoutes("query_range", services) { request throws(APIError) in
            try queryRange(request, services)
        }
            + lokiRoutes("query", services) { request throws(APIError) in
                try query(request, services)
            }
    }

    private static func queryRange(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let parameters = try LokiParameters(request, now: services.now())
        if LogMetricQuery.isMetric(parameters.value("query") ?? "") {
            return try LogMetricSearch(
                try parameters.metricQuery(), try parameters.steps(), services
            ).matrix
        }
        let query = try parameters.query()
        let search = try LogSearch(
            query, in: try parameters.range(), newestFirst: try parameters.newestFirst(),
            limit: try parameters.limit(atMost: services.limits.logAnswerLines), services)
        let encoding = LokiEncoding(request.head)
        var streams = LokiStreams(encoding)
        for line in search.lines { streams.add(line) }
        return lokiAnswer { json in
            json.object { json in
                // These two before the result: Grafana chooses by them how to read it.
                json.member("resultType", "streams")
                if encoding == .categorized {
                    json.member("encodingFlags") { $0.array([LokiEncoding.flag]) }
                }
                json.member("result") { streams.write(to: &$0) }
                json.member("stats") { search.writeStatistics(to: &$0) }
            }
        }
    }

    /// Instant queries count lines, or are arithmetic.
    ///
    /// Grafana asks for `vector(1)+vector(1)` to see whether there is anybody.
    private static func query(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let now = services.now()
        let parameters = try LokiParameters(request, now: now)
        let text = parameters.value("query") ?? ""
        let time = try parameters.value("time").map { text throws(APIError) in
            try LokiTime.parse(text, name: "time")
        }
        if LogMetricQuery.isMetric(text) {
            return try LogMetricSearch(
                try parameters.metricQuery(), LogMetricSteps(at: time ?? now), services
            ).vector
        }
        if text.contains("{") {
            _ = try parameters.query()
            throw APIError(
                .invalidArgument,
                "log queries are not supported as an instant query type, please change your query "
                    + "to a range query type")
        }
        let value: Arithmetic.Value
        do throws(QueryError) { value = try Arithmetic.evaluate(text) } catch {
            throw APIError(error)
        }
        return lokiAnswer { json in
            json.object { json in
                json.member("resultType", value.isVector ? "vector" : "scalar")
                json.member("result") { json in
                    write(value, at: time ?? now, to: &json)
                }
                json.member("stats") { $0.object { $0.member("summary") { $0.object { _ in } } } }
            }
        }
    }

    private static func write(
        _ value: Arithmetic.Value, at time: Timestamp, to json: inout JSONWriter
    ) {
        func sample(_ json: inout JSONWriter) {
            json.array(0..<2) { json, place in
                if place == 0 {
                    json.value(Double(time.unixMilliseconds) / 1000)
                } else {
                    json.value(value.text)
                }
            }
        }
        guard value.isVector else { return sample(&json) }
        json.array(0..<1) { json, _ in
            json.object { json in
                json.member("metric") { $0.object { _ in } }
                json.member("value") { sample(&$0) }
            }
        }
    }
}

/// The two routes of one question to Loki.
func lokiRoutes(
    _ path: String, _ services: Services,
    _ answer: @escaping @Sendable (APIRequest) throws(APIError) -> HTTPResponse
) -> [Route] {
    let target = "/loki/api/v1/" + path
    var routes = [
        Route("GET", target, .read, answer: answer),
        Route(
            "POST", target, .read, body: .collected(limit: services.limits.requestBytes),
            answer: answer),
    ]
    for index in routes.indices { routes[index].errorsAreText = true }
    return routes
}

/// An answer in Loki's envelope.
func lokiAnswer(_ data: ((inout JSONWriter) -> Void)?) -> HTTPResponse {
    var json = JSONWriter()
    json.object { json in
        json.member("status", "success")
        if let data { json.member("data", data) }
    }
    return HTTPResponse(json: json)
}
