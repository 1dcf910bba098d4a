// SPDX-License-Identifier: Apache-2.0
// Reads profiles from the database of one day.

internal import SondeModel

/// One reader of one day's database.
///
/// Safety of `@unchecked Sendable`: used by one thread at a time; the store hands an idle reader to
/// one caller under its lock.
final class DayReader: @unchecked Sendable {
    let day: UTCDay
    let database: Database
    let packer = Packer()
    private var homes: [Int64: StackHome] = [:]
    /// The series of types that were asked for, and the state of the database that they are of.
    private var knownSeries: [ProfileType: (state: [Int64], series: [Series])] = [:]

    init(_ day: UTCDay, path: String) throws(StoreError) {
        self.day = day
        if try Database(reading: path).isOld(DayFormat.format) {
            // A day of an earlier version becomes one of this by being opened for writing.
            _ = try Database(path, .write, DayFormat.format)
        }
        database = try Database(path, .read, DayFormat.format)
        // A month has many readers, and what they read is read once.
        try database.execute("PRAGMA cache_size=-512")
    }

    /// One series of this day.
    struct Series {
        var id: Int64
        var labels: LabelSet
    }

    /// Far more nodes than a writer puts into one tree: bounds the memory that a damaged number
    /// can claim.
    static let nodeLimit = 1 << 26

    /// How many profiles there are.
    func profileCount() throws(StoreError) -> Int64 {
        try database.number("SELECT coalesce(sum(profiles), 0) FROM usage")
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

    /// Whether there is a series of a kind.
    func hasSeries(where matches: (ProfileSeries) -> Bool) throws(StoreError) -> Bool {
        let rows = try database.statement("SELECT type, labels FROM series")
        defer { rows.reset() }
        while try rows.step() {
            guard let type = ProfileType(rows.text(0)) else { continue }
            if matches(ProfileSeries(type: type, labels: try labels(rows, 1))) { return true }
        }
        return false
    }

    /// All series of a type, in order of their numbers.
    func allSeries(_ type: ProfileType) throws(StoreError) -> [Series] {
        // Series only come, with higher numbers, unless a rule removed some.
        let state = [
            try database.number("SELECT coalesce(max(id), 0) FROM series"),
            try database.number("SELECT count(*) FROM removed"),
        ]
        if let known = knownSeries[type], known.state == state { return known.series }
        let series = try readSeries(type)
        knownSeries[type] = (state, series)
        return series
    }

    private func readSeries(_ type: ProfileType) throws(StoreError) -> [Series] {
        let rows = try database.statement(
            "SELECT id, labels FROM series WHERE type = ? ORDER BY id")
        defer { rows.reset() }
        try rows.bind(type.description, at: 1)
        var result: [Series] = []
        while try rows.step() {
            result.append(Series(id: rows.int(0), labels: try labels(rows, 1)))
        }
        return result
    }

    /// What each series has: profiles, bytes, when its profiles begin.
    func usage(
        _ body: (ProfileSeries, Int64, Int64, TimeRange?) -> Void
    ) throws(StoreError) {
        let rows = try database.statement(
            "SELECT type, labels, profiles, bytes, first, last "
                + "FROM usage JOIN series AS s ON s.id = usage.series")
        defer { rows.reset() }
        while try rows.step() {
            guard let type = ProfileType(rows.text(0)) else {
                throw damaged("the profile type of a series", .outOfRange)
            }
            let series = ProfileSeries(type: type, labels: try labels(rows, 1))
            let times = TimeRange(
                from: Timestamp(unixNanoseconds: rows.int(4)),
                until: Timestamp(unixNanoseconds: rows.int(5)))
            body(series, rows.int(2), rows.int(3), times)
        }
    }

    /// The tree that a number of this day's database means.
    func home(of tree: Int64) throws(StoreError) -> StackHome {
        if let known = homes[tree] { return known }
        let find = try database.statement("SELECT epoch, shared FROM tree WHERE id = ?")
        defer { find.reset() }
        try find.bind(tree, at: 1)
        guard try find.step() else {
            throw damaged("a profile", VarintError(reason: "it names an unknown tree"))
        }
        var home = StackHome.day(day, tree: tree)
        if let epoch = find.optionalInt(0), let shared = find.optionalInt(1) {
            home = .shared(epoch: epoch, tree: shared)
        }
        homes[tree] = home
        return home
    }

    /// The epochs that the day's profiles need.
    func epochs() throws(StoreError) -> Set<Int64> {
        let rows = try database.statement(
            "SELECT DISTINCT epoch FROM tree WHERE epoch IS NOT NULL")
        defer { rows.reset() }
        var result: Set<Int64> = []
        while try rows.step() { result.insert(rows.int(0)) }
        return result
    }

    /// Adds to a tree that is stored in this file what came since.
    func extend(_ columns: inout StackColumns, tree: Int64) throws(StoreError) {
        try StackFormat.extend(&columns, tree: tree, nodes: nil, in: database, packer)
    }

    /// Adds a packed list of values to the sums of a tree.
    func add(
        _ row: Statement, _ column: Int32, tree: Int64, to totals: inout StackTotals
    ) throws(StoreError) {
        let home = try home(of: tree)
        do throws(VarintError) {
            try row.withBytes(column) { (blob) throws(VarintError) in
                try packer.unpack(blob) { (body) throws(VarintError) in
                    try ProfileBody.add(
                        body, to: &totals.byTree[home, default: []], limit: Self.nodeLimit)
                }
            }
        } catch {
            throw damaged("a profile", error)
        }
    }

    /// The sum of those values of a packed list whose nodes count.
    func total(
        _ row: Statement, _ column: Int32, where counts: [Bool]
    ) throws(StoreError) -> Int64 {
        do throws(VarintError) {
            return try row.withBytes(column) { (blob) throws(VarintError) in
                try packer.unpack(blob) { (body) throws(VarintError) in
                    var total: Int64 = 0
                    try ProfileBody.decode(body, limit: Self.nodeLimit) { node, value in
                        if node < counts.count, counts[node] {
                            total = total.addingOrSaturating(value)
                        }
                    }
                    return total
                }
            }
        } catch {
            throw damaged("a profile", error)
        }
    }

    func labels(_ rows: Statement, _ column: Int32) throws(StoreError) -> LabelSet {
        do throws(VarintError) {
            return try rows.withBytes(column) { (bytes) throws(VarintError) in
                try DayFormat.decodeLabels(bytes)
            }
        } catch {
            throw damaged("the labels of a series", error)
        }
    }

    /// The part of a range that lies within the day: outside of it there is nothing to look for.
    func part(of range: TimeRange) -> (from: Int64, until: Int64) {
        (
            max(range.from.unixNanoseconds, day.begin.unixNanoseconds),
            min(range.until.unixNanoseconds, day.end.unixNanoseconds)
        )
    }

    func bind(_ range: TimeRange, to rows: Statement, at index: Int32) throws(StoreError) {
        try rows.bind(range.from.unixNanoseconds, at: index)
        try rows.bind(range.until.unixNanoseconds, at: index + 1)
    }

    func damaged(_ what: String, _ error: VarintError) -> StoreError {
        DayFormat.damaged(database.path, what, error)
    }
}
