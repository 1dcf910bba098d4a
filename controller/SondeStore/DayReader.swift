// SPDX-License-Identifier: Apache-2.0
// Reads profiles from the database of one day.

internal import SondeModel

/// One reader of one day's database.
///
/// Safety of `@unchecked Sendable`: used by one thread at a time; the store hands an idle reader to
/// one caller under its lock.
final class DayReader: @unchecked Sendable {
    let day: UTCDay
    private let database: Database
    private let packer = Packer()

    init(_ day: UTCDay, path: String) throws(StoreError) {
        self.day = day
        database = try Database(path, .read, DayFormat.format)
    }

    /// The sums of some profiles' values, by the tree whose nodes they name.
    struct Sums {
        var byTree: [Int64: [Int64]] = [:]
        var profileCount = 0
    }

    /// How many profiles there are.
    func profileCount() throws(StoreError) -> Int64 {
        try database.number("SELECT coalesce(max(id), 0) FROM profile")
    }

    /// The series with a profile that begins in the range.
    func series(in range: TimeRange) throws(StoreError) -> [ProfileSeries] {
        let rows = try database.statement(
            "SELECT type, labels FROM series AS s WHERE EXISTS (SELECT 1 FROM profile AS p "
                + "WHERE p.series = s.id AND p.start BETWEEN ? AND ?)")
        defer { rows.reset() }
        try bind(range, to: rows, at: 1)
        var result: [ProfileSeries] = []
        while try rows.step() {
            guard let type = ProfileType(rows.text(0)) else {
                throw damaged("the profile type of a series", .outOfRange)
            }
            result.append(ProfileSeries(type: type, labels: try labels(rows, 1)))
        }
        return result
    }

    /// Adds the selected profiles up by group, and merges them into `result`.
    func merge(
        _ selection: ProfileSelection, groupedBy group: (LabelSet) -> LabelSet,
        trees cache: StackCache, into result: inout [LabelSet: MergedStacks], _ reading: Reading
    ) throws(StoreError) {
        // One state of the database: the trees then hold every node that the profiles name.
        try database.snapshot { () throws(StoreError) in
            var sums: [LabelSet: Sums] = [:]
            for series in try matchingSeries(selection) {
                try add(
                    series.id, selection, to: &sums[group(series.labels), default: Sums()], reading)
            }
            var filters: [Int64: [Bool]] = [:]
            for (labels, sums) in sums where sums.profileCount > 0 {
                let before = result[labels] ?? MergedStacks(stacks: LocationTree(), profileCount: 0)
                result[labels] = before
                for (tree, values) in sums.byTree.sorted(by: { $0.key < $1.key }) {
                    try reading.check()
                    let columns = try columns(of: tree, cache)
                    var values = values
                    if let filter = selection.stacks {
                        let counts = filters[tree] ?? filter(columns.tree)
                        filters[tree] = counts
                        for node in values.indices where node >= counts.count || !counts[node] {
                            values[node] = 0
                        }
                    }
                    guard let stacks = StackSums.layOut(values, columns) else {
                        throw damaged("a profile", VarintError(reason: "it names an unknown stack"))
                    }
                    result[labels]?.stacks.merge(stacks)
                    try reading.check(nodes: result.values.reduce(0) { $0 + $1.stacks.count })
                }
                result[labels]?.profileCount += sums.profileCount
            }
        }
    }

    private func columns(
        of tree: Int64, _ cache: StackCache
    ) throws(StoreError) -> StackColumns {
        try cache.columns(day: day, tree: tree) { (columns) throws(StoreError) in
            try Self.extend(&columns, tree: tree, in: database, packer)
        }
    }

    private func add(
        _ series: Int64, _ selection: ProfileSelection, to sums: inout Sums, _ reading: Reading
    ) throws(StoreError) {
        // Spans are not stored by this version: no profile has any.
        guard selection.spans == nil, selection.traces == nil else { return }
        let rows = try database.statement(
            "SELECT tree, body, id FROM profile WHERE series = ? AND start BETWEEN ? AND ?")
        defer { rows.reset() }
        try rows.bind(series, at: 1)
        try bind(selection.range, to: rows, at: 2)
        while try rows.step() {
            try reading.check()
            if let ids = selection.profileIDs,
                !ids.contains(ProfileID(day: day, row: rows.int(2)))
            {
                continue
            }
            let tree = rows.int(0)
            do throws(VarintError) {
                try rows.withBytes(1) { (blob) throws(VarintError) in
                    try packer.unpack(blob) { (body) throws(VarintError) in
                        try ProfileBody.add(
                            body, to: &sums.byTree[tree, default: []], limit: Self.nodeLimit)
                    }
                }
            } catch {
                throw damaged("a profile", error)
            }
            sums.profileCount += 1
        }
    }

    /// Far more nodes than a writer puts into one tree: bounds the memory that a damaged number
    /// can claim.
    private static let nodeLimit = 1 << 26

    /// Calls `body` with each selected profile.
    func totals(
        _ selection: ProfileSelection, trees cache: StackCache, _ reading: Reading,
        body: (ProfileTotal) -> Void
    ) throws(StoreError) {
        guard selection.spans == nil, selection.traces == nil else { return }
        try database.snapshot { () throws(StoreError) in
            var filters: [Int64: [Bool]] = [:]
            let rows = try database.statement(
                "SELECT id, start, duration, total, tree, body FROM profile "
                    + "WHERE series = ? AND start BETWEEN ? AND ?")
            for series in try matchingSeries(selection) {
                rows.reset()
                try rows.bind(series.id, at: 1)
                try bind(selection.range, to: rows, at: 2)
                while try rows.step() {
                    try reading.check()
                    let id = ProfileID(day: day, row: rows.int(0))
                    if let ids = selection.profileIDs, !ids.contains(id) { continue }
                    var total = rows.int(3)
                    if let filter = selection.stacks {
                        let tree = rows.int(4)
                        if filters[tree] == nil {
                            filters[tree] = filter(try columns(of: tree, cache).tree)
                        }
                        total = try filteredTotal(rows, filters[tree] ?? [])
                    }
                    body(
                        ProfileTotal(
                            id: id, labels: series.labels,
                            start: Timestamp(unixNanoseconds: rows.int(1)),
                            durationNanoseconds: rows.int(2), total: total))
                }
            }
        }
    }

    private func filteredTotal(_ rows: Statement, _ counts: [Bool]) throws(StoreError) -> Int64 {
        do throws(VarintError) {
            return try rows.withBytes(5) { (blob) throws(VarintError) in
                try packer.unpack(blob) { (body) throws(VarintError) in
                    var values: [Int64] = []
                    try ProfileBody.add(body, to: &values, limit: Self.nodeLimit)
                    return zip(values, counts).reduce(0) { sum, pair in
                        guard pair.1 else { return sum }
                        let (next, overflow) = sum.addingReportingOverflow(pair.0)
                        return overflow ? (pair.0 < 0 ? .min : .max) : next
                    }
                }
            }
        } catch {
            throw damaged("a profile", error)
        }
    }

    /// Reads the segments of a tree that lie behind what the columns hold.
    static func extend(
        _ columns: inout StackColumns, tree: Int64, in database: Database, _ packer: Packer
    ) throws(StoreError) {
        // Locations and images only come with the nodes that need them, so that the number of
        // nodes says how much is known.
        let rows = try database.statement(
            "SELECT body FROM segment WHERE tree = ? AND first_node >= ? ORDER BY first_node")
        defer { rows.reset() }
        try rows.bind(tree, at: 1)
        try rows.bind(Int64(columns.parents.count), at: 2)
        while try rows.step() {
            do throws(VarintError) {
                try rows.withBytes(0) { (blob) throws(VarintError) in
                    try packer.unpack(blob) { (body) throws(VarintError) in
                        try StackSegment.decode(body, into: &columns)
                    }
                }
            } catch {
                throw DayFormat.damaged(database.path, "a part of a stack tree", error)
            }
        }
    }

    private func matchingSeries(
        _ selection: ProfileSelection
    ) throws(StoreError) -> [(id: Int64, labels: LabelSet)] {
        let rows = try database.statement("SELECT id, labels FROM series WHERE type = ?")
        defer { rows.reset() }
        try rows.bind(selection.type.description, at: 1)
        var wanted: [(id: Int64, labels: LabelSet)] = []
        while try rows.step() {
            let labels = try labels(rows, 1)
            if selection.matches(labels) { wanted.append((rows.int(0), labels)) }
        }
        return wanted
    }

    private func labels(_ rows: Statement, _ column: Int32) throws(StoreError) -> LabelSet {
        do throws(VarintError) {
            return try rows.withBytes(column) { (bytes) throws(VarintError) in
                try DayFormat.decodeLabels(bytes)
            }
        } catch {
            throw damaged("the labels of a series", error)
        }
    }

    private func bind(
        _ range: TimeRange, to rows: Statement, at index: Int32
    ) throws(StoreError) {
        try rows.bind(range.from.unixNanoseconds, at: index)
        try rows.bind(range.until.unixNanoseconds, at: index + 1)
    }

    private func damaged(_ what: String, _ error: VarintError) -> StoreError {
        DayFormat.damaged(database.path, what, error)
    }
}
