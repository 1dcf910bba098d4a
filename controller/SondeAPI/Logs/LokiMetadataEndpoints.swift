// SPDX-License-Identifier: Apache-2.0
// Loki's questions about streams: labels, their values, series, sizes; and what the server is.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `/loki/api/v1/labels`, `label/{name}/values`, `series`, `index/stats`, `status/buildinfo`.
enum LokiMetadataEndpoints {
    /// Names that are Loki's own affair.
    private static let reserved: Set<String> = [
        "__aggregated_metric__", "__pattern__", "__tenant_id__", "__stream_shard__",
        "__backfill__", "__backfill_shard__",
    ]
    /// How far back these questions reach unless said.
    private static let seconds: Int64 = 6 * 3600

    static func routes(_ services: Services) -> [Route] {
        let labels: @Sendable (APIRequest) throws(APIError) -> HTTPResponse = {
            request throws(APIError) in
            let names = try streams(request, services).flatMap { $0.labels.map(\.name) }
            return list(Set(names).subtracting(reserved))
        }
        return lokiRoutes("labels", services, labels)
            // Grafana before version 8 asks for this one.
            + lokiRoutes("label", services, labels)
            + lokiRoutes("label/{name}/values", services) { request throws(APIError) in
                let name = request.parameters.first ?? ""
                return list(Set(try streams(request, services).compactMap { $0[name] }))
            }
            + lokiRoutes("series", services) { request throws(APIError) in
                try series(request, services)
            }
            + lokiRoutes("index/stats", services) { request throws(APIError) in
                try indexStatistics(request, services)
            }
            + [buildInfo()]
    }

    private static func list(_ names: Set<String>) -> HTTPResponse {
        guard !names.isEmpty else { return lokiAnswer(nil) }
        return lokiAnswer { json in
            json.array(names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        }
    }

    private static func selector(_ text: String) throws(APIError) -> Selector {
        do throws(QueryError) { return try LogQuery(text).selector } catch {
            throw APIError(error)
        }
    }

    /// The streams of the range, those that `query` selects when it is there.
    private static func streams(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> [LabelSet] {
        let parameters = try LokiParameters(request, now: services.now())
        let wanted = try parameters.value("query").map { text throws(APIError) in
            try selector(text)
        }
        return try streams(parameters, wanted.map { [$0] } ?? [], services)
    }

    private static func streams(
        _ parameters: LokiParameters, _ selectors: [Selector], _ services: Services
    ) throws(APIError) -> [LabelSet] {
        guard let range = try parameters.range(defaultSeconds: seconds) else { return [] }
        let all = try APIError.ofStore { () throws(StoreError) in
            try services.logs.streams(in: range)
        }
        let found =
            selectors.isEmpty
            ? all : all.filter { labels in selectors.contains { $0.matches(labels) } }
        if let problem = selectors.lazy.compactMap(\.problem).first { throw APIError(problem) }
        return found
    }

    private static func series(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let parameters = try LokiParameters(request, now: services.now())
        var selectors: [Selector] = []
        for text in parameters.values("match[]") + parameters.values("match") {
            // Nothing in braces asks for all series; only this endpoint takes it.
            guard text.contains(where: { !"{} ".contains($0) }) else {
                selectors.append(Selector())
                continue
            }
            selectors.append(try selector(text))
        }
        let found = try streams(parameters, selectors, services)
        guard !found.isEmpty else { return lokiAnswer { $0.array([] as [String]) } }
        let ordered = found.map { (key: $0.labels.map { $0.name + "=" + $0.value }, labels: $0) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return lokiAnswer { json in
            json.array(ordered) { json, item in LokiStreams.write(item.labels, to: &json) }
        }
    }

    private static func indexStatistics(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let parameters = try LokiParameters(request, now: services.now())
        let wanted = try selector(parameters.value("query") ?? "")
        var figures = LogFigures()
        if let range = try parameters.range(defaultSeconds: seconds) {
            figures = try APIError.ofStore { () throws(StoreError) in
                try services.logs.figures(in: range) { wanted.matches($0) }
            }
        }
        if let problem = wanted.problem { throw APIError(problem) }
        var json = JSONWriter()
        json.object { json in
            json.member("streams", figures.streams)
            json.member("chunks", figures.chunks)
            json.member("bytes", figures.bytes)
            json.member("entries", figures.entries)
        }
        return HTTPResponse(json: json)
    }

    /// Without Loki's envelope: Grafana wants it bare.
    private static func buildInfo() -> Route {
        var route = Route("GET", "/loki/api/v1/status/buildinfo", .read) { _ throws(APIError) in
            var json = JSONWriter()
            json.object { json in
                json.member("version", SondeVersion.current)
                for name in ["revision", "branch", "buildUser", "buildDate", "goVersion"] {
                    json.member(name, "")
                }
            }
            return HTTPResponse(json: json)
        }
        route.errorsAreText = true
        return route
    }
}
