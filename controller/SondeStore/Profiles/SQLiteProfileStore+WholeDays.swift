// SPDX-License-Identifier: Apache-2.0
// Adds whole days up by windows of them, whose sums are kept in memory.

internal import SondeModel

extension SQLiteProfileStore {
    /// The whole days of a question that are over, when they are worth to be added up by windows.
    func wholeDays(of selection: ProfileSelection) -> Range<Int64>? {
        guard !selection.needsSingleProfiles else { return nil }
        let known = files.days(in: selection.range)
        guard var first = known.first?.number, var last = known.last?.number else { return nil }
        if UTCDay(number: first).begin < selection.range.from { first += 1 }
        // Today changes all the time.
        last = min(last, UTCDay(of: configuration.now()).number - 1)
        if UTCDay(number: last).end > selection.range.until { last -= 1 }
        return last - first >= 1 ? first..<last + 1 : nil
    }

    /// Adds up what is selected of whole days.
    func addWholeDays(
        _ days: Range<Int64>, _ selection: ProfileSelection,
        groupedBy group: (LabelSet) -> LabelSet, into totals: inout GroupedTotals,
        _ reading: Reading
    ) throws(StoreError) {
        // Holds each list of series, whose identity means something only as long.
        var choices: [ObjectIdentifier: (series: WindowSeries, owners: [LabelSet: [SumOwner]])] =
            [:]
        let known = files.days(in: selection.range).map(\.number)
        // Years may lie between a day and the next.
        for window in DayWindow.cover(days) where known.contains(where: window.days.contains) {
            try reading.check()
            let key = DaySums.Key(type: selection.type, window: window)
            guard
                let (series, sums) = try sums(
                    key, reading,
                    of: { series in
                        let id = ObjectIdentifier(series)
                        let owners =
                            choices[id]?.owners ?? Self.choose(selection, group, series)
                        choices[id] = (series, owners)
                        return owners.values.flatMap { $0 }
                    })
            else {
                // Its days change too often to be remembered: each is read by itself.
                for day in window.days {
                    _ = try files.read(UTCDay(number: day)) { (reader) throws(StoreError) in
                        try reader.merge(selection, groupedBy: group, into: &totals, reading)
                    }
                }
                continue
            }
            for (group, owners) in choices[ObjectIdentifier(series)]?.owners ?? [:] {
                try totals.add(to: group, reading) { (totals) throws(StoreError) in
                    for owner in owners { totals.add(sums[owner] ?? StackTotals()) }
                }
            }
        }
    }

    /// Who has the selected series, by group: a service where all of its series are in one.
    private static func choose(
        _ selection: ProfileSelection, _ group: (LabelSet) -> LabelSet, _ series: WindowSeries
    ) -> [LabelSet: [SumOwner]] {
        var result: [LabelSet: [SumOwner]] = [:]
        for (place, service) in series.services.enumerated() {
            var groups: [LabelSet: [SumOwner]] = [:]
            for (index, labels) in service.series.enumerated() where selection.matches(labels) {
                groups[group(labels), default: []].append(
                    SumOwner(service: place, series: index))
            }
            for (group, owners) in groups {
                result[group, default: []] +=
                    owners.count == service.series.count
                    ? [SumOwner(service: place, series: nil)] : owners
            }
        }
        return result
    }

    /// The sums that are wanted of a window, all of one state of its days; `nil` when these change
    /// while they are read.
    private func sums(
        _ key: DaySums.Key, _ reading: Reading, of wanted: (WindowSeries) -> [SumOwner]
    ) throws(StoreError) -> (WindowSeries, [SumOwner: StackTotals])? {
        for _ in 0..<3 {
            let mark = changes.mark(of: key.window)
            var found = daySums.series(key, mark: mark)
            if found == nil {
                let services = try services(key, reading)
                guard changes.mark(of: key.window) == mark else { continue }
                found = daySums.put(services, key, mark: mark)
            }
            guard let series = found else { continue }
            let owners = wanted(series)
            var sums = daySums.sums(owners, key, mark: mark, of: series)
            let missing = owners.filter { sums[$0] == nil }
            if !missing.isEmpty {
                let read = try read(missing, of: series, key, reading)
                sums.merge(read) { _, new in new }
                guard changes.mark(of: key.window) == mark else { continue }
                daySums.put(read, key, mark: mark, of: series)
            }
            return (series, sums)
        }
        return nil
    }

    /// The series of a window, by service.
    private func services(
        _ key: DaySums.Key, _ reading: Reading
    ) throws(StoreError) -> [WindowSeries.Service] {
        var known: Set<LabelSet> = []
        var result: [WindowSeries.Service] = []
        var places: [String: Int] = [:]
        for day in key.window.days {
            try reading.check()
            let series = try files.read(UTCDay(number: day)) { (reader) throws(StoreError) in
                try reader.allSeries(key.type)
            }
            for one in series ?? [] where known.insert(one.labels).inserted {
                let name = one.labels[LabelName.service] ?? ""
                if places[name] == nil {
                    places[name] = result.count
                    result.append(WindowSeries.Service(name: name, series: []))
                }
                result[places[name] ?? 0].series.append(one.labels)
            }
        }
        return result
    }

    /// Adds up what these owners have in a window.
    private func read(
        _ owners: [SumOwner], of series: WindowSeries, _ key: DaySums.Key, _ reading: Reading
    ) throws(StoreError) -> [SumOwner: StackTotals] {
        var sums: [SumOwner: StackTotals] = [:]
        for day in key.window.days.map(UTCDay.init(number:)) {
            guard let range = TimeRange(from: day.begin, until: day.end) else { continue }
            _ = try files.read(day) { (reader) throws(StoreError) in
                try reader.database.snapshot { () throws(StoreError) in
                    let known = Dictionary(grouping: try reader.allSeries(key.type)) {
                        $0.labels[LabelName.service] ?? ""
                    }
                    for owner in owners {
                        let service = series.services[owner.service]
                        var mine = known[service.name] ?? []
                        if let one = owner.series {
                            mine = mine.filter { $0.labels == service.series[one] }
                        }
                        guard !mine.isEmpty else { continue }
                        _ = try reader.add(
                            SelectedSeries(
                                group: LabelSet(), series: mine, isFamily: owner.series == nil),
                            range, to: &sums[owner, default: StackTotals()], reading)
                    }
                }
            }
            try reading.check(nodes: sums.values.reduce(0) { $0 + $1.nodes })
        }
        for owner in owners { sums[owner, default: StackTotals()].trim() }
        return sums
    }
}
