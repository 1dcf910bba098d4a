// SPDX-License-Identifier: Apache-2.0
// Removes what is not kept: days by age and bytes, series by rule, stacks that no day names.

internal import SondeModel
internal import Synchronization

extension SQLiteProfileStore {
    /// Does what has to be done now and then: removes what is not kept, and makes blocks.
    ///
    /// - Parameter isStopped: Whether to leave the rest for later; asked often.
    /// - Throws: ``StoreError`` of the first day that failed, after all others were done.
    package func maintain(isStopped: @Sendable () -> Bool = { false }) throws(StoreError) {
        try maintenance.withLock { (_) throws(StoreError) in
            var failure: StoreError?
            do throws(StoreError) { try applyRetention() } catch { failure = error }
            try makeAllBlocks(isStopped)
            if let failure { throw failure }
        }
    }

    /// What was removed since the store was opened.
    package var removals: RemovalHistory { history.withLock { $0 } }

    /// Removes what is not kept.
    func applyRetention() throws(StoreError) {
        removeDays()
        let today = UTCDay(of: configuration.now())
        for rule in configuration.retentionRules { try apply(rule, today: today) }
    }

    /// Removes the days that are not kept, which is quick.
    func removeDays() {
        let today = UTCDay(of: configuration.now())
        if let first = firstDay {
            for day in files.all where day < first { remove(day, .age) }
        }
        if let limit = configuration.retentionBytes {
            // Today is kept whatever it takes: a store that keeps nothing helps nobody.
            var days = files.all.filter { $0 < today }[...]
            while files.bytes + stacks.bytes > limit, let oldest = days.popFirst() {
                remove(oldest, .bytes)
                removeUnusedStacks()
            }
        }
        removeUnusedStacks()
    }

    private func remove(_ day: UTCDay, _ reason: Removal.Reason) {
        let count = try? files.read(day) { (reader) throws(StoreError) in
            try reader.profileCount()
        }
        let bytes = files.bytes(of: day)
        files.remove(day) { forget(day) }
        // Who read the file while it went must not remember it.
        forget(day)
        note(
            Removal(
                time: configuration.now(), day: day.name, reason: reason, profiles: count ?? -1,
                bytes: bytes))
    }

    private func note(_ removal: Removal) {
        history.withLock { $0.add(removal) }
        configuration.removed(removal)
    }

    /// Removes epochs of stacks that no day names; with a day that cannot be read, none.
    private func removeUnusedStacks() {
        let epochs = stacks.epochs
        // The last one may be about to be written to.
        guard epochs.count > 1, let last = epochs.last else { return }
        var needed: Set<Int64> = [last]
        for day in files.all {
            guard
                let epochs = try? files.read(
                    day, { (reader) throws(StoreError) in try reader.epochs() })
            else { return }
            needed.formUnion(epochs)
        }
        for epoch in epochs where !needed.contains(epoch) { removeStacks(epoch) }
    }

    private func apply(_ rule: RetentionRule, today: UTCDay) throws(StoreError) {
        let first = UTCDay(number: today.number - Int64(max(1, rule.days)) + 1)
        for day in files.all where day < first {
            let hasSome = try files.read(day) { (reader) throws(StoreError) in
                try reader.hasSeries(where: rule.matches)
            }
            guard hasSome == true else { continue }
            let before = files.bytes(of: day)
            let count = try writer.change(day, thenCloses: true) { (writer) throws(StoreError) in
                try writer.remove(rule.matches)
            }
            forget(day)
            // What was removed leaves holes; the file is written anew without them.
            try Database(files.path(day), .write, DayFormat.format).execute(
                "VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
            note(
                Removal(
                    time: configuration.now(), day: day.name, reason: .rule(rule.name),
                    profiles: count, bytes: max(0, before - files.bytes(of: day))))
        }
    }
}
