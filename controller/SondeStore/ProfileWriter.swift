// SPDX-License-Identifier: Apache-2.0
// Writes profiles of many callers in few transactions.

internal import SondeModel
internal import Synchronization

/// The one writer of a profile store: callers that wait at the same time share transactions.
///
/// The first caller that gets the lock writes what all others have queued; they find their result
/// when the lock comes to them.
final class ProfileWriter: Sendable {
    /// One caller's profiles, and what became of them.
    ///
    /// Safety of `@unchecked Sendable`: `outcome` is used only under the lock of `state`.
    private final class Ticket: @unchecked Sendable {
        let profiles: [Profile]
        var outcome: Result<[UTCDay: Int64], StoreError>?

        init(_ profiles: [Profile]) { self.profiles = profiles }
    }

    private struct State {
        var writers: [UTCDay: DayWriter] = [:]
        var lastUse: [UTCDay: UInt64] = [:]
        var clock: UInt64 = 0
        let packer = Packer()
    }

    /// The most callers that share a transaction: bounds how long the first waits for the last.
    private static let callersPerTransaction = 256
    /// The most days that are open for writing: profiles rarely begin on other days than today.
    private static let openDays = 4

    private let folder: String
    private let limits: DayWriter.Limits
    private let queue = Mutex<[Ticket]>([])
    private let state = Mutex(State())
    private let retentionDay = Mutex<UTCDay?>(nil)

    init(folder: String, limits: DayWriter.Limits) {
        self.folder = folder
        self.limits = limits
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
    /// - Returns: How many profiles the days have that were written to.
    /// - Throws: ``StoreError``. Profiles that began on another day may be stored all the same.
    func append(_ profiles: [Profile]) throws(StoreError) -> [UTCDay: Int64] {
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
            return try ticket.outcome?.get() ?? [:]
        }
    }

    /// Closes the database of a day, if it is open.
    func close(_ day: UTCDay) {
        state.withLock { state in
            state.writers[day] = nil
            state.lastUse[day] = nil
        }
    }

    private func write(_ group: [Ticket], _ state: inout State) {
        var byDay: [UTCDay: [Profile]] = [:]
        for ticket in group {
            ticket.outcome = .success([:])
            for profile in ticket.profiles {
                byDay[UTCDay(of: profile.start), default: []].append(profile)
            }
        }
        var outcomes: [UTCDay: Result<Int64, StoreError>] = [:]
        for (day, profiles) in byDay {
            do throws(StoreError) {
                let writer = try writer(of: day, &state)
                try writer.write(profiles)
                outcomes[day] = .success(try writer.profileCount())
            } catch {
                // A fresh connection knows best what the disk holds now.
                state.writers[day] = nil
                outcomes[day] = .failure(error)
            }
        }
        for ticket in group {
            var counts: [UTCDay: Int64] = [:]
            for day in Set(ticket.profiles.map { UTCDay(of: $0.start) }) {
                switch outcomes[day] {
                case .success(let count): counts[day] = count
                case .failure(let error): ticket.outcome = .failure(error)
                case nil: break
                }
            }
            if case .success = ticket.outcome { ticket.outcome = .success(counts) }
        }
    }

    private func writer(of day: UTCDay, _ state: inout State) throws(StoreError) -> DayWriter {
        state.clock += 1
        state.lastUse[day] = state.clock
        if let writer = state.writers[day] { return writer }
        while state.writers.count >= Self.openDays,
            let oldest = state.writers.keys.min(by: { (left, right) in
                state.lastUse[left] ?? 0 < state.lastUse[right] ?? 0
            })
        {
            state.writers[oldest] = nil
            state.lastUse[oldest] = nil
        }
        let path = DayFormat.path(day, in: folder)
        let isNew = !FileSystem.exists(path)
        let writer = try DayWriter(path, limits: limits, packer: state.packer)
        if isNew { try FileSystem.flushFolder(folder) }
        state.writers[day] = writer
        return writer
    }
}
