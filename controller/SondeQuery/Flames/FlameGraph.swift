// SPDX-License-Identifier: Apache-2.0
// Lays merged stacks out as a flame graph: which nodes to show, and in which order.

package import SondeModel

/// A flame graph in columns, as `docs/http-api.md` answers it.
///
/// Node 0 is the root and has no frame. Parents stand before children, siblings in byte order of
/// their names, and what was cut off under one parent is its last child, named `other`.
package struct FlameGraph: Sendable {
    /// The frames that nodes point into, each once.
    package private(set) var frames: [Frame] = []
    /// Each node's parent; the root's is -1.
    package private(set) var parents: [Int32] = []
    /// Each node's index into ``frames``; the root's is -1.
    package private(set) var frameIndices: [Int32] = []
    /// Each node's own value.
    package private(set) var selfValues: [Int64] = []
    /// Each node's value with all that it called.
    package private(set) var totals: [Int64] = []
    /// The value of stacks whose leaf has no name, whether its node is shown or cut off.
    package private(set) var unresolved: Int64 = 0
    /// Whether nodes were cut off.
    package private(set) var isTruncated = false

    /// The value of everything.
    package var total: Int64 { totals.first ?? 0 }

    /// The default of how many nodes are kept.
    package static let defaultMaximumNodes = 16_384
    /// The most nodes that may be asked for.
    package static let largestMaximumNodes = 1_048_576

    /// Lays stacks out.
    ///
    /// Where the stacks have more nodes than `maximumNodes` (the root not counted), the total of
    /// the `maximumNodes`-th largest is the threshold: nodes below it are cut off, and those cut
    /// off under one parent become one child named `other`. Nodes with the same total as the
    /// threshold are all kept, so the answer may have a few more. Nodes without a value are left out.
    package init(_ tree: FrameTree, maximumNodes: Int = FlameGraph.defaultMaximumNodes) {
        let treeTotals = tree.totals
        let threshold = Self.threshold(treeTotals, maximumNodes: maximumNodes)
        let children = ChildLists(tree, sortedBy: Self.ranks(of: tree.keys))
        var frameMap = [Int32](repeating: -1, count: tree.keys.count)
        var otherFrame: Int32?

        append(parent: -1, frame: -1, selfValue: tree.selfValues[0], total: treeTotals[0])
        // A node of the tree with its place in the answer. Each is laid out when it is taken off,
        // so that the answer is in pre-order however deep the stacks are; a node of -1 is what
        // was cut off under `place`.
        var waiting: [(node: Int32, place: Int32, cutOff: Int64)] = []
        func wait(forChildrenOf node: Int32, at place: Int32) -> [(Int32, Int32, Int64)] {
            var cutOff: Int64 = 0
            var kept: [(Int32, Int32, Int64)] = []
            for child in children[Int(node)] {
                let total = treeTotals[Int(child)]
                guard total > 0 else { continue }
                let isOther = tree.keys[Int(tree.keyIndices[Int(child)])].kind == .other
                if total < threshold || isOther {
                    cutOff = cutOff.addingReportingOverflow(total).partialValue
                } else {
                    kept.append((child, place, 0))
                }
            }
            if cutOff > 0 { kept.append((-1, place, cutOff)) }
            return kept.reversed()
        }
        waiting = wait(forChildrenOf: 0, at: 0)
        while let (node, parent, cutOff) = waiting.popLast() {
            if node < 0 {
                let frame = otherFrame ?? intern(Frame(name: "other", kind: .other))
                otherFrame = frame
                append(parent: parent, frame: frame, selfValue: cutOff, total: cutOff)
                isTruncated = true
                continue
            }
            let key = Int(tree.keyIndices[Int(node)])
            if frameMap[key] < 0 { frameMap[key] = intern(tree.keys[key]) }
            let place = Int32(parents.count)
            append(
                parent: parent, frame: frameMap[key], selfValue: tree.selfValues[Int(node)],
                total: treeTotals[Int(node)])
            waiting += wait(forChildrenOf: node, at: place)
        }
        unresolved = Self.unresolved(in: tree)
    }

    private mutating func intern(_ frame: Frame) -> Int32 {
        frames.append(frame)
        return Int32(frames.count - 1)
    }

    private mutating func append(parent: Int32, frame: Int32, selfValue: Int64, total: Int64) {
        parents.append(parent)
        frameIndices.append(frame)
        selfValues.append(selfValue)
        totals.append(total)
    }

    /// The total that a node needs to be kept; 1 when all are.
    static func threshold(_ totals: [Int64], maximumNodes: Int) -> Int64 {
        let values = totals.dropFirst().filter { $0 > 0 }
        guard maximumNodes > 0, values.count > maximumNodes else { return 1 }
        return values.sorted(by: >)[maximumNodes - 1]
    }

    private static func unresolved(in tree: FrameTree) -> Int64 {
        var sum: Int64 = 0
        for node in 1..<max(1, tree.count)
        where tree.keys[Int(tree.keyIndices[node])].kind == .unresolved {
            let (next, overflow) = sum.addingReportingOverflow(tree.selfValues[node])
            sum = overflow ? .max : next
        }
        return sum
    }

    /// Each key's place in the order of siblings.
    static func ranks(of keys: [Frame]) -> [Int32] {
        var order = Array(keys.indices)
        order.sort { left, right in Self.precedes(keys[left], keys[right]) }
        var ranks = [Int32](repeating: 0, count: keys.count)
        for (rank, key) in order.enumerated() { ranks[key] = Int32(rank) }
        return ranks
    }

    /// Byte order of names; what else differs only makes the order the same each time.
    private static func precedes(_ left: Frame, _ right: Frame) -> Bool {
        if left.name != right.name {
            return left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
        }
        if left.module != right.module { return left.module < right.module }
        if left.file != right.file { return left.file < right.file }
        if left.startLine != right.startLine { return left.startLine < right.startLine }
        return left.kind.rawValue < right.kind.rawValue
    }
}
