// SPDX-License-Identifier: Apache-2.0
// QuerierService: how much a query would have to read.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// `AnalyzeQuery`.
enum AnalyzeProcedure {
    static func routes(_ services: Services) -> [Route] {
        [
            ConnectProcedure.route("querier.v1.QuerierService/AnalyzeQuery", services, analyzeQuery)
        ]
    }

    /// Counts series and profiles, and estimates bytes.
    ///
    /// Bytes are those that profiles of their services have in the
    /// mean; with tenants they are left out, for the store knows a service's bytes as a whole.
    private static func analyzeQuery(
        _ request: AnalyzeQueryRequest, _ call: ConnectCall, _ services: Services
    ) throws(APIError) -> AnalyzeQueryResponse {
        let range = try PyroscopeQuery.range(
            request.start, request.end, orLastHourBefore: services.now())
        let selector = try PyroscopeQuery.selector(request.query)
        let reading = try ProfileReading(call, services)
        let series = try reading.series(in: range, [selector])
        let counts = try profiles(of: Set(series.map(\.type)), in: range, selector, reading)
        var scope = QueryScope()
        scope.componentType = "store"
        scope.componentCount = 1
        scope.seriesCount = UInt64(series.count)
        scope.profileCount = counts.values.reduce(0, +)
        if let all = try reading.statistics()?.services {
            for (name, count) in counts {
                guard let service = all[name], service.profiles > 0 else { continue }
                let share = min(1, Double(count) / Double(service.profiles))
                scope.profileBytes += UInt64(max(0, Double(service.bytes) * share))
                scope.symbolBytes += UInt64(max(0, service.stackBytes))
            }
        }
        var impact = QueryImpact()
        impact.totalBytesInTimeRange = scope.profileBytes + scope.symbolBytes
        impact.totalQueriedSeries = scope.seriesCount
        var response = AnalyzeQueryResponse()
        response.queryScopes = [scope]
        response.queryImpact = impact
        return response
    }

    /// How many profiles of each service a query finds.
    private static func profiles(
        of types: Set<ProfileType>, in range: TimeRange, _ selector: Selector,
        _ reading: ProfileReading
    ) throws(APIError) -> [String: UInt64] {
        // One step as long as the range, which sums whole blocks up.
        let (length, overflow) = range.until.unixNanoseconds.subtractingReportingOverflow(
            range.from.unixNanoseconds)
        let steps = TimelineSteps(
            lengthNanoseconds: overflow || length == .max ? .max : length + 1, origin: range.until)
        var counts: [String: UInt64] = [:]
        for type in types {
            let selection = reading.selection(type, in: range, [selector])
            let found = try reading.timeline(selection, [selector], steps: steps) { labels in
                DerivedLabels.projection(labels, type: type, onto: [LabelName.service])
            }
            for (labels, points) in found {
                let count = points.reduce(0) { $0 + $1.profiles }
                counts[labels[LabelName.service] ?? "", default: 0] += UInt64(max(0, count))
            }
        }
        return counts
    }
}
