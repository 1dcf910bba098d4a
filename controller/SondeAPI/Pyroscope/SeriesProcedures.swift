// SPDX-License-Identifier: Apache-2.0
// QuerierService: values over time, one series for each group of labels.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `SelectSeries`.
enum SeriesProcedures {
    /// The most profiles that are looked at one by one for examples.
    static let maximumExamined = 2_000_000

    static func routes(_ services: Services) -> [Route] {
        [
            ConnectProcedure.route("querier.v1.QuerierService/SelectSeries", services, selectSeries)
        ]
    }

    private static func selectSeries(
        _ request: SelectSeriesRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> SelectSeriesResponse {
        let reading = try ProfileReading(call, services)
        let question = try SeriesQuestion(request, reading)
        let limit = try PyroscopeQuery.limit(request.limit)
        let groups = try question.series(reading, limit: limit)
        var examples: [SeriesQuestion.Place: ProfileTotal] = [:]
        if request.exemplarType == .individual {
            examples = try question.examples(reading, in: Set(groups.map(\.labels)))
        }
        var response = SelectSeriesResponse()
        response.series = groups.map { group in
            var series = SeriesMessage()
            series.labels = group.labels.messages
            series.points = group.points.map { point in
                var message = PointMessage()
                message.value =
                    request.aggregation == .average
                    ? Double(point.value) / Double(max(1, point.profiles)) : Double(point.value)
                message.timestamp = point.time.unixMilliseconds
                let place = SeriesQuestion.Place(
                    group: group.labels, time: point.time.unixMilliseconds)
                if let example = examples[place] {
                    message.exemplars = [ExemplarMessage(example, without: request.groupBy)]
                }
                return message
            }
            return series
        }
        return response
    }
}

/// Which values over time are asked for.
struct SeriesQuestion: Sendable {
    var selector: Selector
    var selection: ProfileSelection
    var steps: TimelineSteps
    var groupBy: [String]

    /// One point of one group.
    struct Place: Hashable {
        var group: LabelSet
        var time: Int64
    }

    /// The points of one group.
    struct Group: Sendable {
        var labels: LabelSet
        var points: [TimelinePoint]

        /// The sum of all points.
        var total: Double { points.reduce(0) { $0 + Double($1.value) } }
    }

    /// Reads a request.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - reading: Who asks.
    /// - Throws: ``APIError`` that says which part cannot be read.
    init(_ request: SelectSeriesRequest, _ reading: ProfileReading) throws(APIError) {
        let type = try PyroscopeQuery.type(request.profileTypeID)
        let range = try PyroscopeQuery.range(request.start, request.end)
        selector = try PyroscopeQuery.selector(request.labelSelector)
        let step = try PyroscopeQuery.step(request.step)
        groupBy = request.groupBy
        (steps, selection) = try Self.grid(range, step, type, selector, reading)
        selection.stacks = try PyroscopeQuery.stacks(
            request.stackTraceSelector, reading.services)
    }

    /// Points at start, start + step and so on, not after end; each holds what began after the
    /// point before it and not after itself, by whole milliseconds.
    private static func grid(
        _ range: TimeRange, _ step: Int64, _ type: ProfileType, _ selector: Selector,
        _ reading: ProfileReading
    ) throws(APIError) -> (TimelineSteps, ProfileSelection) {
        let count = try PyroscopeQuery.steps(of: step, in: range)
        // A profile that begins inside of a millisecond belongs to it as a whole.
        let origin = range.from.advanced(byNanoseconds: 999_999)
        let from = origin.advanced(byNanoseconds: 1 - step)
        let (length, overflow) = count.multipliedReportingOverflow(by: step)
        let until = origin.advanced(byNanoseconds: overflow ? .max : length)
        let read = TimeRange(from: from, until: until) ?? range
        return (
            TimelineSteps(lengthNanoseconds: step, origin: origin),
            reading.selection(type, in: read, [selector])
        )
    }

    /// The points by group, the group of the largest sum first.
    func series(_ reading: ProfileReading, limit: Int) throws(APIError) -> [Group] {
        let (type, names) = (selection.type, groupBy)
        let found = try reading.timeline(selection, [selector], steps: steps) { labels in
            DerivedLabels.projection(labels, type: type, onto: names)
        }
        // A profile none of whose stacks counts is as if it were not there.
        let isFiltered = selection.stacks != nil
        let groups = found.map { labels, points in
            Group(labels: labels, points: isFiltered ? points.filter { $0.value != 0 } : points)
        }.filter { !$0.points.isEmpty }.sorted {
            ($1.total, $0.labels.sortKey) < ($0.total, $1.labels.sortKey)
        }
        return Array(groups.prefix(limit))
    }

    /// The largest stored profile of each point.
    func examples(
        _ reading: ProfileReading, in groups: Set<LabelSet>
    ) throws(APIError) -> [Place: ProfileTotal] {
        var examples: [Place: ProfileTotal] = [:]
        let (type, names, steps) = (selection.type, groupBy, steps)
        try reading.totals(selection, [selector]) { total in
            let group = DerivedLabels.projection(total.labels, type: type, onto: names)
            guard groups.contains(group) else { return }
            let place = Place(group: group, time: steps.end(of: total.start).unixMilliseconds)
            if let known = examples[place], known.total >= total.total { return }
            examples[place] = total
        }
        return examples
    }
}

extension LabelSet {
    /// A text by which label sets are sorted.
    var sortKey: String {
        labels.map { "\($0.name)\u{0}\($0.value)\u{0}" }.joined()
    }
}

extension ExemplarMessage {
    /// The message of a stored profile, with the labels that its group does not say.
    init(_ total: ProfileTotal, without groupBy: [String]) {
        self.init()
        timestamp = total.start.unixMilliseconds
        profileId = total.id.description
        value = total.total
        labels = total.labels.messages.filter { !groupBy.contains($0.name) }
    }
}
