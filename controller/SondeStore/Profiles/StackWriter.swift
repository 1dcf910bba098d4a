// SPDX-License-Identifier: Apache-2.0
// Writes the stacks of profiles into the databases that days share.

internal import SondeModel

/// The one writer of shared stacks.
///
/// Used by one thread at a time. Its trees run ahead of the disk until ``commit()``, which comes
/// before any profile that names their nodes is stored: what a profile names is there always, and
/// nodes that no profile names harm nobody.
final class StackWriter {
    /// Bounds of what is kept and made.
    struct Limits: Sendable {
        /// From how many nodes on a service gets a new tree.
        var nodesPerTree = 1_000_000
        /// The most nodes of all trees together that stay in memory between transactions.
        var nodesInMemory = 2_000_000
        /// How many days an epoch takes new trees.
        var daysPerEpoch: Int64 = 31
        /// How many segments of a tree are put together into one.
        var segmentsTogether = 64
    }

    private struct OpenTree {
        var id: Int64
        var stacks: StackIndex
        /// What of it is on disk.
        var stored: StackExtent
        /// Where segments begin that were written one by one since they were put together last.
        var small: [StackExtent] = []
        var lastUse: UInt64
    }

    private let folder: String
    private let limits: Limits
    private let packer: Packer
    private var database: Database?
    private var epoch: Int64 = 0
    private var began = UTCDay(number: 0)
    private var trees: [String: OpenTree] = [:]
    /// The trees that have more than is on disk, or may have.
    private var touched: Set<String> = []
    private var clock: UInt64 = 0

    init(folder: String, limits: Limits, packer: Packer) {
        self.folder = folder
        self.limits = limits
        self.packer = packer
    }

    /// The epoch that takes new stacks; `nil` before the first.
    var currentEpoch: Int64? { database == nil ? nil : epoch }

    /// Sees to it that an epoch is open that may take stacks now.
    ///
    /// An epoch's number is the millisecond in which it began: none is used twice, not even when a
    /// damaged file was moved away.
    func open(at now: Timestamp) throws(StoreError) {
        let today = UTCDay(of: now)
        if database != nil, isFresh(today) { return }
        let latest =
            FileSystem.entries(of: folder).compactMap(StackFormat.epoch(ofFile:)).max() ?? 0
        if database == nil, latest > 0 {
            do throws(StoreError) {
                try open(latest, today)
                if isFresh(today) { return }
            } catch {
                // What is damaged stays as it is for whoever repairs it; new stacks go elsewhere.
                guard error.code == .corrupt else { throw error }
            }
        }
        try open(max(latest + 1, epoch + 1, now.unixMilliseconds), today)
    }

    private func isFresh(_ today: UTCDay) -> Bool {
        today.number - began.number < limits.daysPerEpoch
    }

    private func open(_ number: Int64, _ today: UTCDay) throws(StoreError) {
        database = nil
        forget()
        let path = StackFormat.path(number, in: folder)
        let isNew = !FileSystem.exists(path)
        let opened = try Database(path, .write, StackFormat.format)
        if isNew { try FileSystem.flushFolder(folder) }
        if try opened.number("SELECT count(*) FROM epoch") == 0 {
            let insert = try opened.statement("INSERT INTO epoch VALUES (?)")
            try insert.bind(today.number, at: 1)
            try insert.run()
        }
        began = UTCDay(number: try opened.number("SELECT began FROM epoch"))
        database = opened
        epoch = number
    }

    /// The nodes and values of stacks in a service's tree; new stacks are added to it.
    func intern(
        _ stacks: [LocationTree], of service: String
    ) throws(StoreError) -> (home: StackHome, values: [[StackValue]]) {
        try openTree(of: service)
        touched.insert(service)
        let id = trees[service]?.id ?? 0
        var values: [[StackValue]] = []
        for stacks in stacks { values.append(trees[service]?.stacks.intern(stacks) ?? []) }
        return (.shared(epoch: epoch, tree: id), values)
    }

    /// Puts on disk what was interned; with nothing new, nothing is written.
    func commit() throws(StoreError) {
        let grown = touched.filter { service in
            guard let tree = trees[service] else { return false }
            return tree.stacks.columns.extent != tree.stored
        }
        touched = []
        guard let database, !grown.isEmpty else { return dropTrees() }
        do throws(StoreError) {
            try database.transaction { () throws(StoreError) in
                for service in grown { try store(service, database) }
            }
        } catch {
            forget()
            throw error
        }
        dropTrees()
    }

    /// Forgets everything that is not on disk.
    func forget() {
        trees = [:]
        touched = []
    }

    private func dropTrees() {
        var nodes = trees.values.reduce(0) { $0 + $1.stacks.columns.parents.count }
        guard nodes > limits.nodesInMemory else { return }
        for (service, tree) in trees.sorted(by: { $0.value.lastUse < $1.value.lastUse }) {
            guard nodes > limits.nodesInMemory else { return }
            nodes -= tree.stacks.columns.parents.count
            trees[service] = nil
        }
    }

    /// Sees to it that `trees` has a tree of the service with room for more.
    private func openTree(of service: String) throws(StoreError) {
        guard let database else { return }
        clock += 1
        if trees[service] == nil { trees[service] = try latestTree(of: service, database) }
        let nodes = trees[service]?.stacks.columns.parents.count
        if nodes == nil || nodes ?? 0 >= limits.nodesPerTree {
            // Small, and before anything names it: a transaction of its own.
            try database.transaction { () throws(StoreError) in
                if let tree = trees[service], tree.stacks.columns.extent != tree.stored {
                    try store(service, database)
                }
                let insert = try database.statement(
                    "INSERT INTO tree (service, nodes) VALUES (?, 1)")
                try insert.bind(service, at: 1)
                try insert.run()
            }
            trees[service] = OpenTree(
                id: database.lastRowID, stacks: StackIndex(), stored: .empty, lastUse: clock)
        }
        trees[service]?.lastUse = clock
    }

    private func latestTree(
        of service: String, _ database: Database
    ) throws(StoreError) -> OpenTree? {
        let find = try database.statement(
            "SELECT id, nodes FROM tree WHERE service = ? ORDER BY id DESC LIMIT 1")
        defer { find.reset() }
        try find.bind(service, at: 1)
        guard try find.step() else { return nil }
        let id = find.int(0)
        var columns = StackColumns()
        try StackFormat.extend(
            &columns, tree: id, nodes: Int(clamping: find.int(1)), in: database, packer)
        return OpenTree(
            id: id, stacks: StackIndex(columns), stored: columns.extent, lastUse: clock)
    }

    /// Writes what the service's tree has beyond what is on disk.
    private func store(_ service: String, _ database: Database) throws(StoreError) {
        guard var tree = trees[service] else { return }
        var start = tree.stored
        tree.small.append(start)
        if tree.small.count > limits.segmentsTogether {
            start = tree.small[0]
            tree.small = []
            let delete = try database.statement(
                "DELETE FROM segment WHERE tree = ? AND first_node >= ?")
            try delete.bind(tree.id, at: 1)
            try delete.bind(Int64(start.nodes), at: 2)
            try delete.run()
        }
        let insert = try database.statement(
            "INSERT INTO segment (tree, first_node, body) VALUES (?, ?, ?)")
        try insert.bind(tree.id, at: 1)
        try insert.bind(Int64(start.nodes), at: 2)
        try insert.bind(packer.pack(StackSegment.encode(tree.stacks, from: start)), at: 3)
        try insert.run()
        let update = try database.statement("UPDATE tree SET nodes = ? WHERE id = ?")
        try update.bind(Int64(tree.stacks.columns.parents.count), at: 1)
        try update.bind(tree.id, at: 2)
        try update.run()
        tree.stored = tree.stacks.columns.extent
        trees[service] = tree
    }
}
