// SPDX-License-Identifier: Apache-2.0
// Adds the profiles of a day up, by blocks where they help.

internal import SondeModel

/// The series of a question, of one type and service, that go into one group of the answer.
struct SelectedSeries {
    var group: LabelSet
    /// The numbers of the series, and their labels.
    var series: [DayReader.Series]
    /// Whether these are all series of the type and service.
    var isFamily: Bool
}

extension DayReader {
    /// Adds the selected profiles up by group.
    func merge(
        _ selection: ProfileSelection, groupedBy group: (LabelSet) -> LabelSet,
        into totals: inout GroupedTotals, _ reading: Reading
    ) throws(StoreError) {
        // One state of the database, so that no profile is counted in a block and alone.
        try database.snapshot { () throws(StoreError) in
            for selected in try select(selection, groupedBy: group) {
                try reading.check()
                try totals.add(to: selected.group, reading) { (totals) throws(StoreError) in
                    if selection.needsSingleProfiles {
                        for series in selected.series {
                            try addSingle(series.id, selection, to: &totals, reading)
                        }
                    } else {
                        _ = try add(selected, selection.range, to: &totals, reading)
                    }
                }
            }
        }
    }

    /// The selected series, by service and group.
    func select(
        _ selection: ProfileSelection, groupedBy group: (LabelSet) -> LabelSet
    ) throws(StoreError) -> [SelectedSeries] {
        var counts: [String: Int] = [:]
        var selected: [String: [LabelSet: [Series]]] = [:]
        for series in try allSeries(selection.type) {
            let service = series.labels[LabelName.service] ?? ""
            counts[service, default: 0] += 1
            guard selection.matches(series.labels) else { continue }
            selected[service, default: [:]][group(series.labels), default: []].append(series)
        }
        return selected.flatMap { service, groups in
            groups.map { group, series in
                SelectedSeries(
                    group: group, series: series, isFamily: series.count == counts[service])
            }
        }
    }

    /// Adds up what the series have in a range, and answers in how many pieces it was found.
    func add(
        _ selected: SelectedSeries, _ range: TimeRange, top: Int = BlockLadder.top,
        to totals: inout StackTotals, _ reading: Reading
    ) throws(StoreError) -> Int {
        let (from, until) = part(of: range)
        var pieces: [DayCover.Piece] = []
        let cover = DayCover(database: database, top: top) { (piece) throws(StoreError) in
            pieces.append(piece)
        }
        if selected.isFamily {
            try cover.family(selected.series.map(\.id), from: from, until: until)
        } else {
            for series in selected.series { try cover.series(series.id, from: from, until: until) }
        }
        var count = 0
        for piece in pieces {
            try reading.check()
            switch piece {
            case .block(let rows):
                for row in rows { try addBlock(row, to: &totals) }
                count += 1
            case .profiles(let series, let from, let until):
                count += try addProfiles(series, from, until, to: &totals, reading)
            }
        }
        return count
    }

    private func addBlock(_ row: Int64, to totals: inout StackTotals) throws(StoreError) {
        let rows = try database.statement("SELECT tree, profiles, body FROM block WHERE id = ?")
        defer { rows.reset() }
        try rows.bind(row, at: 1)
        guard try rows.step() else { return }
        totals.profiles += Int(rows.int(1))
        try add(rows, 2, tree: rows.int(0), to: &totals)
    }

    private func addProfiles(
        _ series: Int64, _ from: Int64, _ until: Int64, to totals: inout StackTotals,
        _ reading: Reading
    ) throws(StoreError) -> Int {
        let rows = try database.statement(
            "SELECT tree, body FROM profile WHERE series = ? AND start BETWEEN ? AND ?")
        defer { rows.reset() }
        try rows.bind(series, at: 1)
        try rows.bind(from, at: 2)
        try rows.bind(until, at: 3)
        var count = 0
        while try rows.step() {
            if count.isMultiple(of: 64) { try reading.check() }
            try add(rows, 1, tree: rows.int(0), to: &totals)
            count += 1
        }
        totals.profiles += count
        return count
    }

    /// Adds up profiles one by one: those with a selected id, or what is selected of their spans.
    private func addSingle(
        _ series: Int64, _ selection: ProfileSelection, to totals: inout StackTotals,
        _ reading: Reading
    ) throws(StoreError) {
        let wantsSpans = selection.spans != nil || selection.traces != nil
        let rows = try database.statement(
            "SELECT id, tree, body FROM profile WHERE series = ? AND start BETWEEN ? AND ?")
        defer { rows.reset() }
        try rows.bind(series, at: 1)
        try bind(selection.range, to: rows, at: 2)
        while try rows.step() {
            try reading.check()
            let row = rows.int(0)
            guard selection.profileIDs?.contains(ProfileID(day: day, row: row)) ?? true else {
                continue
            }
            guard wantsSpans else {
                try add(rows, 2, tree: rows.int(1), to: &totals)
                totals.profiles += 1
                continue
            }
            var hasSome = false
            try spans(of: row, selection) { (span, _) throws(StoreError) in
                try add(span, 3, tree: rows.int(1), to: &totals)
                hasSome = true
            }
            if hasSome { totals.profiles += 1 }
        }
    }

    /// Calls `body` with the row of each selected span of a profile: span, trace, total, values.
    func spans(
        of profile: Int64, _ selection: ProfileSelection,
        _ body: (Statement, SpanTotal) throws(StoreError) -> Void
    ) throws(StoreError) {
        let rows = try database.statement(
            "SELECT span, trace, total, body FROM span WHERE profile = ? ORDER BY span")
        defer { rows.reset() }
        try rows.bind(profile, at: 1)
        while try rows.step() {
            let span = SpanTotal(
                span: SpanID(UInt64(bitPattern: rows.int(0))),
                trace: rows.withBytes(1) { TraceID(bytes: $0) }, total: rows.int(2))
            if let spans = selection.spans, !spans.contains(span.span) { continue }
            if let traces = selection.traces {
                guard let trace = span.trace, traces.contains(trace) else { continue }
            }
            try body(rows, span)
        }
    }
}

extension ProfileSelection {
    /// Whether blocks are of no use, because only parts of them are asked for.
    var needsSingleProfiles: Bool { profileIDs != nil || spans != nil || traces != nil }
}
