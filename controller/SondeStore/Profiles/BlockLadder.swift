// SPDX-License-Identifier: Apache-2.0
// Merged blocks: which lengths there are, and of whom.

/// Whose profiles a block adds up.
enum BlockScope: Int64, Hashable, Sendable {
    /// Those of one series.
    case series = 0
    /// Those of all series of a type and a service: a family, known by its first series.
    case family = 1

    /// The level of its shortest blocks.
    var lowestLevel: Int { self == .family ? 0 : 1 }
}

/// The lengths of blocks, and the windows of time that they fill.
enum BlockLadder {
    /// The lengths, in nanoseconds; each divides the next.
    static let lengths: [Int64] = [
        60_000_000_000, 600_000_000_000, 7_200_000_000_000, 86_400_000_000_000,
    ]
    /// The level of the longest blocks.
    static let top = lengths.count - 1

    /// How long after the end of a window its block is made: profiles come after they began.
    static func delay(_ level: Int) -> Int64 { max(30_000_000_000, lengths[level] / 20) }

    /// The fewest blocks or profiles that a block may stand for: it must be worth its bytes.
    static func fewestPieces(_ level: Int) -> Int { level == 0 ? 64 : 8 }

    /// When the window that holds a time begins.
    static func begin(_ level: Int, of time: Int64) -> Int64 {
        let length = lengths[level]
        let remainder = time % length
        // A time within a window of the range's beginning has no begin that fits.
        let (begin, overflow) = time.subtractingReportingOverflow(
            remainder < 0 ? remainder + length : remainder)
        return overflow ? .min : begin
    }

    /// The longest level that is not longer than a span of time; -1 when all are.
    static func longest(within nanoseconds: Int64) -> Int {
        lengths.lastIndex { $0 <= nanoseconds } ?? -1
    }
}

/// Which block: of whom, how long, from when.
struct BlockKey: Hashable, Sendable {
    var scope: BlockScope
    var owner: Int64
    var level: Int
    var begin: Int64

    /// When its window ends, the last nanosecond included.
    var end: Int64 {
        let (end, overflow) = begin.addingReportingOverflow(BlockLadder.lengths[level] - 1)
        return overflow ? .max : end
    }
}

/// A block's content in one tree.
struct BlockPart: Sendable {
    var tree: Int64
    var total: Int64
    var values: [StackValue]
}

/// What a block holds.
struct BlockContent: Sendable {
    /// When the first and the last of its profiles begin.
    var first = Int64.max
    var last = Int64.min
    var profiles = 0
    /// Its values, by tree.
    var parts: [BlockPart] = []
    /// How many blocks and profiles it was made of.
    var pieces = 0
}
