// SPDX-License-Identifier: Apache-2.0
// Writes profiles of many callers in few transactions.

internal import SondeModel
internal import Synchronization

/// The one writer of a profile store: callers that wait at the same time share transactions.
///
/// The first caller that gets the lock writes what all others have queued; they find their result
/// when the lock comes to them. New stacks go to disk before the profiles that name them.
final class ProfileWriter: Sendable {
    /// Bounds of what a writer keeps and makes.
    struct Limits: Sendable {
        var stacks = StackWriter.Limits()
        /// The most series of a day that are remembered.
        var seriesInMemory = 100_000
    }

    /// One caller's profiles, and what became of them.
    ///
    /// Safety of `@unchecked Sendable`: `outcome` is used only under the lock of `state`.
    private final class Ticket: @unchecked Sendable {
        let profiles: [Profile]
        var outcome: Result<Set<UTCDay>, StoreError>?

        init(_ profiles: [Profile]) { self.profiles = profiles }
    }

    private struct State {
        var days: OpenDays<DayWriter>
        let stacks: StackWriter
    }

    /// The most callers that share a transaction: bounds how long the first waits for the last.
    private static let callersPerTransaction = 256

    private let now: @Sendable () -> Timestamp
    private let changes: DayChanges
    private let queue = Mutex<[Ticket]>([])
    private let state: Mutex<State>
    private let retentionDay = Mutex<UTCDay?>(nil)

    init(
        folder: String, limits: Limits, changes: DayChanges,
        now: @escaping @Sendable () -> Timestamp
    ) {
        self.now = now
        self.changes = changes
        let packer = Packer()
        let generations = DayWriter.Generations()
        state = Mutex(
            State(
                days: OpenDays(folder: folder) { path throws(StoreError) in
                    try DayWriter(
                        path, seriesInMemory: limits.seriesInMemory, generations: generations,
                        packer: packer)
                },
                stacks: StackWriter(
                    folder: "\(folder)/\(StackFormat.folder)", limits: limits.stacks,
                    packer: packer)))
    }

    /// Whether a day has begun since this was asked last.
    func needsRetention(on today: UTCDay) -> Bool {
        retentionDay.withLock { day in
            defer { day = today }
            return day != nil && day != today
        }
    }

    /// Stores profiles; when it returns, they are on disk.
    ///
    /// - Returns: The days that were written to.
    /// - Throws: ``StoreError``. Profiles that began on another day may be stored all the same.
    func append(_ profiles: [Profile]) throws(StoreError) -> Set<UTCDay> {
        let ticket = Ticket(profiles)
        queue.withLock { $0.append(ticket) }
        return try state.withLock { state throws(StoreError) in
            while ticket.outcome == nil {
                let group = queue.withLock { queue in
                    let group = Array(queue.prefix(Self.callersPerTransaction))
                    queue.removeFirst(group.count)
                    return group
                }
                write(group, &state)
            }
            return try ticket.outcome?.get() ?? []
        }
    }

    /// Closes the database of a day, if it is open.
    func close(_ day: UTCDay) { state.withLock { $0.days.close(day) } }

    /// Changes a day's database while nobody else writes.
    ///
    /// What fails leaves the day closed, to be opened anew; so does what makes the writer forget.
    func change<Result: Sendable>(
        _ day: UTCDay, thenCloses: Bool = false,
        _ body: @Sendable (DayWriter) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try state.withLock { state throws(StoreError) in
            changes.note(day)
            defer { changes.note(day) }
            do throws(StoreError) {
                let result = try body(try state.days.writer(of: day))
                // Before anybody else may write: what this writer remembers is not true any more.
                if thenCloses { state.days.close(day) }
                return result
            } catch {
                state.days.close(day)
                throw error
            }
        }
    }

    /// The epoch that takes new stacks; `nil` before the first.
    var currentEpoch: Int64? { state.withLock { $0.stacks.currentEpoch } }

    private func write(_ group: [Ticket], _ state: inout State) {
        var byDay: [UTCDay: [InternedProfile]] = [:]
        do throws(StoreError) {
            try state.stacks.open(at: now())
            for ticket in group {
                ticket.outcome = .success([])
                for profile in ticket.profiles {
                    byDay[UTCDay(of: profile.start), default: []].append(
                        try state.stacks.intern(profile))
                }
            }
            try state.stacks.commit()
        } catch {
            state.stacks.forget()
            for ticket in group { ticket.outcome = .failure(error) }
            return
        }
        var failures: [UTCDay: StoreError] = [:]
        for (day, profiles) in byDay {
            changes.note(day)
            defer { changes.note(day) }
            do throws(StoreError) {
                try state.days.writer(of: day).write(profiles)
            } catch {
                state.days.close(day)
                failures[day] = error
            }
        }
        for ticket in group {
            let days = Set(ticket.profiles.map { UTCDay(of: $0.start) })
            let failure = days.lazy.compactMap { failures[$0] }.first
            ticket.outcome = failure.map { .failure($0) } ?? .success(days)
        }
    }
}
