// SPDX-License-Identifier: Apache-2.0
// The embedded store of profiles: one SQLite database a day.

internal import Glibc
package import SondeModel
internal import Synchronization

/// Keeps profiles in one SQLite database for each day (UTC) in which profiles began.
///
/// Stacks are interned once for each service and day; a profile is a short list of (node, value).
/// Calls of ``append(_:)`` that wait for the disk at the same time share one transaction and one
/// flush. What it returned for survives the end of the process and the loss of power.
///
/// A day that cannot be read makes questions about it fail; other days stay readable.
package final class SQLiteProfileStore: ProfileStore {
    /// What can be chosen.
    package struct Configuration: Sendable {
        /// How many days are kept, today included; `nil` keeps everything and takes any time.
        package var retentionDays: Int? = 31
        /// The most nodes of stack trees that readers keep in memory.
        ///
        /// A node takes about 10 bytes and a distinct location about 100. Writers keep about as much again.
        package var nodesInMemory = 2_000_000
        /// Which time it is.
        package var now: @Sendable () -> Timestamp = SystemClock.now

        /// The defaults.
        package init() {}
    }

    private let configuration: Configuration
    /// Kept, because its lock ends with it.
    private let dataFolder: DataFolder
    private let files: DayFiles<DayReader>
    private let writer: ProfileWriter
    private let cache: StackCache
    /// How many profiles days have, where that is known; the writer keeps it right.
    private let profileCounts = Mutex<[UTCDay: Int64]>([:])

    /// How far in the future a profile may begin: clocks differ, but not by more.
    private static let tolerance: Int64 = 86_400_000_000_000

    /// Opens the profiles of a data folder.
    ///
    /// - Parameters:
    ///   - folder: The data folder.
    ///   - configuration: What can be chosen.
    /// - Throws: ``StoreError`` when the folder cannot be created or written. Files of days are
    ///   opened when they are needed first.
    package convenience init(
        _ folder: DataFolder, configuration: Configuration = Configuration()
    ) throws(StoreError) {
        var limits = DayWriter.Limits()
        limits.nodesInMemory = configuration.nodesInMemory
        try self.init(folder, configuration, limits)
    }

    init(
        _ folder: DataFolder, _ configuration: Configuration, _ limits: DayWriter.Limits
    ) throws(StoreError) {
        self.configuration = configuration
        dataFolder = folder
        try folder.createFolder("profiles")
        files = DayFiles(folder: folder.path("profiles")) { (day, path) throws(StoreError) in
            try DayReader(day, path: path)
        }
        cache = StackCache(maximumNodes: configuration.nodesInMemory)
        writer = ProfileWriter(folder: folder.path("profiles"), limits: limits)
        applyRetention()
    }

    package func append(_ profiles: [Profile]) throws(StoreError) {
        guard !profiles.isEmpty else { return }
        let now = configuration.now()
        for profile in profiles { try check(profile, now: now) }
        if writer.needsRetention(on: UTCDay(of: now)) { applyRetention() }
        let counts = try writer.append(profiles)
        files.add(Set(counts.keys))
        profileCounts.withLock { $0.merge(counts) { max($0, $1) } }
    }

    package func series(in range: TimeRange) throws(StoreError) -> [ProfileSeries] {
        var result: Set<ProfileSeries> = []
        for day in files.days(in: range) {
            result.formUnion(
                try files.read(day) { (reader) throws(StoreError) in try reader.series(in: range) }
                    ?? [])
        }
        return Array(result)
    }

    package func merge(
        _ selection: ProfileSelection, groupedBy group: @Sendable (LabelSet) -> LabelSet,
        _ reading: Reading
    ) throws(StoreError) -> [LabelSet: MergedStacks] {
        var result: [LabelSet: MergedStacks] = [:]
        for day in files.days(in: selection.range) {
            try reading.check()
            _ = try files.read(day) { (reader) throws(StoreError) in
                try reader.merge(
                    selection, groupedBy: group, trees: cache, into: &result, reading)
            }
        }
        return result
    }

    package func timeline(
        _ selection: ProfileSelection, steps: TimelineSteps,
        groupedBy group: @Sendable (LabelSet) -> LabelSet, _ reading: Reading
    ) throws(StoreError) -> [LabelSet: [TimelinePoint]] {
        guard steps.lengthNanoseconds > 0 else {
            throw StoreError(
                .rejected,
                "cannot read timeline: got a step of \(steps.lengthNanoseconds) ns; "
                    + "want more than 0")
        }
        var sums: [LabelSet: [Timestamp: TimelinePoint]] = [:]
        try totals(selection, reading) { profile in
            let end = steps.end(of: profile.start)
            let empty = TimelinePoint(time: end, value: 0, profiles: 0)
            sums[group(profile.labels), default: [:]][end, default: empty].add(profile.total)
        }
        return sums.mapValues { $0.values.sorted { $0.time < $1.time } }
    }

    package func totals(
        _ selection: ProfileSelection, _ reading: Reading, body: (ProfileTotal) -> Void
    ) throws(StoreError) {
        for day in files.days(in: selection.range) {
            try reading.check()
            _ = try files.read(day) { (reader) throws(StoreError) in
                try reader.totals(selection, trees: cache, reading, body: body)
            }
        }
    }

    package func statistics() throws(StoreError) -> ProfileStoreStatistics {
        var result = ProfileStoreStatistics(profiles: 0, bytes: files.bytes)
        for day in files.all {
            // A day that cannot be read still counts with its bytes.
            result.profiles += Int((try? profileCount(day)) ?? 0)
        }
        return result
    }

    /// Removes the days that are older than what is kept.
    ///
    /// The store does so by itself when it is
    /// opened and when a day has passed.
    package func applyRetention() {
        let today = UTCDay(of: configuration.now())
        guard let retentionDays = configuration.retentionDays else { return }
        let first = UTCDay(number: today.number - Int64(max(1, retentionDays)) + 1)
        files.remove(before: first) { day in
            profileCounts.withLock { $0[day] = nil }
            writer.close(day)
            cache.remove(day: day)
        }
    }

    private func check(_ profile: Profile, now: Timestamp) throws(StoreError) {
        guard let retentionDays = configuration.retentionDays else { return }
        let first = UTCDay(number: UTCDay(of: now).number - Int64(max(1, retentionDays)) + 1)
        guard UTCDay(of: profile.start) >= first else {
            throw StoreError(
                .rejected,
                "cannot store profile: it begins on \(UTCDay(of: profile.start).name); "
                    + "want \(first.name) or later, for older ones are not kept")
        }
        guard profile.start <= now.advanced(byNanoseconds: Self.tolerance) else {
            throw StoreError(
                .rejected,
                "cannot store profile: it begins on \(UTCDay(of: profile.start).name), but now is "
                    + "\(UTCDay(of: now).name); want one of the past")
        }
    }

    private func profileCount(_ day: UTCDay) throws(StoreError) -> Int64 {
        if let count = profileCounts.withLock({ $0[day] }) { return count }
        let count =
            try files.read(day) { (reader) throws(StoreError) in try reader.profileCount() } ?? 0
        profileCounts.withLock { $0[day] = max(count, $0[day] ?? 0) }
        return count
    }
}
