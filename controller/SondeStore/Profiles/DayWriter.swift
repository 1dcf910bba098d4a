// SPDX-License-Identifier: Apache-2.0
// Writes profiles into the database of one day.

internal import SondeModel

/// The one writer of one day's database.
///
/// Used by one thread at a time. What it remembers runs ahead of the disk inside a transaction:
/// when that fails, the writer is of no use any more.
final class DayWriter {
    /// Numbers what happens to windows; one for all days, so that a day that is opened again does
    /// not repeat a number.
    final class Generations {
        private var last: UInt64 = 0
        var next: UInt64 {
            last += 1
            return last
        }
    }

    private struct Family: Hashable {
        var type: ProfileType
        var service: String
    }

    private struct Usage {
        var profiles: Int64 = 0
        var bytes: Int64 = 0
        var first = Int64.max
        var last = Int64.min

        mutating func add(_ more: Int64, _ start: Int64) {
            profiles += 1
            bytes += more
            first = min(first, start)
            last = max(last, start)
        }
    }

    let path: String
    let database: Database
    let packer: Packer
    private let seriesInMemory: Int
    private let generations: Generations
    private var seriesOf: [ProfileSeries: (id: Int64, family: Int64)] = [:]
    private var families: [Family: Int64] = [:]
    private var treeOf: [StackHome: Int64] = [:]
    private var nextID: Int64 = 1
    /// The shortest windows that wait for their block, and when each was written to last.
    var waiting: [BlockKey: UInt64] = [:]

    init(
        _ path: String, seriesInMemory: Int, generations: Generations, packer: Packer
    ) throws(StoreError) {
        self.path = path
        self.seriesInMemory = seriesInMemory
        self.generations = generations
        self.packer = packer
        database = try Database(path, .write, DayFormat.format)
        nextID =
            try database.number(
                "SELECT max((SELECT coalesce(max(id), 0) FROM profile), "
                    + "(SELECT coalesce(max(highest), 0) FROM removed))") + 1
        try loadFamilies()
        try loadWaiting()
    }

    /// How many profiles there are.
    func profileCount() throws(StoreError) -> Int64 {
        try database.number("SELECT coalesce(sum(profiles), 0) FROM usage")
    }

    /// Stores profiles, whose stacks are on disk already, as one transaction.
    func write(_ profiles: [InternedProfile]) throws(StoreError) {
        try database.transaction { () throws(StoreError) in
            var usage: [Int64: Usage] = [:]
            for profile in profiles { try insert(profile, &usage) }
            for (series, usage) in usage { try add(usage, to: series) }
        }
        if seriesOf.count > seriesInMemory { seriesOf = [:] }
        if treeOf.count > seriesInMemory { treeOf = [:] }
    }

    private func insert(
        _ profile: InternedProfile, _ usage: inout [Int64: Usage]
    ) throws(StoreError) {
        let (series, family) = try seriesID(profile.series)
        let tree = try treeID(
            profile.home, service: profile.series.labels[LabelName.service] ?? "")
        let body = packer.pack(ProfileBody.encode(profile.values))
        let start = profile.start.unixNanoseconds
        guard try !isStored(profile, series, tree, body) else { return }
        let insert = try database.statement("INSERT INTO profile VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
        try insert.bind(nextID, at: 1)
        try insert.bind(series, at: 2)
        try insert.bind(start, at: 3)
        try insert.bind(profile.durationNanoseconds, at: 4)
        try insert.bind(profile.period, at: 5)
        try insert.bind(profile.values.total, at: 6)
        try insert.bind(tree, at: 7)
        try insert.bind(body, at: 8)
        try insert.run()
        var bytes = Int64(body.count)
        for span in profile.spans { bytes += try self.insert(span, of: nextID) }
        nextID += 1
        usage[series, default: Usage()].add(bytes, start)
        try touch(.series, series, start)
        try touch(.family, family, start)
    }

    /// Whether the very same profile is there already: sent again because its answer got lost.
    private func isStored(
        _ profile: InternedProfile, _ series: Int64, _ tree: Int64, _ body: [UInt8]
    ) throws(StoreError) -> Bool {
        let find = try database.statement(
            "SELECT 1 FROM profile WHERE series = ? AND start = ? AND total = ? AND duration = ? "
                + "AND period = ? AND tree = ? AND body = ?")
        defer { find.reset() }
        try find.bind(series, at: 1)
        try find.bind(profile.start.unixNanoseconds, at: 2)
        try find.bind(profile.values.total, at: 3)
        try find.bind(profile.durationNanoseconds, at: 4)
        try find.bind(profile.period, at: 5)
        try find.bind(tree, at: 6)
        try find.bind(body, at: 7)
        return try find.step()
    }

    private func insert(_ span: InternedSpan, of profile: Int64) throws(StoreError) -> Int64 {
        let body = packer.pack(ProfileBody.encode(span.values))
        let insert = try database.statement("INSERT INTO span VALUES (?, ?, ?, ?, ?)")
        try insert.bind(Int64(bitPattern: span.span.rawValue), at: 1)
        try insert.bind(profile, at: 2)
        if let trace = span.trace {
            try insert.bind(trace.bytes, at: 3)
        } else {
            try insert.bind(nil, at: 3)
        }
        try insert.bind(span.values.total, at: 4)
        try insert.bind(body, at: 5)
        try insert.run()
        return Int64(body.count) + 24
    }

    /// Notes that a window is not what its blocks say any more.
    private func touch(_ scope: BlockScope, _ owner: Int64, _ start: Int64) throws(StoreError) {
        let lowest = scope.lowestLevel
        let key = BlockKey(
            scope: scope, owner: owner, level: lowest,
            begin: BlockLadder.begin(lowest, of: start))
        let isWaiting = waiting[key] != nil
        waiting[key] = generations.next
        if isWaiting { return }
        for level in lowest...BlockLadder.top {
            let key = BlockKey(
                scope: scope, owner: owner, level: level,
                begin: BlockLadder.begin(level, of: start))
            try run(key, "INSERT OR IGNORE INTO pending VALUES (?, ?, ?, ?)")
            try run(
                key, "DELETE FROM block WHERE scope = ? AND owner = ? AND level = ? AND begin = ?")
        }
    }

    /// Runs a statement whose parameters are a block's key.
    func run(_ key: BlockKey, _ sql: String) throws(StoreError) {
        let statement = try database.statement(sql)
        try statement.bind(key)
        try statement.run()
    }

    private func add(_ usage: Usage, to series: Int64) throws(StoreError) {
        let add = try database.statement(
            "INSERT INTO usage VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET "
                + "profiles = profiles + ?2, bytes = bytes + ?3, first = min(first, ?4), "
                + "last = max(last, ?5)")
        try add.bind(series, at: 1)
        try add.bind(usage.profiles, at: 2)
        try add.bind(usage.bytes, at: 3)
        try add.bind(usage.first, at: 4)
        try add.bind(usage.last, at: 5)
        try add.run()
    }

    private func seriesID(
        _ series: ProfileSeries
    ) throws(StoreError) -> (id: Int64, family: Int64) {
        if let known = seriesOf[series] { return known }
        let labels = DayFormat.encode(series.labels)
        let find = try database.statement("SELECT id FROM series WHERE type = ? AND labels = ?")
        try find.bind(series.type.description, at: 1)
        try find.bind(labels, at: 2)
        let id: Int64
        if try find.step() {
            id = find.int(0)
            find.reset()
        } else {
            find.reset()
            let insert = try database.statement("INSERT INTO series (type, labels) VALUES (?, ?)")
            try insert.bind(series.type.description, at: 1)
            try insert.bind(labels, at: 2)
            try insert.run()
            id = database.lastRowID
        }
        let key = Family(type: series.type, service: series.labels[LabelName.service] ?? "")
        let family = families[key] ?? id
        families[key] = family
        seriesOf[series] = (id, family)
        return (id, family)
    }

    private func treeID(_ home: StackHome, service: String) throws(StoreError) -> Int64 {
        if let known = treeOf[home] { return known }
        guard case .shared(let epoch, let tree) = home else { return 0 }
        let find = try database.statement("SELECT id FROM tree WHERE epoch = ? AND shared = ?")
        try find.bind(epoch, at: 1)
        try find.bind(tree, at: 2)
        if try find.step() {
            treeOf[home] = find.int(0)
            find.reset()
        } else {
            find.reset()
            let insert = try database.statement(
                "INSERT INTO tree (service, epoch, shared) VALUES (?, ?, ?)")
            try insert.bind(service, at: 1)
            try insert.bind(epoch, at: 2)
            try insert.bind(tree, at: 3)
            try insert.run()
            treeOf[home] = database.lastRowID
        }
        return treeOf[home] ?? 0
    }

    private func loadFamilies() throws(StoreError) {
        let rows = try database.statement("SELECT id, type, labels FROM series ORDER BY id DESC")
        defer { rows.reset() }
        while try rows.step() {
            guard let type = ProfileType(rows.text(1)) else { continue }
            do throws(VarintError) {
                let labels = try rows.withBytes(2) { (bytes) throws(VarintError) in
                    try DayFormat.decodeLabels(bytes)
                }
                let family = Family(type: type, service: labels[LabelName.service] ?? "")
                families[family] = rows.int(0)
            } catch {
                throw DayFormat.damaged(path, "the labels of a series", error)
            }
        }
    }

    private func loadWaiting() throws(StoreError) {
        let rows = try database.statement("SELECT scope, owner, level, begin FROM pending")
        defer { rows.reset() }
        while try rows.step() {
            guard let key = BlockKey(rows), key.level == key.scope.lowestLevel else { continue }
            waiting[key] = generations.next
        }
    }
}

extension Statement {
    /// Binds a block's key to the first four parameters.
    func bind(_ key: BlockKey) throws(StoreError) {
        try bind(key.scope.rawValue, at: 1)
        try bind(key.owner, at: 2)
        try bind(Int64(key.level), at: 3)
        try bind(key.begin, at: 4)
    }
}

extension BlockKey {
    /// The key in the first four columns of a row; `nil` when it is none.
    init?(_ row: Statement) {
        guard let scope = BlockScope(rawValue: row.int(0)),
            (Int64(scope.lowestLevel)...Int64(BlockLadder.top)).contains(row.int(2))
        else { return nil }
        self.init(scope: scope, owner: row.int(1), level: Int(row.int(2)), begin: row.int(3))
    }
}
