// SPDX-License-Identifier: Apache-2.0
// Lays two selections of stacks out as one flame graph, to show where they differ.

package import SondeModel

/// Two flame graphs in one, in columns.
///
/// Nodes stand in the order of ``FlameGraph``: pre-order, siblings by name, what was cut off last.
package struct FlameGraphDiff: Sendable {
    /// A node's values on one side.
    package struct Values: Hashable, Sendable {
        /// The node's own value.
        package var own: Int64
        /// The node's value with all that it called.
        package var total: Int64
    }

    /// The frames that nodes point into, each once.
    package private(set) var frames: [Frame] = []
    /// Each node's parent; the root's is -1.
    package private(set) var parents: [Int32] = []
    /// Each node's index into ``frames``; the root's is -1.
    package private(set) var frameIndices: [Int32] = []
    /// Each node's values on the left.
    package private(set) var left: [Values] = []
    /// Each node's values on the right.
    package private(set) var right: [Values] = []
    /// Whether nodes were cut off.
    package private(set) var isTruncated = false

    /// The value of everything on the left.
    package var leftTotal: Int64 { left.first?.total ?? 0 }
    /// The value of everything on the right.
    package var rightTotal: Int64 { right.first?.total ?? 0 }

    /// Lays two selections out.
    ///
    /// A node counts with the larger of its two totals. Where there are more than `maximumNodes`
    /// nodes, those below the `maximumNodes`-th largest are cut off, and those cut off under one
    /// parent become one child named `other`, with the sums of both sides.
    package init(_ pair: StackPair, maximumNodes: Int = FlameGraph.defaultMaximumNodes) {
        let leftTotals = pair.totals(of: pair.left)
        let rightTotals = pair.totals(of: pair.right)
        let larger = zip(leftTotals, rightTotals).map { max($0, $1) }
        let threshold = FlameGraph.threshold(larger, maximumNodes: maximumNodes)
        let tree = pair.tree
        let children = ChildLists(tree, sortedBy: FlameGraph.ranks(of: tree.keys))
        var frameMap = [Int32](repeating: -1, count: tree.keys.count)
        var otherFrame: Int32?

        append(
            -1, -1, Values(own: pair.left[0], total: leftTotals[0]),
            Values(own: pair.right[0], total: rightTotals[0]))
        /// A node of the tree with the place of its parent; -1 is what was cut off there.
        typealias Waiting = (node: Int32, place: Int32, left: Int64, right: Int64)
        func wait(forChildrenOf node: Int32, at place: Int32) -> [Waiting] {
            var (cutLeft, cutRight) = (Int64(0), Int64(0))
            var kept: [Waiting] = []
            for child in children[Int(node)] where larger[Int(child)] > 0 {
                let isOther = tree.keys[Int(tree.keyIndices[Int(child)])].kind == .other
                if larger[Int(child)] < threshold || isOther {
                    cutLeft = saturatingSum(cutLeft, leftTotals[Int(child)])
                    cutRight = saturatingSum(cutRight, rightTotals[Int(child)])
                } else {
                    kept.append((child, place, 0, 0))
                }
            }
            if cutLeft > 0 || cutRight > 0 { kept.append((-1, place, cutLeft, cutRight)) }
            return kept.reversed()
        }
        var waiting = wait(forChildrenOf: 0, at: 0)
        while let (node, parent, cutLeft, cutRight) = waiting.popLast() {
            guard node >= 0 else {
                let frame = otherFrame ?? intern(Frame(name: "other", kind: .other))
                otherFrame = frame
                append(
                    parent, frame, Values(own: cutLeft, total: cutLeft),
                    Values(own: cutRight, total: cutRight))
                isTruncated = true
                continue
            }
            let key = Int(tree.keyIndices[Int(node)])
            if frameMap[key] < 0 { frameMap[key] = intern(tree.keys[key]) }
            let place = Int32(parents.count)
            append(
                parent, frameMap[key],
                Values(own: pair.left[Int(node)], total: leftTotals[Int(node)]),
                Values(own: pair.right[Int(node)], total: rightTotals[Int(node)]))
            waiting += wait(forChildrenOf: node, at: place)
        }
    }

    private mutating func intern(_ frame: Frame) -> Int32 {
        frames.append(frame)
        return Int32(frames.count - 1)
    }

    private mutating func append(
        _ parent: Int32, _ frame: Int32, _ leftValues: Values, _ rightValues: Values
    ) {
        parents.append(parent)
        frameIndices.append(frame)
        left.append(leftValues)
        right.append(rightValues)
    }
}
