// SPDX-License-Identifier: Apache-2.0
// Reads everything that a profile store has, and says what is damaged.

internal import SondeModel
internal import Synchronization

/// What reading everything found.
package struct StoreCheck: Sendable {
    /// Databases that were read.
    package var databases = 0
    /// Profiles whose values and stacks were read.
    package var profiles = 0
    /// Merged blocks that were compared with the profiles they stand for.
    package var blocks = 0
    /// What is damaged, each in one sentence; empty when all is well.
    package var problems: [String] = []

    private static let mostProblems = 1000

    /// Nothing was read yet.
    package init() {}

    mutating func note(_ problem: String) {
        if problems.count < Self.mostProblems { problems.append(problem) }
    }
}

extension SQLiteProfileStore {
    /// Reads everything, and compares each block with the profiles it stands for.
    ///
    /// Takes as long as reading all profiles takes; the store goes on meanwhile.
    ///
    /// - Parameter isStopped: Whether nobody waits for the answer any more.
    /// - Returns: What was found.
    package func check(isStopped: @Sendable () -> Bool = { false }) -> StoreCheck {
        maintenance.withLock { _ in
            var result = StoreCheck()
            for epoch in stacks.epochs where !isStopped() {
                result.databases += 1
                do throws(StoreError) {
                    try stacks.read(epoch) { (reader) throws(StoreError) in
                        try reader.database.checkPages { result.note($0) }
                    }
                } catch { result.note(error.message) }
            }
            for day in files.all where !isStopped() {
                result.databases += 1
                do throws(StoreError) {
                    try files.read(day) { (reader) throws(StoreError) in
                        try reader.database.checkPages { result.note($0) }
                        try check(reader, &result, isStopped)
                    }
                } catch { result.note(error.message) }
            }
            return result
        }
    }

    private func check(
        _ reader: DayReader, _ result: inout StoreCheck, _ isStopped: () -> Bool
    ) throws(StoreError) {
        try reader.database.snapshot { () throws(StoreError) in
            let rows = try reader.database.statement("SELECT id, tree, total, body FROM profile")
            defer { rows.reset() }
            while try rows.step(), !isStopped() {
                result.profiles += 1
                do throws(StoreError) {
                    try check(reader, rows, &result)
                } catch { result.note("profile \(rows.int(0)): \(error.message)") }
            }
            for key in try reader.blockKeys() where !isStopped() {
                result.blocks += 1
                if try !reader.isWhole(key) {
                    result.note(
                        "cannot trust \(reader.database.path): the block \(key.level) of "
                            + "\(key.scope) \(key.owner) from \(key.begin) ns is not the sum of its "
                            + "profiles; want it removed")
                }
            }
        }
    }

    private func check(
        _ reader: DayReader, _ row: Statement, _ result: inout StoreCheck
    ) throws(StoreError) {
        var totals = StackTotals()
        try reader.add(row, 3, tree: row.int(1), to: &totals)
        for (home, values) in totals.byTree {
            let nodes = try columns(of: home).parents.count
            guard values.lastIndex(where: { $0 != 0 }) ?? 0 < nodes else {
                throw reader.damaged("it", VarintError(reason: "it names an unknown stack"))
            }
            guard values.reduce(0, { $0.addingOrSaturating($1) }) == row.int(2) else {
                throw reader.damaged("it", VarintError(reason: "its values are not its total"))
            }
        }
    }
}

extension DayReader {
    /// The keys of all blocks.
    func blockKeys() throws(StoreError) -> [BlockKey] {
        let rows = try database.statement("SELECT DISTINCT scope, owner, level, begin FROM block")
        defer { rows.reset() }
        var result: [BlockKey] = []
        while try rows.step() {
            guard let key = BlockKey(rows) else {
                throw damaged("a block", VarintError(reason: "its key is unknown"))
            }
            result.append(key)
        }
        return result
    }

    /// Whether a block holds what its profiles do.
    func isWhole(_ key: BlockKey) throws(StoreError) -> Bool {
        let rows = try database.statement(
            "SELECT tree, profiles, first, last, body FROM block "
                + "WHERE scope = ? AND owner = ? AND level = ? AND begin = ?")
        defer { rows.reset() }
        try rows.bind(key)
        var stored = StackTotals()
        var times: Set<[Int64]> = []
        while try rows.step() {
            stored.profiles += Int(rows.int(1))
            times.insert([rows.int(2), rows.int(3)])
            try add(rows, 4, tree: rows.int(0), to: &stored)
        }
        let wanted = try content(of: key, from: .profiles)
        var values: [StackHome: [StackValue]] = [:]
        for (home, sums) in stored.byTree { values[home] = sums.stackValues }
        var wantedValues: [StackHome: [StackValue]] = [:]
        for part in wanted.parts { wantedValues[try home(of: part.tree)] = part.values }
        return stored.profiles == wanted.profiles && times == [[wanted.first, wanted.last]]
            && values == wantedValues
    }
}

extension [Int64] {
    /// The sums that are not 0, by node.
    var stackValues: [StackValue] {
        indices.filter { self[$0] != 0 }.map { StackValue(node: Int32($0), value: self[$0]) }
    }
}

extension Database {
    /// Calls `problem` with each thing that SQLite finds wrong with the file.
    func checkPages(_ problem: (String) -> Void) throws(StoreError) {
        let rows = try statement("PRAGMA quick_check(20)")
        defer { rows.reset() }
        while try rows.step() {
            let text = rows.text(0)
            if text != "ok" {
                problem(
                    "cannot trust \(path): SQLite finds \"\(text)\"; want it restored or moved away"
                )
            }
        }
    }
}
