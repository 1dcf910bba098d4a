// SPDX-License-Identifier: Apache-2.0
// QuerierService: which profile types, labels and series there are.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `ProfileTypes`, `LabelNames`, `LabelValues`, `Series` and `GetProfileStats`.
enum MetadataProcedures {
    static func routes(_ services: Services) -> [Route] {
        let service = "querier.v1.QuerierService/"
        return [
            ConnectProcedure.route(service + "ProfileTypes", services, profileTypes),
            ConnectProcedure.route(service + "LabelNames", services, labelNames),
            ConnectProcedure.route(service + "LabelValues", services, labelValues),
            ConnectProcedure.route(service + "Series", services, series),
            ConnectProcedure.route(service + "GetProfileStats", services, profileStats),
        ]
    }

    private static func profileTypes(
        _ request: ProfileTypesRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> ProfileTypesResponse {
        let range = try PyroscopeQuery.range(
            request.start, request.end, orLastHourBefore: services.now())
        let types = Set(try ProfileReading(call, services).series(in: range).map(\.type))
        var response = ProfileTypesResponse()
        response.profileTypes = types.map { type in
            var message = ProfileTypeMessage()
            message.id = type.description
            message.name = type.name
            message.sampleType = type.sampleType
            message.sampleUnit = type.sampleUnit
            message.periodType = type.periodType
            message.periodUnit = type.periodUnit
            return message
        }.sorted { $0.id < $1.id }
        return response
    }

    private static func labelNames(
        _ request: LabelNamesRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> NamesResponse {
        let range = try PyroscopeQuery.range(
            request.start, request.end, orLastHourBefore: services.now())
        let selectors = try PyroscopeQuery.selectors(request.matchers)
        var names: Set<String> = []
        for one in try ProfileReading(call, services).series(in: range, selectors) {
            names.formUnion(DerivedLabels.all(one.labels, type: one.type).labels.map(\.name))
        }
        var response = NamesResponse()
        response.names = names.filter {
            call.allowsUTF8LabelNames || DerivedLabels.isIdentifier($0)
        }.sorted()
        return response
    }

    private static func labelValues(
        _ request: LabelValuesRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> NamesResponse {
        guard !request.name.isEmpty else {
            throw APIError(
                .invalidArgument, "cannot read label name: got nothing; want a name")
        }
        let range = try PyroscopeQuery.range(
            request.start, request.end, orLastHourBefore: services.now())
        let selectors = try PyroscopeQuery.selectors(request.matchers)
        let series = try ProfileReading(call, services).series(in: range, selectors)
        var response = NamesResponse()
        response.names = values(of: request.name, in: series)
        return response
    }

    /// The values of a label, sorted, each once.
    static func values(of name: String, in series: Set<ProfileSeries>) -> [String] {
        Set(series.compactMap { DerivedLabels.all($0.labels, type: $0.type)[name] }).sorted()
    }

    private static func series(
        _ request: SeriesRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> SeriesResponse {
        let range = try PyroscopeQuery.range(
            request.start, request.end, orLastHourBefore: services.now())
        let selectors = try PyroscopeQuery.selectors(request.matchers)
        var sets: Set<LabelSet> = []
        for one in try ProfileReading(call, services).series(in: range, selectors) {
            let labels =
                request.labelNames.isEmpty
                ? DerivedLabels.all(one.labels, type: one.type)
                : DerivedLabels.projection(
                    one.labels, type: one.type, onto: request.labelNames)
            let readable = labels.labels.filter {
                call.allowsUTF8LabelNames || DerivedLabels.isIdentifier($0.name)
            }
            if let set = LabelSet(inOrder: readable), !readable.isEmpty { sets.insert(set) }
        }
        let sorted = sets.map { set in
            (set, set.labels.map { "\($0.name)\u{0}\($0.value)" }.joined(separator: "\u{0}"))
        }.sorted { $0.1 < $1.1 }
        var response = SeriesResponse()
        response.labelsSet = sorted.map { set, _ in
            var message = LabelsMessage()
            message.labels = set.messages
            return message
        }
        return response
    }

    private static func profileStats(
        _ request: ProfileStatsRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> ProfileStatsResponse {
        let reading = try ProfileReading(call, services)
        var response = ProfileStatsResponse()
        guard let statistics = try reading.statistics() else {
            // What the whole store holds is not for one tenant to know.
            let ever = TimeRange(
                from: Timestamp(unixNanoseconds: 0), until: Timestamp(unixNanoseconds: .max))
            if let ever { response.dataIngested = try !reading.series(in: ever).isEmpty }
            return response
        }
        response.dataIngested = statistics.profiles > 0
        response.oldestProfileTime = statistics.times?.from.unixMilliseconds ?? 0
        response.newestProfileTime = statistics.times?.until.unixMilliseconds ?? 0
        return response
    }
}
