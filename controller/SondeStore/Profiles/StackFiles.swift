// SPDX-License-Identifier: Apache-2.0
// Reads the stacks that days share, and removes those that no day names any more.

internal import Glibc
internal import Synchronization

/// The databases of stacks, for readers.
final class StackFiles: Sendable {
    /// One reader of one epoch.
    ///
    /// Safety of `@unchecked Sendable`: used by one thread at a time; handed out under a lock.
    final class Reader: @unchecked Sendable {
        let database: Database
        let packer = Packer()

        init(_ path: String) throws(StoreError) {
            database = try Database(path, .read, StackFormat.format)
        }

        /// Adds to the columns what came since.
        func extend(_ columns: inout StackColumns, tree: Int64) throws(StoreError) {
            try database.snapshot { () throws(StoreError) in
                let find = try database.statement("SELECT nodes FROM tree WHERE id = ?")
                try find.bind(tree, at: 1)
                guard try find.step() else {
                    throw DayFormat.damaged(
                        database.path, "a stack tree", VarintError(reason: "it is missing"))
                }
                let nodes = Int(clamping: find.int(0))
                find.reset()
                try StackFormat.extend(&columns, tree: tree, nodes: nodes, in: database, packer)
            }
        }

        /// The nodes and the bytes of each service.
        func usage() throws(StoreError) -> [String: (nodes: Int, bytes: Int64)] {
            let rows = try database.statement(
                "SELECT service, nodes, (SELECT coalesce(sum(length(body)), 0) FROM segment "
                    + "WHERE tree = id) FROM tree")
            defer { rows.reset() }
            var result: [String: (nodes: Int, bytes: Int64)] = [:]
            while try rows.step() {
                let service = rows.text(0)
                result[service, default: (0, 0)].nodes += Int(rows.int(1))
                result[service, default: (0, 0)].bytes += rows.int(2)
            }
            return result
        }
    }

    /// The most readers of one epoch that stay open while nobody uses them.
    private static let idleReaders = 4

    /// The folder's path.
    let folder: String
    private let idle = Mutex<[Int64: [Reader]]>([:])

    init(folder: String) { self.folder = folder }

    /// The epochs that have a file, in order.
    var epochs: [Int64] {
        FileSystem.entries(of: folder).compactMap(StackFormat.epoch(ofFile:)).sorted()
    }

    /// The bytes of all files.
    var bytes: Int64 {
        epochs.reduce(0) { sum, epoch in
            ["", "-wal"].reduce(sum) { sum, suffix in
                let status = FileSystem.status(StackFormat.path(epoch, in: folder) + suffix)
                return sum + Int64(status?.st_size ?? 0)
            }
        }
    }

    /// Reads from an epoch.
    ///
    /// - Throws: ``StoreError``: `notFound` when it has no file.
    func read<Result>(
        _ epoch: Int64, _ body: (Reader) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        let path = StackFormat.path(epoch, in: folder)
        let reader: Reader
        if let waiting = idle.withLock({ $0[epoch]?.popLast() }) {
            reader = waiting
        } else {
            guard FileSystem.exists(path) else {
                throw StoreError(
                    .corrupt,
                    "cannot read \(path): the file is not there; want it restored, for stored "
                        + "profiles name its stacks")
            }
            reader = try Reader(path)
        }
        let result = try body(reader)
        idle.withLock { idle in
            if idle[epoch, default: []].count < Self.idleReaders {
                idle[epoch, default: []].append(reader)
            }
        }
        return result
    }

    /// Removes an epoch's files.
    func remove(_ epoch: Int64) {
        idle.withLock { $0[epoch] = nil }
        for suffix in ["-wal", "-shm", ""] {
            FileSystem.remove(StackFormat.path(epoch, in: folder) + suffix)
        }
    }
}
