// SPDX-License-Identifier: Apache-2.0
// QuerierService: how values are distributed over time.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `SelectHeatmap`.
enum HeatmapProcedure {
    static func routes(_ services: Services) -> [Route] {
        [
            ConnectProcedure.route(
                "querier.v1.QuerierService/SelectHeatmap", services, selectHeatmap)
        ]
    }

    private static func selectHeatmap(
        _ request: SelectHeatmapRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> SelectHeatmapResponse {
        guard request.start < request.end else {
            throw APIError(
                .invalidArgument,
                "cannot read time range: got start \(request.start) and end \(request.end); "
                    + "want start before end")
        }
        let reading = try ProfileReading(call, services)
        let type = try PyroscopeQuery.type(request.profileTypeID)
        let range = try PyroscopeQuery.range(request.start, request.end)
        let selector = try PyroscopeQuery.selector(request.labelSelector)
        let step = try PyroscopeQuery.step(request.step)
        _ = try PyroscopeQuery.steps(of: step, in: range)
        let limit = try PyroscopeQuery.limit(request.limit)
        let values = try Values(
            reading, reading.selection(type, in: range, [selector]), selector,
            ofSpans: request.queryType == .span, groupedBy: request.groupBy)
        let heatmap = Heatmap(values.groups.values.joined().lazy.map(\.value))
        // By whole milliseconds, as profiles are shown.
        let origin = range.from.advanced(byNanoseconds: 999_999)
        let groups = values.groups.sorted {
            ($1.value.count, $0.key.sortKey) < ($0.value.count, $1.key.sortKey)
        }
        let wantsExamples = request.exemplarType == .individual || request.exemplarType == .span
        var response = SelectHeatmapResponse()
        var slotCount = 0
        for (labels, group) in groups.prefix(limit) {
            var series = HeatmapSeriesMessage()
            series.labels = labels.messages
            let slots = heatmap.slots(of: group, from: origin, stepNanoseconds: step)
            slotCount += slots.count
            // Each slot says all edges again, so that an answer can be larger than all profiles.
            guard slotCount <= PyroscopeQuery.maximumPoints else {
                throw APIError(
                    .resourceExhausted,
                    "cannot make a heatmap: got more than \(PyroscopeQuery.maximumPoints) slots; "
                        + "want a longer step, a shorter range or fewer groups")
            }
            series.slots = slots.map { slot in
                var message = HeatmapSlotMessage()
                message.timestamp = slot.time.unixMilliseconds
                message.yMin = heatmap.edges
                message.counts = slot.counts
                if wantsExamples {
                    message.exemplars = slot.examples.map {
                        values.exemplar($0, without: request.groupBy)
                    }
                }
                return message
            }
            response.series.append(series)
        }
        return response
    }

    /// All values that are asked for, by group, with what each is of.
    private struct Values {
        var groups: [LabelSet: [Heatmap.Value]] = [:]
        private var sources: [(profile: ProfileTotal, span: SpanTotal?)] = []

        init(
            _ reading: ProfileReading, _ selection: ProfileSelection, _ selector: Selector,
            ofSpans: Bool, groupedBy names: [String]
        ) throws(APIError) {
            var groups: [LabelSet: [Heatmap.Value]] = [:]
            var sources: [(profile: ProfileTotal, span: SpanTotal?)] = []
            let limit = SeriesProcedures.maximumExamined
            try reading.totals(selection, [selector]) { total in
                guard sources.count <= limit else { return }
                let group = DerivedLabels.projection(
                    total.labels, type: selection.type, onto: names)
                func add(_ value: Int64, _ span: SpanTotal?) {
                    groups[group, default: []].append(
                        Heatmap.Value(time: total.start, value: value, source: sources.count))
                    sources.append((total, span))
                }
                if ofSpans {
                    for span in total.spans { add(span.total, span) }
                } else {
                    add(total.total, nil)
                }
            }
            guard sources.count <= limit else {
                throw APIError(
                    .resourceExhausted,
                    "cannot make a heatmap: got more than \(limit) profiles; "
                        + "want a shorter range or fewer series")
            }
            self.groups = groups
            self.sources = sources
        }

        func exemplar(_ source: Int, without groupBy: [String]) -> ExemplarMessage {
            let (profile, span) = sources[source]
            var message = ExemplarMessage(profile, without: groupBy)
            if let span {
                message.profileId = ""
                message.spanId = span.span.description
                message.traceId = span.trace?.description ?? ""
                message.value = span.total
            }
            return message
        }
    }
}
