// SPDX-License-Identifier: Apache-2.0
// Makes merged blocks of windows of time that have passed.

internal import SondeModel
internal import Synchronization

extension SQLiteProfileStore {
    /// How many blocks are read and stored at one time: bounds memory, and how long writers wait.
    private static let blocksAtOnce = 32

    /// Adds up the profiles of windows that have passed.
    ///
    /// May end at any moment, by `kill -9` too: a block is stored in one transaction with the note
    /// that it is not wanted any more. A profile that comes into a window while its block is read
    /// makes that block be thrown away.
    ///
    /// - Parameter isStopped: Whether to leave the rest for later; asked often.
    /// - Throws: ``StoreError`` of the first day that failed, after all others were done.
    /// - Returns: How many windows are done.
    @discardableResult
    package func makeBlocks(
        isStopped: @Sendable () -> Bool = { false }
    ) throws(StoreError) -> Int {
        try maintenance.withLock { (_) throws(StoreError) in try makeAllBlocks(isStopped) }
    }

    /// Makes all blocks that are due; for who holds the lock of maintenance.
    @discardableResult
    func makeAllBlocks(_ isStopped: () -> Bool) throws(StoreError) -> Int {
        var done = 0
        var failure: StoreError?
        for day in files.all where !isStopped() {
            do throws(StoreError) {
                var made = 0
                for level in BlockLadder.lengths.indices {
                    made += try makeBlocks(day, level, isStopped)
                }
                done += made
                // A day that is over is rarely written to: its log need not lie beside it.
                if made > 0, day < UTCDay(of: configuration.now()) {
                    try writer.change(day) { (writer) throws(StoreError) in
                        try writer.database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    }
                }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return done
    }

    private func makeBlocks(
        _ day: UTCDay, _ level: Int, _ isStopped: () -> Bool
    ) throws(StoreError) -> Int {
        let now = configuration.now()
        let hasWork = try files.read(day) { (reader) throws(StoreError) in
            try reader.database.number("SELECT EXISTS (SELECT 1 FROM pending)") == 1
        }
        guard hasWork == true else { return 0 }
        let due = try writer.change(day) { (writer) throws(StoreError) in
            try writer.dueBlocks(level: level, now: now)
        }
        var done = 0
        for start in stride(from: 0, to: due.count, by: Self.blocksAtOnce) where !isStopped() {
            let part = Array(due[start..<min(due.count, start + Self.blocksAtOnce)])
            let contents = try files.read(day) { (reader) throws(StoreError) in
                try reader.contents(of: part, isStopped: isStopped)
            }
            guard let contents else { return done }
            done += try writer.change(day) { (writer) throws(StoreError) in
                try writer.store(contents)
            }
        }
        return done
    }
}

extension SQLiteProfileStore {
    /// How many bytes these become when they are packed as the store packs its content: what a
    /// store that only kept them would take.
    package static func packedSize(of bytes: [UInt8]) -> Int { Packer().pack(bytes).count }
}
