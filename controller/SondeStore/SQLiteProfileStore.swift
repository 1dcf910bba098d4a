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

    private struct Days {
        /// The days that have a file.
        var known: Set<UTCDay> = []
        /// Readers that nobody uses now.
        var idleReaders: [UTCDay: [DayReader]] = [:]
        /// How many profiles days have, where that is known; the writer keeps it right.
        var profileCounts: [UTCDay: Int64] = [:]
    }

    private let configuration: Configuration
    /// Kept, because its lock ends with it.
    private let dataFolder: DataFolder
    private let folder: String
    private let writer: ProfileWriter
    private let cache: StackCache
    private let days: Mutex<Days>

    /// The most readers of one day, and of all days, that stay open while nobody uses them.
    private static let idleReadersPerDay = 2
    private static let idleReaders = 16
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
        self.folder = folder.path("profiles")
        try folder.createFolder("profiles")
        cache = StackCache(maximumNodes: configuration.nodesInMemory)
        writer = ProfileWriter(folder: self.folder, limits: limits)
        var days = Days()
        days.known = Set(FileSystem.entries(of: self.folder).compactMap(DayFormat.day(ofFile:)))
        self.days = Mutex(days)
        applyRetention()
    }

    package func append(_ profiles: [Profile]) throws(StoreError) {
        guard !profiles.isEmpty else { return }
        let now = configuration.now()
        for profile in profiles { try check(profile, now: now) }
        if writer.needsRetention(on: UTCDay(of: now)) { applyRetention() }
        let counts = try writer.append(profiles)
        days.withLock { days in
            for (day, count) in counts {
                days.known.insert(day)
                days.profileCounts[day] = max(count, days.profileCounts[day] ?? 0)
            }
        }
    }

    package func series(in range: TimeRange) throws(StoreError) -> [ProfileSeries] {
        var result: Set<ProfileSeries> = []
        for day in days(in: range) {
            result.formUnion(
                try read(day) { (reader) throws(StoreError) in try reader.series(in: range) } ?? [])
        }
        return Array(result)
    }

    package func merge(
        _ type: ProfileType, in range: TimeRange, where matches: (LabelSet) -> Bool
    ) throws(StoreError) -> MergedStacks {
        var result = MergedStacks(stacks: LocationTree(), profileCount: 0)
        for day in days(in: range) {
            let part = try read(day) { (reader) throws(StoreError) in
                try reader.merge(type, in: range, trees: cache, where: matches)
            }
            guard let part, part.profileCount > 0 else { continue }
            result.stacks.merge(part.stacks)
            result.profileCount += part.profileCount
        }
        return result
    }

    package func timeline(
        _ type: ProfileType, in range: TimeRange, stepNanoseconds: Int64,
        where matches: (LabelSet) -> Bool
    ) throws(StoreError) -> [TimelinePoint] {
        guard stepNanoseconds > 0 else {
            throw StoreError(
                .rejected,
                "cannot read timeline: got a step of \(stepNanoseconds) ns; want more than 0")
        }
        var sums: [Int64: Int64] = [:]
        for day in days(in: range) {
            _ = try read(day) { (reader) throws(StoreError) in
                try reader.addTimeline(
                    type, in: range, stepNanoseconds: stepNanoseconds, to: &sums, where: matches)
            }
        }
        return sums.sorted { $0.key < $1.key }.map { step, value in
            let (time, overflow) = step.multipliedReportingOverflow(by: stepNanoseconds)
            return TimelinePoint(
                time: Timestamp(unixNanoseconds: overflow ? .min : time), value: value)
        }
    }

    package func statistics() throws(StoreError) -> ProfileStoreStatistics {
        var result = ProfileStoreStatistics(profiles: 0, bytes: 0)
        for day in days.withLock({ $0.known }) {
            for suffix in ["", "-wal"] {
                let status = FileSystem.status(DayFormat.path(day, in: folder) + suffix)
                result.bytes += Int64(status?.st_size ?? 0)
            }
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
        let old = days.withLock { days in
            let old = days.known.filter { $0 < first }
            for day in old {
                days.known.remove(day)
                days.idleReaders[day] = nil
                days.profileCounts[day] = nil
            }
            return old
        }
        for day in old {
            writer.close(day)
            cache.remove(day: day)
            // The log first: a database without its log is whole, a log without its database
            // would be taken for another's.
            for suffix in ["-wal", "-shm", ""] {
                FileSystem.remove(DayFormat.path(day, in: folder) + suffix)
            }
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

    private func days(in range: TimeRange) -> [UTCDay] {
        let (first, last) = (UTCDay(of: range.from), UTCDay(of: range.until))
        return days.withLock { $0.known.filter { first <= $0 && $0 <= last }.sorted() }
    }

    private func profileCount(_ day: UTCDay) throws(StoreError) -> Int64 {
        if let count = days.withLock({ $0.profileCounts[day] }) { return count }
        let count = try read(day) { (reader) throws(StoreError) in try reader.profileCount() } ?? 0
        days.withLock { $0.profileCounts[day] = max(count, $0.profileCounts[day] ?? 0) }
        return count
    }

    /// Reads from a day; `nil` when retention removed it meanwhile.
    private func read<Result>(
        _ day: UTCDay, _ body: (DayReader) throws(StoreError) -> Result
    ) throws(StoreError) -> Result? {
        let path = DayFormat.path(day, in: folder)
        let reader: DayReader
        if let idle = days.withLock({ $0.idleReaders[day]?.popLast() }) {
            reader = idle
        } else {
            guard FileSystem.exists(path) else { return nil }
            reader = try DayReader(day, path: path)
        }
        let result = try body(reader)
        days.withLock { days in
            guard days.known.contains(day),
                days.idleReaders[day, default: []].count < Self.idleReadersPerDay,
                days.idleReaders.values.reduce(0, { $0 + $1.count }) < Self.idleReaders
            else { return }
            days.idleReaders[day, default: []].append(reader)
        }
        return result
    }
}
