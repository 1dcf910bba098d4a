// SPDX-License-Identifier: Apache-2.0
// Covers a range of a day with merged blocks where there are some, and with profiles elsewhere.

internal import SondeModel

/// A way through the profiles of some series in a range, each profile once: in a block or alone.
///
/// A block stands for all profiles of its window, whichever came when: the writer removes a block
/// in the same transaction in which a profile comes into its window. So what is read in one
/// snapshot lacks and repeats nothing.
struct DayCover {
    /// One step of the way.
    enum Piece {
        /// The parts of a block, by their rows.
        case block(rows: [Int64])
        /// The profiles of a series that begin in this time, both ends included.
        case profiles(series: Int64, from: Int64, until: Int64)
    }

    let database: Database
    /// Which blocks inside the range may be used, by when their first and last profile begin.
    var accepts: (Int64, Int64) -> Bool = { _, _ in true }
    /// The longest blocks to look for.
    var top = BlockLadder.top
    let take: (Piece) throws(StoreError) -> Void

    /// Covers a range of a family: all series of a type and a service.
    func family(_ series: [Int64], from: Int64, until: Int64) throws(StoreError) {
        guard let first = series.min() else { return }
        try cover(.family, first, level: top, from, until) { (from, until) throws(StoreError) in
            // Where a family has no block, its series may have some.
            for one in series { try self.series(one, from: from, until: until) }
        }
    }

    /// Covers a range of one series.
    func series(_ series: Int64, from: Int64, until: Int64) throws(StoreError) {
        let (length, overflow) = until.subtractingReportingOverflow(from)
        // Both ends belong to the range.
        let level = min(
            top, BlockLadder.longest(within: overflow || length == .max ? .max : length + 1))
        try cover(.series, series, level: level, from, until) { (from, until) throws(StoreError) in
            try take(.profiles(series: series, from: from, until: until))
        }
    }

    private func cover(
        _ scope: BlockScope, _ owner: Int64, level: Int, _ from: Int64, _ until: Int64,
        below: (Int64, Int64) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard from <= until else { return }
        guard level >= scope.lowestLevel else { return try below(from, until) }
        let first = BlockKey(
            scope: scope, owner: owner, level: level, begin: BlockLadder.begin(level, of: from))
        var cursor = from
        // Within this gap, and not only within the range: what lies beside it is covered already.
        for block in try blocks(first, until: until)
        where block.first >= from && block.last <= until && accepts(block.first, block.last) {
            if block.begin > cursor {
                try cover(scope, owner, level: level - 1, cursor, block.begin - 1, below: below)
            }
            try take(.block(rows: block.rows))
            let end = BlockKey(scope: scope, owner: owner, level: level, begin: block.begin).end
            guard end < until else { return }
            cursor = end + 1
        }
        try cover(scope, owner, level: level - 1, cursor, until, below: below)
    }

    private struct Block {
        var begin: Int64
        var first: Int64
        var last: Int64
        var rows: [Int64]
    }

    private func blocks(_ first: BlockKey, until: Int64) throws(StoreError) -> [Block] {
        let rows = try database.statement(
            "SELECT id, begin, first, last FROM block WHERE scope = ? AND owner = ? AND level = ? "
                + "AND begin BETWEEN ? AND ? ORDER BY begin, tree")
        defer { rows.reset() }
        try rows.bind(first)
        try rows.bind(until, at: 5)
        var result: [Block] = []
        while try rows.step() {
            if let last = result.last, last.begin == rows.int(1) {
                result[result.count - 1].rows.append(rows.int(0))
            } else {
                result.append(
                    Block(
                        begin: rows.int(1), first: rows.int(2), last: rows.int(3),
                        rows: [rows.int(0)]))
            }
        }
        return result
    }
}
