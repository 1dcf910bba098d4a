// SPDX-License-Identifier: Apache-2.0
// Sums of many profiles by node, before anything is known of what the nodes stand for.

internal import SondeModel

/// Sums of values, by the node of the interned tree that they belong to.
struct StackTotals: Sendable {
    /// For each tree the sums, indexed by node.
    var byTree: [StackHome: [Int64]] = [:]
    /// How many profiles were added up.
    var profiles = 0

    /// The nodes that the sums have room for.
    var nodes: Int { byTree.values.reduce(0) { $0 + $1.count } }

    /// Gives up room behind the last node that has a value.
    mutating func trim() {
        for (tree, sums) in byTree {
            let count = (sums.lastIndex { $0 != 0 } ?? -1) + 1
            // A new array: one that is made shorter keeps its room.
            byTree[tree] = count == 0 ? nil : Array(sums[..<count])
        }
    }

    /// Adds other sums; saturates where the range ends.
    mutating func add(_ other: StackTotals) {
        profiles += other.profiles
        for (tree, more) in other.byTree {
            guard let place = byTree.index(forKey: tree) else {
                byTree[tree] = more
                continue
            }
            let count = byTree.values[place].count
            if count < more.count {
                byTree.values[place].append(
                    contentsOf: repeatElement(0, count: more.count - count))
            }
            byTree.values[place].add(more)
        }
    }
}

extension [Int64] {
    /// Adds each element of a shorter or equally long array; saturates where the range ends.
    fileprivate mutating func add(_ more: [Int64]) {
        let count = Swift.min(self.count, more.count)
        var sums = mutableSpan
        let more = more.span
        for index in 0..<count {
            let (left, right) = (sums[index], more[index])
            let sum = left &+ right
            // Without a branch but for the overflow, which has the sign that neither side has.
            if (left ^ sum) & (right ^ sum) < 0 {
                sums[index] = left.addingOrSaturating(right)
            } else {
                sums[index] = sum
            }
        }
    }
}

/// Sums of several groups of series.
struct GroupedTotals: Sendable {
    private(set) var groups: [LabelSet: StackTotals] = [:]
    /// The nodes that all sums have room for.
    private var nodes = 0

    /// The sums of one group, to be added to; afterwards it is checked how large all have become.
    mutating func add(
        to group: LabelSet, _ reading: Reading,
        _ body: (inout StackTotals) throws(StoreError) -> Void
    ) throws(StoreError) {
        var totals = groups.removeValue(forKey: group) ?? StackTotals()
        nodes -= totals.nodes
        try body(&totals)
        nodes += totals.nodes
        groups[group] = totals
        try reading.check(nodes: nodes)
    }
}
