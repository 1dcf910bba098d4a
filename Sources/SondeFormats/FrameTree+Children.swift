// SPDX-License-Identifier: Apache-2.0
// The children of each node of a flame graph, in the orders in which writers need them.

internal import SondeModel

/// The children of each node of a tree, in an order that the writer chose.
struct ChildLists {
    private let starts: [Int32]
    private let nodes: [Int32]

    /// The lists of a tree, each sorted by `precedes`.
    init(_ tree: FrameTree, sortedBy precedes: (Int, Int) -> Bool) {
        var starts = [Int32](repeating: 0, count: tree.count + 1)
        for node in 1..<max(1, tree.count) { starts[Int(tree.parents[node]) + 1] += 1 }
        for node in 0..<tree.count { starts[node + 1] += starts[node] }
        var next = starts
        var nodes = [Int32](repeating: 0, count: max(0, tree.count - 1))
        for node in 1..<max(1, tree.count) {
            let parent = Int(tree.parents[node])
            nodes[Int(next[parent])] = Int32(node)
            next[parent] += 1
        }
        for node in 0..<tree.count where starts[node + 1] - starts[node] > 1 {
            nodes[Int(starts[node])..<Int(starts[node + 1])].sort { precedes(Int($0), Int($1)) }
        }
        self.starts = starts
        self.nodes = nodes
    }

    /// The children of a node, in order.
    subscript(node: Int) -> ArraySlice<Int32> {
        nodes[Int(starts[node])..<Int(starts[node + 1])]
    }
}

extension FrameTree {
    /// The frame of a node; `nil` for the root.
    func frame(_ node: Int) -> Frame? {
        keyIndices[node] < 0 ? nil : keys[Int(keyIndices[node])]
    }

    /// Children in byte order of their names, what was cut off last: the order of flame graphs.
    func childrenByName() -> ChildLists {
        ChildLists(self) { left, right in
            guard let leftFrame = frame(left), let rightFrame = frame(right) else { return false }
            if (leftFrame.kind == .other) != (rightFrame.kind == .other) {
                return rightFrame.kind == .other
            }
            if leftFrame.name == rightFrame.name { return left < right }
            return leftFrame.name.utf8.lexicographicallyPrecedes(rightFrame.name.utf8)
        }
    }

    /// Children from the largest total to the smallest, what was cut off last.
    func childrenByTotal(_ totals: [Int64]) -> ChildLists {
        ChildLists(self) { left, right in
            let isOther = (frame(left)?.kind == .other, frame(right)?.kind == .other)
            if isOther.0 != isOther.1 { return isOther.1 }
            return totals[left] == totals[right] ? left < right : totals[left] > totals[right]
        }
    }
}
