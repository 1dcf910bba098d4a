// SPDX-License-Identifier: Apache-2.0
// The children of each node of a tree, which itself knows only parents.

internal import SondeModel

/// The children of each node: one array of all nodes, grouped by parent.
struct ChildLists {
    private var nodes: [Int32]
    private var starts: [Int32]

    /// The children of a tree's nodes, each group in ascending order of its keys' ranks.
    ///
    /// - Parameters:
    ///   - tree: The tree.
    ///   - ranks: Each key's place in the order; `nil` keeps the order of the tree.
    init<Key>(_ tree: StackTree<Key>, sortedBy ranks: [Int32]? = nil) {
        let count = tree.count
        starts = [Int32](repeating: 0, count: count + 1)
        for node in 1..<max(1, count) { starts[Int(tree.parents[node]) + 1] += 1 }
        for node in 0..<count { starts[node + 1] += starts[node] }
        nodes = [Int32](repeating: 0, count: max(0, count - 1))
        var next = starts
        for node in 1..<max(1, count) {
            let parent = Int(tree.parents[node])
            nodes[Int(next[parent])] = Int32(node)
            next[parent] += 1
        }
        guard let ranks else { return }
        for node in 0..<count where starts[node + 1] - starts[node] > 1 {
            nodes[Int(starts[node])..<Int(starts[node + 1])].sort {
                ranks[Int(tree.keyIndices[Int($0)])] < ranks[Int(tree.keyIndices[Int($1)])]
            }
        }
    }

    /// The children of a node.
    subscript(node: Int) -> ArraySlice<Int32> {
        nodes[Int(starts[node])..<Int(starts[node + 1])]
    }
}
