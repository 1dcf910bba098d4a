// SPDX-License-Identifier: Apache-2.0
// Sums of whole days that were asked for, kept in memory for the next one who asks.

internal import SondeModel
internal import Synchronization

/// The series of a type in a window of days, by service.
final class WindowSeries: Sendable {
    /// One service's series.
    struct Service: Equatable, Sendable {
        var name: String
        var series: [LabelSet]
    }

    let services: [Service]

    init(_ services: [Service]) { self.services = services }
}

/// Whose sum it is, by places in a ``WindowSeries``.
struct SumOwner: Hashable, Sendable {
    var service: Int
    /// The place of the series; `nil` for all of the service.
    var series: Int?
}

/// Sums of windows of days, within a bound of memory.
///
/// A month is a few windows, so that its picture costs a few additions of columns; without, each of
/// its days would be looked up and unpacked. What is here is true as long as no day of the window
/// changes (``DayChanges``): who asks names the mark that the days have now.
final class DaySums: Sendable {
    /// Which window, of what kind of profiles.
    struct Key: Hashable {
        var type: ProfileType
        var window: DayWindow
    }

    private struct Sum {
        var totals: StackTotals
        var lastUse: UInt64
    }

    private struct Entry {
        var mark: UInt64
        var series: WindowSeries
        var sums: [SumOwner: Sum] = [:]

        var nodes: Int { sums.values.reduce(0) { $0 + $1.totals.nodes } }
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var nodes = 0
        var clock: UInt64 = 0
    }

    private let maximumNodes: Int
    private let state = Mutex(State())

    /// Nothing, and room for so many sums of nodes.
    init(maximumNodes: Int) { self.maximumNodes = maximumNodes }

    /// The series of a window; `nil` when they are not known as of this mark.
    func series(_ key: Key, mark: UInt64) -> WindowSeries? {
        state.withLock { state in
            guard let entry = state.entries[key], entry.mark == mark else { return nil }
            return entry.series
        }
    }

    /// Notes the series of a window as of a mark, and answers the object that stands for them: one
    /// for all windows with the same series, so that a selector is asked once.
    func put(_ services: [WindowSeries.Service], _ key: Key, mark: UInt64) -> WindowSeries {
        state.withLock { state in
            let same = state.entries.first {
                $0.key.type == key.type && $0.value.series.services == services
            }
            let series = same?.value.series ?? WindowSeries(services)
            if let old = state.entries[key] { state.nodes -= old.nodes }
            state.entries[key] = Entry(mark: mark, series: series)
            return series
        }
    }

    /// The sums of these owners that are known as of a mark.
    func sums(
        _ owners: [SumOwner], _ key: Key, mark: UInt64, of series: WindowSeries
    ) -> [SumOwner: StackTotals] {
        state.withLock { state in
            state.clock += 1
            guard let place = state.entries.index(forKey: key),
                state.entries.values[place].mark == mark,
                state.entries.values[place].series === series
            else { return [:] }
            var result: [SumOwner: StackTotals] = [:]
            for owner in owners {
                guard let totals = state.entries.values[place].sums[owner]?.totals else { continue }
                state.entries.values[place].sums[owner]?.lastUse = state.clock
                result[owner] = totals
            }
            return result
        }
    }

    /// Keeps sums as of a mark.
    func put(
        _ sums: [SumOwner: StackTotals], _ key: Key, mark: UInt64, of series: WindowSeries
    ) {
        state.withLock { state in
            state.clock += 1
            for (owner, totals) in sums {
                guard let entry = state.entries[key], entry.mark == mark, entry.series === series
                else { return }
                state.nodes += totals.nodes - (entry.sums[owner]?.totals.nodes ?? 0)
                state.entries[key]?.sums[owner] = Sum(totals: totals, lastUse: state.clock)
            }
            if state.nodes > maximumNodes { shrink(&state) }
        }
    }

    /// Forgets what was not used for longest, until a quarter of the room is free.
    private func shrink(_ state: inout State) {
        let all = state.entries.flatMap { key, entry in
            entry.sums.map { (key, $0.key, $0.value.lastUse, $0.value.totals.nodes) }
        }
        for (key, owner, _, nodes) in all.sorted(by: { $0.2 < $1.2 }) {
            guard state.nodes > maximumNodes / 4 * 3 else { return }
            state.entries[key]?.sums[owner] = nil
            state.nodes -= nodes
        }
    }

    /// Forgets the windows with a day of which nothing is there any more.
    func forget(_ day: UTCDay) {
        state.withLock { state in
            for (key, entry) in state.entries where key.window.days.contains(day.number) {
                state.nodes -= entry.nodes
                state.entries[key] = nil
            }
        }
    }
}
