// SPDX-License-Identifier: Apache-2.0
// Writes profiles into the database of one day.

internal import SondeModel

/// The one writer of one day's database.
///
/// Used by one thread at a time.
/// It holds the interned trees that it writes to in memory. They run ahead of the disk inside a
/// transaction; when that fails they are dropped and read again.
final class DayWriter {
    /// Bounds of what a writer keeps and makes.
    struct Limits: Sendable {
        /// From how many nodes on a service gets a new tree.
        var nodesPerTree = 1_000_000
        /// The most nodes of all trees together that stay in memory between transactions.
        var nodesInMemory = 2_000_000
        /// The most series that are remembered.
        var seriesInMemory = 100_000
    }

    private struct OpenTree {
        var id: Int64
        var stacks: StackIndex
        /// What of it is on disk.
        var stored: StackExtent
        var lastUse: UInt64
    }

    let path: String
    private let database: Database
    private let limits: Limits
    private let packer: Packer
    private var trees: [String: OpenTree] = [:]
    private var seriesOf: [ProfileSeries: Int64] = [:]
    /// The services that the current transaction has written to.
    private var touched: Set<String> = []
    private var clock: UInt64 = 0

    init(_ path: String, limits: Limits, packer: Packer) throws(StoreError) {
        self.path = path
        self.limits = limits
        self.packer = packer
        database = try Database(path, .write, DayFormat.format)
    }

    /// The nodes of the trees in memory.
    var nodesInMemory: Int { trees.values.reduce(0) { $0 + $1.stacks.columns.parents.count } }

    /// How many profiles there are: they are numbered from 1 and never removed one by one.
    func profileCount() throws(StoreError) -> Int64 {
        try database.number("SELECT coalesce(max(id), 0) FROM profile")
    }

    /// Stores profiles as one transaction.
    func write(_ profiles: [Profile]) throws(StoreError) {
        touched = []
        do throws(StoreError) {
            try database.transaction { () throws(StoreError) in
                for profile in profiles { try insert(profile) }
                for service in touched { try storeTree(of: service) }
            }
        } catch {
            trees = [:]
            seriesOf = [:]
            throw error
        }
        if seriesOf.count > limits.seriesInMemory { seriesOf = [:] }
        dropTrees(beyond: limits.nodesInMemory)
    }

    /// Forgets the trees that were not used for longest, until the rest has at most `limit` nodes.
    private func dropTrees(beyond limit: Int) {
        var nodes = nodesInMemory
        guard nodes > limit else { return }
        for (service, tree) in trees.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
            guard nodes > limit else { return }
            nodes -= tree.stacks.columns.parents.count
            trees[service] = nil
        }
    }

    private func insert(_ profile: Profile) throws(StoreError) {
        let series = try seriesID(ProfileSeries(type: profile.type, labels: profile.labels))
        let service = profile.labels[LabelName.service] ?? ""
        try openTree(of: service)
        guard let tree = trees[service]?.id,
            let values = trees[service]?.stacks.intern(profile.stacks)
        else { return }
        let insert = try database.statement(
            "INSERT INTO profile (series, start, duration, period, total, tree, body) "
                + "VALUES (?, ?, ?, ?, ?, ?, ?)")
        try insert.bind(series, at: 1)
        try insert.bind(profile.start.unixNanoseconds, at: 2)
        try insert.bind(profile.durationNanoseconds, at: 3)
        try insert.bind(profile.period, at: 4)
        try insert.bind(Self.total(values), at: 5)
        try insert.bind(tree, at: 6)
        try insert.bind(packer.pack(ProfileBody.encode(values)), at: 7)
        try insert.run()
    }

    private static func total(_ values: [StackValue]) -> Int64 {
        var total: Int64 = 0
        for value in values {
            let (sum, overflow) = total.addingReportingOverflow(value.value)
            total = overflow ? (value.value < 0 ? .min : .max) : sum
        }
        return total
    }

    private func seriesID(_ series: ProfileSeries) throws(StoreError) -> Int64 {
        if let id = seriesOf[series] { return id }
        let labels = DayFormat.encode(series.labels)
        let find = try database.statement("SELECT id FROM series WHERE type = ? AND labels = ?")
        try find.bind(series.type.description, at: 1)
        try find.bind(labels, at: 2)
        if try find.step() {
            let id = find.int(0)
            find.reset()
            seriesOf[series] = id
            return id
        }
        find.reset()
        let insert = try database.statement("INSERT INTO series (type, labels) VALUES (?, ?)")
        try insert.bind(series.type.description, at: 1)
        try insert.bind(labels, at: 2)
        try insert.run()
        seriesOf[series] = database.lastRowID
        return database.lastRowID
    }

    /// Sees to it that `trees` has a tree of the service with room for more.
    private func openTree(of service: String) throws(StoreError) {
        clock += 1
        touched.insert(service)
        if trees[service] == nil { trees[service] = try latestTree(of: service) }
        let nodes = trees[service]?.stacks.columns.parents.count
        if nodes == nil || nodes ?? 0 >= limits.nodesPerTree {
            try storeTree(of: service)
            let insert = try database.statement("INSERT INTO tree (service) VALUES (?)")
            try insert.bind(service, at: 1)
            try insert.run()
            trees[service] = OpenTree(
                id: database.lastRowID, stacks: StackIndex(), stored: .empty, lastUse: clock)
        }
        trees[service]?.lastUse = clock
    }

    private func latestTree(of service: String) throws(StoreError) -> OpenTree? {
        let find = try database.statement(
            "SELECT id FROM tree WHERE service = ? ORDER BY id DESC LIMIT 1")
        defer { find.reset() }
        try find.bind(service, at: 1)
        guard try find.step() else { return nil }
        let id = find.int(0)
        var columns = StackColumns()
        try DayReader.extend(&columns, tree: id, in: database, packer)
        return OpenTree(
            id: id, stacks: StackIndex(columns), stored: columns.extent, lastUse: clock)
    }

    /// Writes what the service's tree has beyond what is on disk.
    private func storeTree(of service: String) throws(StoreError) {
        guard let tree = trees[service], tree.stacks.columns.extent != tree.stored else { return }
        let insert = try database.statement(
            "INSERT INTO segment (tree, first_node, body) VALUES (?, ?, ?)")
        try insert.bind(tree.id, at: 1)
        try insert.bind(Int64(tree.stored.nodes), at: 2)
        try insert.bind(
            packer.pack(StackSegment.encode(tree.stacks, from: tree.stored)), at: 3)
        try insert.run()
        trees[service]?.stored = tree.stacks.columns.extent
    }
}
