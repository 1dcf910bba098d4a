// SPDX-License-Identifier: Apache-2.0
// The days that a store has open for writing: few, because new data rarely belongs to others.

/// The writers of days that are open, the latest used ones.
///
/// Used under the lock of the store's one writer.
struct OpenDays<Writer> {
    /// The most days that are open at one time.
    private static var limit: Int { 4 }

    private let folder: String
    private let open: (String) throws(StoreError) -> Writer
    private var writers: [UTCDay: Writer] = [:]
    private var lastUse: [UTCDay: UInt64] = [:]
    private var clock: UInt64 = 0

    /// No day is open.
    ///
    /// - Parameters:
    ///   - folder: Where the days' databases lie.
    ///   - open: Opens the writer of a database.
    init(folder: String, open: @escaping (String) throws(StoreError) -> Writer) {
        self.folder = folder
        self.open = open
    }

    /// The writer of a day, opened if need be; the one that was not used for longest is closed.
    mutating func writer(of day: UTCDay) throws(StoreError) -> Writer {
        clock += 1
        lastUse[day] = clock
        if let writer = writers[day] { return writer }
        while writers.count >= Self.limit,
            let oldest = writers.keys.min(by: { lastUse[$0] ?? 0 < lastUse[$1] ?? 0 })
        {
            close(oldest)
        }
        let path = DayFormat.path(day, in: folder)
        let isNew = !FileSystem.exists(path)
        let writer = try open(path)
        if isNew { try FileSystem.flushFolder(folder) }
        writers[day] = writer
        return writer
    }

    /// Closes a day, if it is open: a fresh connection knows best what the disk holds.
    mutating func close(_ day: UTCDay) {
        writers[day] = nil
        lastUse[day] = nil
    }
}
