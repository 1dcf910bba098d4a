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

    /// Adds up the profiles of a type that begin in the range, and lays the sums out as stacks.
    func merge(
        _ type: ProfileType, in range: TimeRange, trees cache: StackCache,
        where matches: (LabelSet) -> Bool
    ) throws(StoreError) -> MergedStacks {
        // One state of the database: the trees then hold every node that the profiles name.
        try database.snapshot { () throws(StoreError) in
            let sums = try sum(type, in: range, where: matches)
            var result = LocationTree()
            for (tree, values) in sums.byTree.sorted(by: { $0.key < $1.key }) {
                let columns = try cache.columns(day: day, tree: tree) {
                    (columns) throws(StoreError) in
                    try Self.extend(&columns, tree: tree, in: database, packer)
                }
                guard let stacks = StackSums.layOut(values, columns) else {
                    throw damaged("a profile", VarintError(reason: "it names an unknown stack"))
                }
                result.merge(stacks)
            }
            return MergedStacks(stacks: result, profileCount: sums.profileCount)
        }
    }

    private func sum(
        _ type: ProfileType, in range: TimeRange, where matches: (LabelSet) -> Bool
    ) throws(StoreError) -> Sums {
        let wanted = try matchingSeries(type, where: matches)
        var sums = Sums()
        let rows = try database.statement(
            "SELECT tree, body FROM profile WHERE series = ? AND start BETWEEN ? AND ?")
        defer { rows.reset() }
        for series in wanted {
            rows.reset()
            try rows.bind(series, at: 1)
            try bind(range, to: rows, at: 2)
            while try rows.step() {
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
        return sums
    }

    /// Far more nodes than a writer puts into one tree: bounds the memory that a damaged number
    /// can claim.
    private static let nodeLimit = 1 << 26

    /// Adds the values of profiles up by step; `sums` is indexed by the number of the step since
    /// the Unix epoch.
    func addTimeline(
        _ type: ProfileType, in range: TimeRange, stepNanoseconds: Int64,
        to sums: inout [Int64: Int64], where matches: (LabelSet) -> Bool
    ) throws(StoreError) {
        try database.snapshot { () throws(StoreError) in
            let wanted = try matchingSeries(type, where: matches)
            let rows = try database.statement(
                "SELECT start, total FROM profile WHERE series = ? AND start BETWEEN ? AND ?")
            for series in wanted {
                rows.reset()
                try rows.bind(series, at: 1)
                try bind(range, to: rows, at: 2)
                while try rows.step() {
                    let (quotient, remainder) = rows.int(0).quotientAndRemainder(
                        dividingBy: stepNanoseconds)
                    let step = remainder < 0 ? quotient - 1 : quotient
                    let value = rows.int(1)
                    let (sum, overflow) = sums[step, default: 0].addingReportingOverflow(value)
                    sums[step] = overflow ? (value < 0 ? .min : .max) : sum
                }
            }
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
        _ type: ProfileType, where matches: (LabelSet) -> Bool
    ) throws(StoreError) -> [Int64] {
        let rows = try database.statement("SELECT id, labels FROM series WHERE type = ?")
        defer { rows.reset() }
        try rows.bind(type.description, at: 1)
        var wanted: [Int64] = []
        while try rows.step() {
            if matches(try labels(rows, 1)) { wanted.append(rows.int(0)) }
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
