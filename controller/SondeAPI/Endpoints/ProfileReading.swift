// SPDX-License-Identifier: Apache-2.0
// Asks the store of profiles on behalf of one request: its tenant, its deadline, its client.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// Asks the store of profiles on behalf of one request.
///
/// Only the series of the request's tenants are seen, and no label tells of tenants. Reading ends
/// when the client is gone.
struct ProfileReading: Sendable {
    let services: Services
    private let scope: TenantScope
    private let reading: Reading

    /// The reading of a request.
    ///
    /// - Parameters:
    ///   - request: The request.
    ///   - services: The store.
    ///   - deadline: When the client gives up; `nil` when it did not say.
    /// - Throws: ``APIError`` when the request has to name a tenant and does not.
    init(
        _ request: APIRequest, _ services: Services, deadline: ContinuousClock.Instant? = nil
    ) throws(APIError) {
        self.services = services
        scope = try services.tenant(of: request)
        reading = Reading(isCancelled: ClientPresence(request.isGone).isGone, deadline: deadline)
    }

    /// The reading of a procedure's call.
    init(_ call: ConnectCall, _ services: Services) throws(APIError) {
        try self.init(call.request, services, deadline: call.deadline)
    }

    /// The profiles of a type that begin in a range and satisfy all selectors.
    func selection(
        _ type: ProfileType, in range: TimeRange, _ selectors: [Selector]
    ) -> ProfileSelection {
        let scope = scope
        return ProfileSelection(type, in: range) { labels in
            guard scope.holds(labels) else { return false }
            let visible = TenantScope.visible(labels)
            return selectors.allSatisfy { $0.matches(visible, type: type) }
        }
    }

    /// The series that have a profile beginning in the range and satisfy all selectors, each once.
    func series(
        in range: TimeRange, _ selectors: [Selector] = []
    ) throws(APIError) -> Set<ProfileSeries> {
        let scope = scope
        let all = try asking(selectors) { () throws(StoreError) in
            try services.profiles.series(in: range)
        }
        var found: Set<ProfileSeries> = []
        for one in all where scope.holds(one.labels) {
            let labels = TenantScope.visible(one.labels)
            guard selectors.allSatisfy({ $0.matches(labels, type: one.type) }) else { continue }
            found.insert(ProfileSeries(type: one.type, labels: labels))
        }
        try check(selectors)
        return found
    }

    /// The sum of the profiles that are selected.
    func merge(
        _ selection: ProfileSelection, _ selectors: [Selector]
    ) throws(APIError) -> MergedStacks {
        try asking(selectors) { () throws(StoreError) in
            try services.profiles.merge(selection, reading)
        }
    }

    /// The sums by step, by what `group` makes of a series' labels.
    func timeline(
        _ selection: ProfileSelection, _ selectors: [Selector], steps: TimelineSteps,
        groupedBy group: @escaping @Sendable (LabelSet) -> LabelSet = { _ in LabelSet() }
    ) throws(APIError) -> [LabelSet: [TimelinePoint]] {
        try asking(selectors) { () throws(StoreError) in
            try services.profiles.timeline(
                selection, steps: steps, groupedBy: { group(TenantScope.visible($0)) }, reading)
        }
    }

    /// Calls `body` with each stored profile that is selected, its labels without the tenant's.
    func totals(
        _ selection: ProfileSelection, _ selectors: [Selector], body: (ProfileTotal) -> Void
    ) throws(APIError) {
        try asking(selectors) { () throws(StoreError) in
            try services.profiles.totals(selection, reading) { total in
                var total = total
                total.labels = TenantScope.visible(total.labels)
                body(total)
            }
        }
    }

    /// How much the store holds, whoever's it is; `nil` where tenants are kept apart.
    func statistics() throws(APIError) -> ProfileStoreStatistics? {
        guard scope.tenants == nil else { return nil }
        return try asking([]) { () throws(StoreError) in try services.profiles.statistics() }
    }

    private func asking<Answer>(
        _ selectors: [Selector], _ body: () throws(StoreError) -> Answer
    ) throws(APIError) -> Answer {
        let answer: Answer
        do throws(StoreError) { answer = try body() } catch {
            if error.code == .exhausted, let deadline = reading.deadline, deadline < .now {
                throw APIError(.deadlineExceeded, error.message)
            }
            throw APIError(error)
        }
        try check(selectors)
        return answer
    }

    /// A regular expression that ran into its bound answered no from then on.
    private func check(_ selectors: [Selector]) throws(APIError) {
        for selector in selectors {
            if let problem = selector.problem { throw APIError(problem) }
        }
    }
}
