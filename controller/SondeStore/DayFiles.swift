// SPDX-License-Identifier: Apache-2.0
// The files of a store that has one database a day: which there are, who reads them, how they go.

internal import Glibc
internal import SondeModel
internal import Synchronization

/// The databases of one folder, one a day, with readers that wait for their next use.
final class DayFiles<Reader: Sendable>: Sendable {
    private struct State {
        /// The days that have a file.
        var known: Set<UTCDay> = []
        /// Readers that nobody uses now.
        var idle: [UTCDay: [Reader]] = [:]
    }

    /// The most readers of one day, and of all days, that stay open while nobody uses them.
    private static var idleReadersPerDay: Int { 2 }
    private static var idleReaders: Int { 64 }

    /// The folder's path.
    let folder: String
    private let open: @Sendable (UTCDay, String) throws(StoreError) -> Reader
    private let state: Mutex<State>

    /// The days that have a file in a folder.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - open: Opens a reader of a day at a path.
    init(
        folder: String, open: @escaping @Sendable (UTCDay, String) throws(StoreError) -> Reader
    ) {
        self.folder = folder
        self.open = open
        state = Mutex(
            State(known: Set(FileSystem.entries(of: folder).compactMap(DayFormat.day(ofFile:)))))
    }

    /// The days that have a file, in order.
    var all: [UTCDay] { state.withLock { $0.known.sorted() } }

    /// The days of a range that have a file, in order.
    func days(in range: TimeRange) -> [UTCDay] {
        let (first, last) = (UTCDay(of: range.from), UTCDay(of: range.until))
        return state.withLock { $0.known.filter { first <= $0 && $0 <= last }.sorted() }
    }

    /// Notes that days have a file now.
    func add(_ days: Set<UTCDay>) { state.withLock { $0.known.formUnion(days) } }

    /// The bytes of all files.
    var bytes: Int64 { all.reduce(0) { $0 + bytes(of: $1) } }

    /// The bytes of a day's files.
    func bytes(of day: UTCDay) -> Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            sum + Int64(FileSystem.status(path(day) + suffix)?.st_size ?? 0)
        }
    }

    /// Where a day's database lies.
    func path(_ day: UTCDay) -> String { DayFormat.path(day, in: folder) }

    /// Closes the readers of a day that nobody uses.
    func closeReaders(of day: UTCDay) { state.withLock { $0.idle[day] = nil } }

    /// Reads from a day; `nil` when retention removed it meanwhile.
    func read<Result>(
        _ day: UTCDay, _ body: (Reader) throws(StoreError) -> Result
    ) throws(StoreError) -> Result? {
        let path = DayFormat.path(day, in: folder)
        let reader: Reader
        if let idle = state.withLock({ $0.idle[day]?.popLast() }) {
            reader = idle
        } else {
            guard FileSystem.exists(path) else { return nil }
            reader = try open(day, path)
        }
        let result = try body(reader)
        state.withLock { state in
            guard state.known.contains(day),
                state.idle[day, default: []].count < Self.idleReadersPerDay,
                state.idle.values.reduce(0, { $0 + $1.count }) < Self.idleReaders
            else { return }
            state.idle[day, default: []].append(reader)
        }
        return result
    }

    /// Removes the files of days before a first one that is kept.
    ///
    /// - Parameters:
    ///   - first: The first day that is kept.
    ///   - close: Closes whatever else has a day's file open.
    func remove(before first: UTCDay, close: (UTCDay) -> Void) {
        for day in all where day < first { remove(day) { close(day) } }
    }

    /// Removes the files of a day.
    ///
    /// - Parameters:
    ///   - day: The day.
    ///   - close: Closes whatever else has its file open.
    func remove(_ day: UTCDay, close: () -> Void) {
        state.withLock { state in
            state.known.remove(day)
            state.idle[day] = nil
        }
        close()
        // The log first: a database without its log is whole, a log without its database would be
        // taken for another's.
        for suffix in ["-wal", "-shm", ""] { FileSystem.remove(path(day) + suffix) }
    }
}
