// SPDX-License-Identifier: Apache-2.0
// The embedded store of log lines: one SQLite database a day.

package import SondeModel
internal import Synchronization

/// Keeps log lines in one SQLite database for each day (UTC) in which they were written.
///
/// Calls of ``append(_:)`` that wait for the disk at the same time share one transaction and one
/// flush. What it returned for survives the end of the process and the loss of power.
///
/// A day that cannot be read makes questions about it fail; other days stay readable.
package final class SQLiteLogStore: LogStore {
    /// What can be chosen.
    package struct Configuration: Sendable {
        /// How many days are kept, today included; `nil` keeps everything and takes any time.
        package var retentionDays: Int? = 31
        /// The most streams of one day.
        package var streams = 5000
        /// Which time it is.
        package var now: @Sendable () -> Timestamp = SystemClock.now

        /// The defaults.
        package init() {}
    }

    private let configuration: Configuration
    /// Kept, because its lock ends with it.
    private let dataFolder: DataFolder
    private let files: DayFiles<LogDayReader>
    private let feed = LogFeed()
    private let writer: LogWriter
    private let retentionDay: Mutex<UTCDay>

    /// How far in the future a line may lie, as in Loki: clocks differ, but not by more.
    private static let tolerance: Int64 = 600_000_000_000

    /// Opens the logs of a data folder.
    ///
    /// - Parameters:
    ///   - folder: The data folder.
    ///   - configuration: What can be chosen.
    /// - Throws: ``StoreError`` when the folder cannot be created or written. Files of days are
    ///   opened when they are needed first.
    package convenience init(
        _ folder: DataFolder, configuration: Configuration = Configuration()
    ) throws(StoreError) {
        var limits = LogDayWriter.Limits()
        limits.streams = configuration.streams
        try self.init(folder, configuration, limits)
    }

    init(
        _ folder: DataFolder, _ configuration: Configuration, _ limits: LogDayWriter.Limits
    ) throws(StoreError) {
        self.configuration = configuration
        dataFolder = folder
        try folder.createFolder("logs")
        files = DayFiles(folder: folder.path("logs")) { (_, path) throws(StoreError) in
            try LogDayReader(path: path)
        }
        writer = LogWriter(folder: folder.path("logs"), limits: limits, feed: feed)
        retentionDay = Mutex(UTCDay(of: configuration.now()))
        applyRetention()
    }

    package func refusal(of time: Timestamp) -> StoreError? {
        guard let first = firstDay else { return nil }
        guard UTCDay(of: time) >= first else {
            return StoreError(
                .rejected,
                "cannot store the line: it is of \(UTCDay(of: time).name); want \(first.name) or "
                    + "later, for older ones are not kept")
        }
        guard time <= configuration.now().advanced(byNanoseconds: Self.tolerance) else {
            return StoreError(
                .rejected,
                "cannot store the line: its time, \(time.unixNanoseconds) ns, lies more than 10 "
                    + "minutes in the future; want one of the past")
        }
        return nil
    }

    package func append(_ streams: [LogStream]) throws(StoreError) {
        guard streams.contains(where: { !$0.entries.isEmpty }) else { return }
        let today = UTCDay(of: configuration.now())
        let isNewDay = retentionDay.withLock { day in
            defer { day = today }
            return day != today
        }
        if isNewDay { applyRetention() }
        let days = LogWriter.byDay(streams)
        // Before they are written: some lines may be stored also when the rest fails.
        files.add(Set(days.keys))
        try writer.append(days)
    }

    package func streams(in range: TimeRange) throws(StoreError) -> [LabelSet] {
        var result: Set<LabelSet> = []
        for day in files.days(in: range) {
            result.formUnion(
                try files.read(day) { (reader) throws(StoreError) in
                    try reader.streams(in: range)
                } ?? [])
        }
        return Array(result)
    }

    package func read(
        _ request: LogRead, _ take: (LabelSet, LogEntry) -> Bool
    ) throws(StoreError) {
        let days = files.days(in: request.range)
        for day in request.newestFirst ? days.reversed() : days {
            let wantsMore = try files.read(day) { (reader) throws(StoreError) in
                try reader.read(request, take)
            }
            if wantsMore == false { return }
        }
    }

    package func figures(
        in range: TimeRange, where matches: (LabelSet) -> Bool
    ) throws(StoreError) -> LogFigures {
        var figures = LogFigures()
        var seen: Set<LabelSet> = []
        for day in files.days(in: range) {
            try files.read(day) { (reader) throws(StoreError) in
                try reader.addFigures(in: range, where: matches, to: &figures, &seen)
            }
        }
        figures.streams = seen.count
        return figures
    }

    package func statistics() throws(StoreError) -> LogStoreStatistics {
        var result = LogStoreStatistics(entries: 0, bytes: files.bytes)
        for day in files.all {
            // A day that cannot be read still counts with its bytes.
            let count = try? files.read(day) { (reader) throws(StoreError) in
                try reader.entryCount()
            }
            result.entries += count ?? 0
        }
        return result
    }

    package func subscribe(
        _ take: @escaping @Sendable ([LogStream]) -> Void
    ) -> LogSubscription {
        feed.subscribe(take)
    }

    /// Removes the days that are older than what is kept.
    ///
    /// The store does so by itself when it is opened and when a day has passed.
    package func applyRetention() {
        guard let firstDay else { return }
        files.remove(before: firstDay) { writer.close($0) }
    }

    private var firstDay: UTCDay? {
        configuration.retentionDays.map { days in
            UTCDay(number: UTCDay(of: configuration.now()).number - Int64(max(1, days)) + 1)
        }
    }
}
