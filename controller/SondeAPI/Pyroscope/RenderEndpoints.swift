// SPDX-License-Identifier: Apache-2.0
// GET /pyroscope/render, /pyroscope/render-diff and /pyroscope/label-values.

internal import SondeFormats
internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `GET /pyroscope/render`, `/pyroscope/render-diff` and `/pyroscope/label-values`.
enum RenderEndpoints {
    static func routes(_ services: Services) -> [Route] {
        var routes = [
            Route("GET", "/pyroscope/render", .read) { request throws(APIError) in
                try render(request, services)
            },
            Route("GET", "/pyroscope/render-diff", .read) { request throws(APIError) in
                try renderDiff(request, services)
            },
            Route("GET", "/pyroscope/label-values", .read) { request throws(APIError) in
                try labelValues(request, services)
            },
        ]
        for index in routes.indices { routes[index].tooLargeCode = .resourceExhausted }
        return routes
    }

    private static func render(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let reading = try ProfileReading(request, services)
        let stacks = try stacks(request, "query", "from", "until", services)
        let limit = try PyroscopeQuery.maximumNodes(stacks.maxNodes)
        let question = try StacksQuestion(stacks, reading)
        let frames = try question.merged(reading).stacks.symbolized(by: services.symbols)
        let type = question.selection.type
        switch request.query("format") ?? "json" {
        case "json": break
        case "dot":
            let format = ValueFormat(unit: type.sampleUnit)
            return HTTPResponse(
                text: CallGraph(frames).dot(unit: type.sampleUnit) { format.string($0) })
        case let other:
            throw APIError(
                .invalidArgument,
                "cannot read format: got \(other.quotedForMessage); want json or dot")
        }
        var document = FlamebearerDocument(
            levels: FlameLevels(FlameGraph(frames.byName(), maximumNodes: limit)), type: type)
        try addTimelines(to: &document, request, stacks, reading)
        return HTTPResponse(json: document.json)
    }

    private static func addTimelines(
        to document: inout FlamebearerDocument, _ request: APIRequest,
        _ stacks: SelectMergeStacktracesRequest, _ reading: ProfileReading
    ) throws(APIError) {
        let isAverage: Bool
        switch request.query("aggregation") ?? "sum" {
        case "sum": isAverage = false
        case "avg", "average": isAverage = true
        case let other:
            throw APIError(
                .invalidArgument,
                "cannot read aggregation: got \(other.quotedForMessage); want sum or avg")
        }
        let step = RenderStep.seconds(from: stacks.start, until: stacks.end)
        // Both ends are snapped down, so that timelines of neighboring ranges fit together.
        let start = stacks.start / 1000 / step * step
        let count = Int((stacks.end / 1000 - start) / step) + 1
        var series = SelectSeriesRequest()
        series.profileTypeID = stacks.profileTypeID
        series.labelSelector = stacks.labelSelector
        series.start = max(1, start * 1000)
        series.end = max(1, (start + Int64(count - 1) * step) * 1000)
        series.step = Double(step)
        func timeline(_ points: [TimelinePoint]) -> FlamebearerDocument.Timeline {
            FlamebearerDocument.Timeline(
                points, isAverage: isAverage, from: start, step: step, count: count)
        }
        let all = try SeriesQuestion(series, reading).series(reading, limit: 1)
        document.timeline = timeline(all.first?.points ?? [])
        guard let name = request.query("groupBy") else { return }
        series.groupBy = [name]
        document.groups = try SeriesQuestion(series, reading).series(reading, limit: .max).map {
            ($0.labels[name] ?? "", timeline($0.points))
        }
    }

    private static func renderDiff(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        let reading = try ProfileReading(request, services)
        let left = try stacks(request, "leftQuery", "leftFrom", "leftUntil", services)
        let right = try stacks(request, "rightQuery", "rightFrom", "rightUntil", services)
        var document = FlamebearerDocument(
            levels: try StacktraceProcedures.levels(of: left, and: right, reading),
            type: try PyroscopeQuery.type(left.profileTypeID))
        document.isDiff = true
        return HTTPResponse(json: document.json)
    }

    private static func labelValues(
        _ request: APIRequest, _ services: Services
    ) throws(APIError) -> HTTPResponse {
        guard let label = request.query("label") else {
            throw APIError(.invalidArgument, "cannot list values: got no label; want its name")
        }
        let now = services.now()
        let range = try PyroscopeQuery.range(
            AttimeExpression.time(request.query("from") ?? "now-1h", now: now).unixMilliseconds,
            AttimeExpression.time(request.query("until") ?? "now", now: now).unixMilliseconds)
        let selector = try PyroscopeQuery.selector(request.query("query") ?? "")
        let series = try ProfileReading(request, services).series(in: range, [selector])
        // Of old, this label's values are whole types.
        let name = label == LabelName.metric ? LabelName.profileType : label
        var json = JSONWriter()
        json.array(MetadataProcedures.values(of: name, in: series))
        return HTTPResponse(json: json)
    }

    /// Reads which stacks are asked for: `type{selector}`, from, until and how many nodes.
    private static func stacks(
        _ request: APIRequest, _ query: String, _ from: String, _ until: String,
        _ services: Services
    ) throws(APIError) -> SelectMergeStacktracesRequest {
        let now = services.now()
        let text = request.query(query) ?? ""
        let selector = try PyroscopeQuery.selector(text)
        guard let type = selector.requiredValue(of: LabelName.profileType) else {
            throw APIError(
                .invalidArgument,
                "cannot read \(query): got \(text.quotedForMessage) without a profile type; "
                    + "want \(ProfileType.cpu){service_name=\"...\"}")
        }
        var stacks = SelectMergeStacktracesRequest()
        stacks.profileTypeID = type
        stacks.labelSelector = text
        stacks.start =
            AttimeExpression.time(request.query(from) ?? "now-1h", now: now).unixMilliseconds
        stacks.end = AttimeExpression.time(request.query(until) ?? "now", now: now).unixMilliseconds
        if let nodes = request.query("max-nodes") ?? request.query("maxNodes") {
            guard let count = Int64(nodes) else {
                throw APIError(
                    .invalidArgument,
                    "cannot read max-nodes: got \(nodes.quotedForMessage); want a number")
            }
            stacks.maxNodes = count
        }
        return stacks
    }
}

/// The distance of points in the timelines of Pyroscope's older endpoints.
enum RenderStep {
    /// A length in seconds, and below which share of the range it is taken.
    private static let steps: [(length: Int64, below: Double)] = [
        (15, 17.5), (20, 25), (30, 45), (60, 90), (120, 210), (300, 450), (600, 750),
        (900, 1050), (1200, 1500), (1800, 2700), (3600, 5400), (7200, 9000), (10_800, 16_200),
        (21_600, 32_400), (43_200, 86_400),
    ]

    /// The distance for a range in milliseconds: about a 1500th of it, rounded, at least 15 s.
    static func seconds(from start: Int64, until end: Int64) -> Int64 {
        let share = (Double(end) - Double(start)) / 1000 / 1500
        return steps.first { share < $0.below }?.length ?? 86_400
    }
}
