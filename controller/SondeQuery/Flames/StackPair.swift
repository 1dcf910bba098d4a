// SPDX-License-Identifier: Apache-2.0
// Two selections of stacks in one tree, to be compared.

package import SondeModel

/// The stacks of two selections in one tree: each node has a value on each side.
package struct StackPair: Sendable {
    /// The nodes that either side has; its own values are not used.
    package private(set) var tree = FrameTree()
    /// Each node's own value on the left.
    package private(set) var left: [Int64] = [0]
    /// Each node's own value on the right.
    package private(set) var right: [Int64] = [0]

    /// The stacks of two selections.
    package init(left: FrameTree, right: FrameTree) {
        for (node, place) in add(left).enumerated() {
            self.left[Int(place)] = saturatingSum(self.left[Int(place)], left.selfValues[node])
        }
        for (node, place) in add(right).enumerated() {
            self.right[Int(place)] = saturatingSum(self.right[Int(place)], right.selfValues[node])
        }
    }

    /// Adds the nodes of a side; where each of them is.
    private mutating func add(_ side: FrameTree) -> [Int32] {
        let keys = side.keys.map { tree.intern($0) }
        var places = [Int32](repeating: 0, count: side.count)
        for node in 1..<max(1, side.count) {
            places[node] = tree.child(
                of: places[Int(side.parents[node])], keyIndex: keys[Int(side.keyIndices[node])])
        }
        let missing = tree.count - left.count
        left += [Int64](repeating: 0, count: missing)
        right += [Int64](repeating: 0, count: missing)
        return places
    }

    /// Each node's total on a side: its own value there and those of all nodes below it.
    package func totals(of own: [Int64]) -> [Int64] {
        var totals = own
        for node in stride(from: totals.count - 1, to: 0, by: -1) {
            let parent = Int(tree.parents[node])
            totals[parent] = saturatingSum(totals[parent], totals[node])
        }
        return totals
    }
}

/// The sum, or the end of the range where it lies beyond.
func saturatingSum(_ left: Int64, _ right: Int64) -> Int64 {
    let (sum, overflow) = left.addingReportingOverflow(right)
    return overflow ? (right < 0 ? .min : .max) : sum
}
