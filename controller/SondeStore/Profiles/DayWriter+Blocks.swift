// SPDX-License-Identifier: Apache-2.0
// Which blocks of a day are due, and how they are stored so that none lacks or repeats a profile.

internal import SondeModel

/// A block that is to be made.
struct DueBlock: Sendable {
    var key: BlockKey
    /// When its window was written to last; `nil` for windows that are made of shorter ones.
    var generation: UInt64?
}

extension DayWriter {
    /// The blocks of a level whose windows have passed.
    func dueBlocks(level: Int, now: Timestamp) throws(StoreError) -> [DueBlock] {
        let (until, overflow) = now.unixNanoseconds.subtractingReportingOverflow(
            BlockLadder.lengths[level] + BlockLadder.delay(level))
        guard !overflow else { return [] }
        let rows = try database.statement(
            "SELECT scope, owner, level, begin FROM pending WHERE level = ? AND begin <= ?")
        defer { rows.reset() }
        try rows.bind(Int64(level), at: 1)
        try rows.bind(until, at: 2)
        var due: [DueBlock] = []
        while try rows.step() {
            guard let key = BlockKey(rows) else { continue }
            due.append(DueBlock(key: key, generation: waiting[key]))
        }
        return due
    }

    /// Stores blocks as one transaction, those whose windows were not written to since they were
    /// read; the others stay due.
    ///
    /// - Parameter blocks: What was due, and what was read after it was found due.
    /// - Throws: ``StoreError``; nothing is stored then.
    /// - Returns: How many windows are done.
    func store(_ blocks: [(due: DueBlock, content: BlockContent)]) throws(StoreError) -> Int {
        var done: [BlockKey] = []
        try database.transaction { () throws(StoreError) in
            for (due, content) in blocks where try isUnchanged(due) {
                try run(
                    due.key,
                    "DELETE FROM pending WHERE scope = ? AND owner = ? AND level = ? AND begin = ?")
                try run(
                    due.key,
                    "DELETE FROM block WHERE scope = ? AND owner = ? AND level = ? AND begin = ?")
                if content.pieces >= BlockLadder.fewestPieces(due.key.level) {
                    try insert(content, due.key)
                }
                done.append(due.key)
            }
        }
        for key in done { waiting[key] = nil }
        return done.count
    }

    private func isUnchanged(_ due: DueBlock) throws(StoreError) -> Bool {
        let key = due.key
        if key.level == key.scope.lowestLevel {
            return due.generation != nil && waiting[key] == due.generation
        }
        // A profile that came meanwhile made its shortest window wait, in the same transaction.
        let find = try database.statement(
            "SELECT 1 FROM pending WHERE scope = ? AND owner = ? AND level = ? "
                + "AND begin BETWEEN ? AND ? LIMIT 1")
        defer { find.reset() }
        try find.bind(
            BlockKey(
                scope: key.scope, owner: key.owner, level: key.scope.lowestLevel, begin: key.begin))
        try find.bind(key.end, at: 5)
        return try !find.step()
    }

    private func insert(_ content: BlockContent, _ key: BlockKey) throws(StoreError) {
        for (index, part) in content.parts.enumerated() {
            let insert = try database.statement(
                "INSERT INTO block (scope, owner, level, begin, tree, first, last, profiles, "
                    + "total, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            try insert.bind(key)
            try insert.bind(part.tree, at: 5)
            try insert.bind(content.first, at: 6)
            try insert.bind(content.last, at: 7)
            try insert.bind(index == 0 ? Int64(content.profiles) : 0, at: 8)
            try insert.bind(part.total, at: 9)
            try insert.bind(packer.pack(ProfileBody.encode(part.values)), at: 10)
            try insert.run()
        }
    }
}
