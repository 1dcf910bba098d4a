// SPDX-License-Identifier: Apache-2.0
// The embedded store of profiles: one SQLite database a day.

internal import Glibc
package import SondeModel
internal import Synchronization

/// Keeps profiles in one SQLite database for each day (UTC) in which profiles began.
///
/// Stacks are interned once for each service and month or so; a profile is a short list of (node,
/// value). Calls of ``append(_:)`` that wait for the disk at the same time share one transaction and
/// one flush. What it returned for survives the end of the process and the loss of power.
///
/// Profiles that begin in the same window of time are added up into blocks (``makeBlocks(isStopped:)``),
/// so that a long range costs about what a short one does.
///
/// A day that cannot be read makes questions about it fail; other days stay readable.
package final class SQLiteProfileStore: ProfileStore {
    /// What can be chosen.
    package struct Configuration: Sendable {
        /// How many days are kept, today included; `nil` keeps everything and takes any time.
        package var retentionDays: Int? = 31
        /// The most bytes on disk, or `nil` for no bound.
        ///
        /// The oldest days go first, today never.
        package var retentionBytes: Int64?
        /// Series that are kept for less.
        package var retentionRules: [RetentionRule] = []
        /// The oldest day that profiles are taken for, counted back from today; `nil` means all
        /// that are kept.
        package var acceptedDays: Int?
        /// Told of everything that the store removes by itself.
        package var removed: @Sendable (Removal) -> Void = { _ in }
        /// The most nodes of stack trees that readers keep in memory.
        ///
        /// A node takes about 10 bytes and a distinct location about 100. Writers keep about as much again.
        package var nodesInMemory = 2_000_000
        /// The most sums of whole days that readers keep in memory, 8 bytes each.
        package var sumsInMemory = 4_000_000
        /// Which time it is.
        package var now: @Sendable () -> Timestamp = SystemClock.now

        /// The defaults.
        package init() {}
    }

    let configuration: Configuration
    /// Kept, because its lock ends with it.
    let dataFolder: DataFolder
    let files: DayFiles<DayReader>
    let stacks: StackFiles
    let writer: ProfileWriter
    private let cache: StackCache
    /// Which days changed, and sums of those that did not.
    let changes = DayChanges()
    let daySums: DaySums
    let history = Mutex(RemovalHistory())
    /// One at a time removes days or makes blocks.
    let maintenance = Mutex<Void>(())

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
        var limits = ProfileWriter.Limits()
        limits.stacks.nodesInMemory = configuration.nodesInMemory
        try self.init(folder, configuration, limits)
    }

    init(
        _ folder: DataFolder, _ configuration: Configuration, _ limits: ProfileWriter.Limits
    ) throws(StoreError) {
        self.configuration = configuration
        dataFolder = folder
        let path = folder.path("profiles")
        try folder.createFolder("profiles")
        try folder.createFolder("profiles/\(StackFormat.folder)")
        files = DayFiles(folder: path) { (day, path) throws(StoreError) in
            try DayReader(day, path: path)
        }
        stacks = StackFiles(folder: "\(path)/\(StackFormat.folder)")
        cache = StackCache(maximumNodes: configuration.nodesInMemory)
        daySums = DaySums(maximumNodes: configuration.sumsInMemory)
        writer = ProfileWriter(
            folder: path, limits: limits, changes: changes, now: configuration.now)
        try? applyRetention()
    }

    package func append(_ profiles: [Profile]) throws(StoreError) {
        guard !profiles.isEmpty else { return }
        let now = configuration.now()
        for profile in profiles { try check(profile, now: now) }
        if writer.needsRetention(on: UTCDay(of: now)) {
            // Who makes blocks meanwhile applies it afterwards.
            _ = maintenance.withLockIfAvailable { _ in removeDays() }
        }
        files.add(try writer.append(profiles))
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
        var totals = GroupedTotals()
        let whole = wholeDays(of: selection)
        for day in days(of: selection) where whole?.contains(day.number) != true {
            try reading.check()
            _ = try files.read(day) { (reader) throws(StoreError) in
                try reader.merge(selection, groupedBy: group, into: &totals, reading)
            }
        }
        if let whole {
            try addWholeDays(whole, selection, groupedBy: group, into: &totals, reading)
        }
        let filter = StackFilterAnswers(selection.stacks, columns: columns(of:))
        var result: [LabelSet: MergedStacks] = [:]
        for (group, totals) in totals.groups where totals.profiles > 0 {
            result[group] = try layOut(totals, filter, reading)
        }
        return result
    }

    /// Lays sums out as stacks: once for each tree, whatever the number of days.
    private func layOut(
        _ totals: StackTotals, _ filter: StackFilterAnswers, _ reading: Reading
    ) throws(StoreError) -> MergedStacks {
        var merged = MergedStacks(stacks: LocationTree(), profileCount: totals.profiles)
        for (home, values) in totals.byTree.sorted(by: { $0.value.count > $1.value.count }) {
            try reading.check()
            var values = values
            if let counts = try filter.counts(home) {
                for node in values.indices where node >= counts.count || !counts[node] {
                    values[node] = 0
                }
            }
            guard let stacks = StackSums.layOut(values, try columns(of: home)) else {
                throw StoreError(
                    .corrupt,
                    "cannot read profiles in \(files.folder): one names an unknown stack; want it "
                        + "restored or moved away")
            }
            merged.stacks.merge(stacks)
            try reading.check(nodes: merged.stacks.count)
        }
        return merged
    }

    /// A tree, as far as it is on disk.
    func columns(of home: StackHome) throws(StoreError) -> StackColumns {
        try cache.columns(home) { (columns) throws(StoreError) in
            switch home {
            case .shared(let epoch, let tree):
                try stacks.read(epoch) { (reader) throws(StoreError) in
                    try reader.extend(&columns, tree: tree)
                }
            case .day(let day, let tree):
                _ = try files.read(day) { (reader) throws(StoreError) in
                    try reader.extend(&columns, tree: tree)
                }
            }
        }
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
        var sums = TimelineSums()
        if selection.needsSingleProfiles {
            try totals(selection, reading) { profile in
                let end = steps.end(of: profile.start)
                let empty = TimelinePoint(time: end, value: 0, profiles: 0)
                sums.groups[group(profile.labels), default: [:]][end, default: empty]
                    .add(profile.total)
            }
        } else {
            let filter = StackFilterAnswers(selection.stacks, columns: columns(of:))
            for day in days(of: selection) {
                try reading.check()
                _ = try files.read(day) { (reader) throws(StoreError) in
                    try reader.timeline(
                        selection, steps, filter, groupedBy: group, into: &sums, reading)
                }
            }
        }
        return sums.groups.mapValues { $0.values.sorted { $0.time < $1.time } }
    }

    package func totals(
        _ selection: ProfileSelection, _ reading: Reading, body: (ProfileTotal) -> Void
    ) throws(StoreError) {
        let filter = StackFilterAnswers(selection.stacks, columns: columns(of:))
        for day in days(of: selection) {
            try reading.check()
            _ = try files.read(day) { (reader) throws(StoreError) in
                try reader.totals(selection, filter, reading, body: body)
            }
        }
    }

    /// The days that a question touches.
    private func days(of selection: ProfileSelection) -> [UTCDay] {
        let days = files.days(in: selection.range)
        guard let ids = selection.profileIDs else { return days }
        let wanted = Set(ids.map(\.day))
        return days.filter { wanted.contains($0) }
    }

    package func statistics() throws(StoreError) -> ProfileStoreStatistics {
        var result = ProfileStoreStatistics(profiles: 0, bytes: files.bytes + stacks.bytes)
        var series: [String: Set<ProfileSeries>] = [:]
        for day in files.all {
            // A day that cannot be read still counts with its bytes.
            try? files.read(day) { (reader) throws(StoreError) in
                try reader.usage { one, profiles, bytes, times in
                    let service = one.labels[LabelName.service] ?? ""
                    series[service, default: []].insert(one)
                    result.add(profiles: Int(profiles), bytes: bytes, times, to: service)
                }
            }
        }
        for epoch in stacks.epochs {
            let usage = try? stacks.read(epoch) { (reader) throws(StoreError) in
                try reader.usage()
            }
            for (service, usage) in usage ?? [:] {
                result.services[service]?.nodes += usage.nodes
                result.services[service]?.stackBytes += usage.bytes
            }
        }
        for (service, series) in series { result.services[service]?.series = series.count }
        return result
    }

    /// The first day that is kept; `nil` when all are.
    var firstDay: UTCDay? {
        configuration.retentionDays.map { days in
            UTCDay(number: UTCDay(of: configuration.now()).number - Int64(max(1, days)) + 1)
        }
    }

    /// Forgets what is remembered of a day whose file goes or changes.
    func forget(_ day: UTCDay) {
        changes.note(day)
        daySums.forget(day)
        writer.close(day)
        files.closeReaders(of: day)
        cache.remove { home in
            if case .day(day, _) = home { return true }
            return false
        }
    }

    /// Removes an epoch of stacks.
    func removeStacks(_ epoch: Int64) {
        stacks.remove(epoch)
        cache.remove { home in
            if case .shared(epoch, _) = home { return true }
            return false
        }
    }

    private func check(_ profile: Profile, now: Timestamp) throws(StoreError) {
        guard let firstDay else { return }
        let accepted = configuration.acceptedDays.map { days in
            UTCDay(number: UTCDay(of: now).number - Int64(max(1, days)) + 1)
        }
        let first = max(firstDay, accepted ?? firstDay)
        guard UTCDay(of: profile.start) >= first else {
            throw StoreError(
                .rejected,
                "cannot store profile: it begins on \(UTCDay(of: profile.start).name); "
                    + "want \(first.name) or later, for older ones are not "
                    + (first > firstDay ? "taken" : "kept"))
        }
        guard profile.start <= now.advanced(byNanoseconds: Self.tolerance) else {
            throw StoreError(
                .rejected,
                "cannot store profile: it begins on \(UTCDay(of: profile.start).name), but now is "
                    + "\(UTCDay(of: now).name); want one of the past")
        }
    }
}
