// SPDX-License-Identifier: Apache-2.0
// Totals of the profiles of a day: one by one, and by step of a timeline.

internal import SondeModel

/// Which nodes of the trees that a question touches count; asked once for each tree.
final class StackFilterAnswers {
    private let filter: StackFilter?
    private let columns: (StackHome) throws(StoreError) -> StackColumns
    private var answers: [StackHome: [Bool]] = [:]

    init(
        _ filter: StackFilter?, columns: @escaping (StackHome) throws(StoreError) -> StackColumns
    ) {
        self.filter = filter
        self.columns = columns
    }

    /// Whether only some stacks are asked for.
    var isFiltering: Bool { filter != nil }

    /// For each node of a tree whether it counts; `nil` when all do.
    func counts(_ home: StackHome) throws(StoreError) -> [Bool]? {
        guard let filter else { return nil }
        if let known = answers[home] { return known }
        let answer = filter(try columns(home).tree)
        answers[home] = answer
        return answer
    }
}

extension DayReader {
    /// Calls `body` with each selected profile.
    func totals(
        _ selection: ProfileSelection, _ filter: StackFilterAnswers, _ reading: Reading,
        body: (ProfileTotal) -> Void
    ) throws(StoreError) {
        try database.snapshot { () throws(StoreError) in
            for series in try allSeries(selection.type) where selection.matches(series.labels) {
                try totals(of: series, selection, filter, reading, body: body)
            }
        }
    }

    private func totals(
        of series: Series, _ selection: ProfileSelection, _ filter: StackFilterAnswers,
        _ reading: Reading, body: (ProfileTotal) -> Void
    ) throws(StoreError) {
        let wantsSpans = selection.spans != nil || selection.traces != nil
        let rows = try database.statement(
            "SELECT id, start, duration, total, tree, body FROM profile "
                + "WHERE series = ? AND start BETWEEN ? AND ?")
        defer { rows.reset() }
        try rows.bind(series.id, at: 1)
        try bind(selection.range, to: rows, at: 2)
        while try rows.step() {
            try reading.check()
            let row = rows.int(0)
            let id = ProfileID(day: day, row: row)
            guard selection.profileIDs?.contains(id) ?? true else { continue }
            let counts = try filter.isFiltering ? filter.counts(home(of: rows.int(4))) : nil
            var profile = ProfileTotal(
                id: id, labels: series.labels, start: Timestamp(unixNanoseconds: rows.int(1)),
                durationNanoseconds: rows.int(2), total: rows.int(3))
            if let counts { profile.total = try total(rows, 5, where: counts) }
            try spans(of: row, selection) { (span, total) throws(StoreError) in
                var total = total
                if let counts { total.total = try self.total(span, 3, where: counts) }
                profile.spans.append(total)
            }
            if wantsSpans {
                guard !profile.spans.isEmpty else { continue }
                profile.total = profile.spans.reduce(0) { $0.addingOrSaturating($1.total) }
            }
            body(profile)
        }
    }

    /// Adds the selected profiles up by step, with blocks where all their profiles begin in one.
    func timeline(
        _ selection: ProfileSelection, _ steps: TimelineSteps, _ filter: StackFilterAnswers,
        groupedBy group: (LabelSet) -> LabelSet, into sums: inout TimelineSums, _ reading: Reading
    ) throws(StoreError) {
        try database.snapshot { () throws(StoreError) in
            let (from, until) = part(of: selection.range)
            for selected in try select(selection, groupedBy: group) {
                var pieces: [DayCover.Piece] = []
                let cover = DayCover(
                    database: database,
                    accepts: { first, last in
                        steps.end(of: Timestamp(unixNanoseconds: first))
                            == steps.end(of: Timestamp(unixNanoseconds: last))
                    }, top: BlockLadder.longest(within: steps.lengthNanoseconds)
                ) { (piece) throws(StoreError) in
                    pieces.append(piece)
                }
                if selected.isFamily {
                    try cover.family(selected.series.map(\.id), from: from, until: until)
                } else {
                    for series in selected.series {
                        try cover.series(series.id, from: from, until: until)
                    }
                }
                for piece in pieces {
                    try reading.check()
                    try add(piece, steps, filter, to: &sums.groups[selected.group, default: [:]])
                }
            }
        }
    }

    private func add(
        _ piece: DayCover.Piece, _ steps: TimelineSteps, _ filter: StackFilterAnswers,
        to sums: inout [Timestamp: TimelinePoint]
    ) throws(StoreError) {
        let body = filter.isFiltering ? "body" : "NULL"
        switch piece {
        case .block(let ids):
            let rows = try database.statement(
                "SELECT first, total, profiles, tree, \(body) FROM block WHERE id = ?")
            for id in ids {
                rows.reset()
                try rows.bind(id, at: 1)
                guard try rows.step() else { continue }
                try add(rows, profiles: Int(rows.int(2)), steps, filter, to: &sums)
            }
            rows.reset()
        case .profiles(let series, let from, let until):
            let rows = try database.statement(
                filter.isFiltering
                    ? "SELECT start, total, 1, tree, body FROM profile "
                        + "WHERE series = ? AND start BETWEEN ? AND ?"
                    : "SELECT start, total FROM profile WHERE series = ? AND start BETWEEN ? AND ?")
            defer { rows.reset() }
            try rows.bind(series, at: 1)
            try rows.bind(from, at: 2)
            try rows.bind(until, at: 3)
            while try rows.step() { try add(rows, profiles: 1, steps, filter, to: &sums) }
        }
    }

    private func add(
        _ row: Statement, profiles: Int, _ steps: TimelineSteps, _ filter: StackFilterAnswers,
        to sums: inout [Timestamp: TimelinePoint]
    ) throws(StoreError) {
        var total = row.int(1)
        if filter.isFiltering, let counts = try filter.counts(home(of: row.int(3))) {
            total = try self.total(row, 4, where: counts)
        }
        let end = steps.end(of: Timestamp(unixNanoseconds: row.int(0)))
        sums[end, default: TimelinePoint(time: end, value: 0, profiles: 0)].add(
            total, profiles: profiles)
    }
}

/// The steps of a timeline, by group.
struct TimelineSums {
    var groups: [LabelSet: [Timestamp: TimelinePoint]] = [:]
}
