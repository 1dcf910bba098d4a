// SPDX-License-Identifier: Apache-2.0
// What a store of profiles can do, whatever it is made of.

package import SondeModel

/// Keeps profiles and adds them up.
///
/// All calls may come from any thread at the same time.
package protocol ProfileStore: Sendable {
    /// Stores profiles. When it returns, they survive the end of this process by any means.
    func append(_ profiles: [Profile]) throws(StoreError)

    /// The series that have a profile beginning in the range, in no particular order.
    func series(in range: TimeRange) throws(StoreError) -> [ProfileSeries]

    /// The sums of the selected profiles, by what `group` makes of their series' labels; groups
    /// without a profile are left out.
    func merge(
        _ selection: ProfileSelection, groupedBy group: @Sendable (LabelSet) -> LabelSet,
        _ reading: Reading
    ) throws(StoreError) -> [LabelSet: MergedStacks]

    /// The sums of the selected profiles by step, oldest first; empty steps are left out.
    ///
    /// A step ends at `origin` or a multiple of its length from there: the point of time T holds
    /// the profiles that begin after T - length and not after T.
    func timeline(
        _ selection: ProfileSelection, steps: TimelineSteps,
        groupedBy group: @Sendable (LabelSet) -> LabelSet, _ reading: Reading
    ) throws(StoreError) -> [LabelSet: [TimelinePoint]]

    /// Calls `body` with each selected profile, in no particular order.
    ///
    /// Where spans or traces are selected, only profiles that have some, with the totals of those.
    func totals(
        _ selection: ProfileSelection, _ reading: Reading, body: (ProfileTotal) -> Void
    ) throws(StoreError)

    /// How much is stored.
    func statistics() throws(StoreError) -> ProfileStoreStatistics
}

extension ProfileStore {
    /// The sum of all selected profiles.
    package func merge(
        _ selection: ProfileSelection, _ reading: Reading = Reading()
    ) throws(StoreError) -> MergedStacks {
        try merge(selection, groupedBy: { _ in LabelSet() }, reading)[LabelSet()]
            ?? MergedStacks(stacks: LocationTree(), profileCount: 0)
    }

    /// The sums of all selected profiles by step.
    package func timeline(
        _ selection: ProfileSelection, steps: TimelineSteps, _ reading: Reading = Reading()
    ) throws(StoreError) -> [TimelinePoint] {
        try timeline(selection, steps: steps, groupedBy: { _ in LabelSet() }, reading)[LabelSet()]
            ?? []
    }
}

/// One series of profiles.
package struct ProfileSeries: Hashable, Sendable {
    package var type: ProfileType
    package var labels: LabelSet
    package init(type: ProfileType, labels: LabelSet) {
        self.type = type
        self.labels = labels
    }
}

/// What ``ProfileStore/merge(_:groupedBy:_:)`` found.
package struct MergedStacks: Sendable {
    /// The stacks, with the sums of their values.
    package var stacks: LocationTree
    /// How many stored profiles were added up.
    package var profileCount: Int
    package init(stacks: LocationTree, profileCount: Int) {
        self.stacks = stacks
        self.profileCount = profileCount
    }
}

/// The steps of a timeline: where they end, and how long they are.
package struct TimelineSteps: Hashable, Sendable {
    /// The end of one step; all others are a multiple of the length away.
    package var origin: Timestamp
    /// The length of a step; greater than 0.
    package var lengthNanoseconds: Int64

    /// Steps from their parts.
    package init(lengthNanoseconds: Int64, origin: Timestamp) {
        self.lengthNanoseconds = lengthNanoseconds
        self.origin = origin
    }

    /// The end of the step that holds a time; saturates where the range ends.
    ///
    /// The length must be greater than 0.
    package func end(of time: Timestamp) -> Timestamp {
        let (offset, overflow) = time.unixNanoseconds.subtractingReportingOverflow(
            origin.unixNanoseconds)
        guard !overflow else { return time }
        let (quotient, remainder) = offset.quotientAndRemainder(dividingBy: lengthNanoseconds)
        // Rounded up: a step's end belongs to it.
        let steps = remainder > 0 ? quotient + 1 : quotient
        let (distance, tooFar) = steps.multipliedReportingOverflow(by: lengthNanoseconds)
        return tooFar ? time : origin.advanced(byNanoseconds: distance)
    }
}

/// The sum of values in one step of a timeline.
package struct TimelinePoint: Hashable, Sendable {
    /// When the step ends; this point of time belongs to it.
    package var time: Timestamp
    /// The sum of the values of the profiles that begin in it.
    package var value: Int64
    /// How many profiles were added up.
    package var profiles: Int
    package init(time: Timestamp, value: Int64, profiles: Int) {
        self.time = time
        self.value = value
        self.profiles = profiles
    }

    /// Adds one profile's value; saturates where the range ends.
    mutating func add(_ more: Int64, profiles count: Int = 1) {
        let (sum, overflow) = value.addingReportingOverflow(more)
        value = overflow ? (more < 0 ? .min : .max) : sum
        profiles += count
    }
}

/// One stored profile without its stacks.
package struct ProfileTotal: Hashable, Sendable {
    /// The profile's id.
    package var id: ProfileID
    /// The labels of its series.
    package var labels: LabelSet
    /// When it began.
    package var start: Timestamp
    /// How long it lasted; 0 when unknown.
    package var durationNanoseconds: Int64
    /// The sum of its selected values.
    package var total: Int64
    /// Its spans, those that are selected.
    package var spans: [SpanTotal]

    /// A profile's total from its parts.
    package init(
        id: ProfileID, labels: LabelSet, start: Timestamp, durationNanoseconds: Int64, total: Int64
    ) {
        self.id = id
        self.labels = labels
        self.start = start
        self.durationNanoseconds = durationNanoseconds
        self.total = total
        spans = []
    }
}

/// What one span spent of a profile.
package struct SpanTotal: Hashable, Sendable {
    /// The span.
    package var span: SpanID
    /// Its trace, where that is known.
    package var trace: TraceID?
    /// The sum of its selected values.
    package var total: Int64

    /// A span's total from its parts.
    package init(span: SpanID, trace: TraceID?, total: Int64) {
        self.span = span
        self.trace = trace
        self.total = total
    }
}

/// How much a ``ProfileStore`` holds.
package struct ProfileStoreStatistics: Hashable, Sendable {
    /// Stored profiles.
    package var profiles: Int
    /// Bytes on disk.
    package var bytes: Int64
    /// When the oldest and the newest profile begin; `nil` when there is none.
    package var times: TimeRange?
    /// The parts of each service, by its name.
    package var services: [String: ServiceStatistics] = [:]

    /// Figures of a store.
    package init(profiles: Int, bytes: Int64) {
        self.profiles = profiles
        self.bytes = bytes
    }

    /// Adds what one series of a service has.
    mutating func add(
        profiles count: Int, bytes: Int64, _ times: TimeRange?, to service: String
    ) {
        profiles += count
        services[service, default: ServiceStatistics()].profiles += count
        services[service, default: ServiceStatistics()].bytes += bytes
        guard let times else { return }
        self.times = TimeRange(
            from: min(times.from, self.times?.from ?? times.from),
            until: max(times.until, self.times?.until ?? times.until))
    }
}

/// How much a ``ProfileStore`` holds of one service.
package struct ServiceStatistics: Hashable, Sendable {
    /// Stored profiles.
    package var profiles = 0
    /// Bytes of its profiles' values on disk, without merged blocks and what a database adds.
    package var bytes: Int64 = 0
    /// Distinct series.
    package var series = 0
    /// Nodes of its stack trees.
    package var nodes = 0
    /// Bytes of its stack trees on disk.
    package var stackBytes: Int64 = 0

    /// Nothing yet.
    package init() {}
}
