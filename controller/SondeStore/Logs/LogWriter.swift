// SPDX-License-Identifier: Apache-2.0
// Writes log lines of many callers in few transactions.

internal import SondeModel
internal import Synchronization

/// The one writer of a store of log lines: callers that wait at the same time share transactions.
///
/// The first caller that gets the lock writes what all others have queued; they find their result
/// when the lock comes to them. As ``ProfileWriter``, but a caller's lines may be refused without
/// harm to those of the others, and new lines go to the feed once they are on disk.
final class LogWriter: Sendable {
    /// One caller's lines, and what became of them.
    ///
    /// Safety of `@unchecked Sendable`: `outcome` is used only under the lock of `state`.
    private final class Ticket: @unchecked Sendable {
        let streams: [UTCDay: [LogStream]]
        var outcome: Result<Void, StoreError>?

        init(_ streams: [UTCDay: [LogStream]]) { self.streams = streams }
    }

    private struct State {
        var days: OpenDays<LogDayWriter>
    }

    /// The most callers that share a transaction: bounds how long the first waits for the last.
    private static let callersPerTransaction = 256

    private let feed: LogFeed
    private let queue = Mutex<[Ticket]>([])
    private let state: Mutex<State>

    init(folder: String, limits: LogDayWriter.Limits, feed: LogFeed) {
        self.feed = feed
        state = Mutex(
            State(
                days: OpenDays(folder: folder) { [packer = Packer()] path throws(StoreError) in
                    try LogDayWriter(path, limits: limits, packer: packer)
                }))
    }

    /// Stores lines; when it returns, they are on disk.
    ///
    /// - Throws: ``StoreError``. Lines of other days or streams may be stored all the same.
    func append(_ streams: [UTCDay: [LogStream]]) throws(StoreError) {
        let ticket = Ticket(streams)
        queue.withLock { $0.append(ticket) }
        try state.withLock { state throws(StoreError) in
            while ticket.outcome == nil {
                let group = queue.withLock { queue in
                    let group = Array(queue.prefix(Self.callersPerTransaction))
                    queue.removeFirst(group.count)
                    return group
                }
                write(group, &state)
            }
            try ticket.outcome?.get()
        }
    }

    /// Closes the database of a day, if it is open.
    func close(_ day: UTCDay) {
        state.withLock { $0.days.close(day) }
    }

    /// The lines of each day.
    static func byDay(_ streams: [LogStream]) -> [UTCDay: [LogStream]] {
        var result: [UTCDay: [LogStream]] = [:]
        for stream in streams {
            var entries: [UTCDay: [LogEntry]] = [:]
            for entry in stream.entries {
                entries[UTCDay(of: entry.time), default: []].append(entry)
            }
            for (day, entries) in entries {
                result[day, default: []].append(
                    LogStream(labels: stream.labels, entries: entries))
            }
        }
        return result
    }

    private func write(_ group: [Ticket], _ state: inout State) {
        for ticket in group { ticket.outcome = .success(()) }
        let days = Set(group.flatMap(\.streams.keys)).sorted()
        for day in days {
            let tickets = group.filter { $0.streams[day] != nil }
            do throws(StoreError) {
                let writer = try state.days.writer(of: day)
                let (outcomes, added) = try writer.write(tickets.map { $0.streams[day] ?? [] })
                for (ticket, outcome) in zip(tickets, outcomes) {
                    if let refusal = outcome.refusal { ticket.outcome = .failure(refusal) }
                }
                feed.publish(added)
            } catch {
                // A fresh connection knows best what the disk holds now.
                state.days.close(day)
                for ticket in tickets { ticket.outcome = .failure(error) }
            }
        }
    }
}
