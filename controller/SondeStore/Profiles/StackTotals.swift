// SPDX-License-Identifier: Apache-2.0
// Sums of many profiles by node, before anything is known of what the nodes stand for.

internal import SondeModel

/// Sums of values, by the node of the interned tree that they belong to.
struct StackTotals: Sendable {
    /// For each tree the sums, indexed by node.
    var byTree: [StackHome: [Int64]] = [:]
    /// How many profiles were added up.
    var profiles = 0
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
        nodes -= totals.byTree.values.reduce(0) { $0 + $1.count }
        try body(&totals)
        nodes += totals.byTree.values.reduce(0) { $0 + $1.count }
        groups[group] = totals
        try reading.check(nodes: nodes)
    }
}
