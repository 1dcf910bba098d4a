// SPDX-License-Identifier: Apache-2.0
// Reads what a merged block is made of.

internal import SondeModel

extension DayReader {
    /// What blocks that are due have to hold, read from one state of the database.
    func contents(
        of due: [DueBlock], isStopped: () -> Bool
    ) throws(StoreError) -> [(due: DueBlock, content: BlockContent)] {
        try database.snapshot { () throws(StoreError) in
            var result: [(due: DueBlock, content: BlockContent)] = []
            for block in due {
                if isStopped() { break }
                result.append((block, try content(of: block.key)))
            }
            return result
        }
    }

    /// What a block's content is read from.
    enum Source { case shorterBlocks, profiles }

    /// What a block has to hold.
    func content(
        of key: BlockKey, from source: Source = .shorterBlocks
    ) throws(StoreError) -> BlockContent {
        var content = BlockContent()
        let series = key.scope == .series ? [key.owner] : try family(of: key.owner)
        for one in series {
            let rows = try database.statement(
                "SELECT min(start), max(start) FROM profile WHERE series = ? "
                    + "AND start BETWEEN ? AND ?")
            defer { rows.reset() }
            try rows.bind(one, at: 1)
            try rows.bind(key.begin, at: 2)
            try rows.bind(key.end, at: 3)
            guard try rows.step(), let first = rows.optionalInt(0) else { continue }
            content.first = min(content.first, first)
            content.last = max(content.last, rows.int(1))
        }
        guard
            let range = TimeRange(
                from: Timestamp(unixNanoseconds: key.begin),
                until: Timestamp(unixNanoseconds: key.end)), content.first <= content.last
        else { return content }
        let selected = SelectedSeries(
            group: LabelSet(), series: series.map { Series(id: $0, labels: LabelSet()) },
            isFamily: key.scope == .family)
        var totals = StackTotals()
        let top = source == .profiles ? -1 : key.level - 1
        content.pieces = try add(selected, range, top: top, to: &totals, Reading())
        content.profiles = totals.profiles
        for (home, sums) in totals.byTree {
            let values = sums.stackValues
            content.parts.append(
                BlockPart(tree: try number(of: home), total: values.total, values: values))
        }
        content.parts.sort { $0.tree < $1.tree }
        return content
    }

    /// The series of the same type and service as this one.
    func family(of series: Int64) throws(StoreError) -> [Int64] {
        let rows = try database.statement("SELECT type, labels FROM series WHERE id = ?")
        defer { rows.reset() }
        try rows.bind(series, at: 1)
        guard try rows.step(), let type = ProfileType(rows.text(0)) else { return [] }
        let service = try labels(rows, 1)[LabelName.service]
        return try allSeries(type).filter { $0.labels[LabelName.service] == service }.map(\.id)
    }

    /// The number that this day's database has for a tree.
    private func number(of home: StackHome) throws(StoreError) -> Int64 {
        switch home {
        case .day(_, let tree): return tree
        case .shared(let epoch, let shared):
            let find = try database.statement("SELECT id FROM tree WHERE epoch = ? AND shared = ?")
            defer { find.reset() }
            try find.bind(epoch, at: 1)
            try find.bind(shared, at: 2)
            guard try find.step() else {
                throw damaged("a block", VarintError(reason: "its tree is unknown"))
            }
            return find.int(0)
        }
    }
}
