// SPDX-License-Identifier: Apache-2.0
// Reads and writes the tree in which Pyroscope's clients and its queries send stacks.

package import SondeModel

/// Pyroscope's binary tree of stacks.
///
/// Pre-order, each node as `varint length of name, name, varint own value, varint number of
/// children`; the root has an empty name. No bytes are an empty tree.
package enum PyroscopeTree {
    private static let format = "tree"

    /// Reads a tree.
    ///
    /// - Parameters:
    ///   - bytes: The tree, from untrusted hands.
    ///   - limits: What may be held in memory at most.
    /// - Returns: The stacks; values are as the tree has them.
    /// - Throws: ``FormatError`` with the place of the byte.
    package static func read(
        _ bytes: some Collection<UInt8>, limits: FormatLimits = FormatLimits()
    ) throws(FormatError) -> FrameTree {
        var reader = BranchReader(Array(bytes), format)
        try limits.check(bytes: reader.bytes.count, format)
        var builder = FrameTreeBuilder(format, limits)
        if reader.bytes.isEmpty { return builder.tree }
        // Nodes whose children are still to come: how many, and what they hang below.
        var open: [(node: Int32, left: UInt64)] = []
        repeat {
            let parent = open.last?.node
            let place = reader.position
            let name = try reader.text()
            let value = try reader.value()
            let children = try reader.childCount()
            var node: Int32 = 0
            // The root has no frame, and what is too deep counts for the last frame that is kept.
            if let parent {
                open[open.count - 1].left -= 1
                let key = try builder.key(name, at: "byte \(place)")
                node =
                    open.count <= limits.stackDepth
                    ? try builder.child(of: parent, key) : parent
            }
            builder.add(value, to: node)
            if children > 0 {
                guard open.count < limits.tableEntries else {
                    throw .tooMany(format, "levels", limit: limits.tableEntries)
                }
                open.append((node, children))
            } else {
                while open.last?.left == 0 { open.removeLast() }
            }
        } while !open.isEmpty
        try reader.end()
        return builder.tree
    }

    /// The tree's bytes, as Pyroscope answers queries: of a node's children the last one by name
    /// comes first.
    ///
    /// Nodes of the same name below the same parent are written one after the other, not merged.
    ///
    /// - Parameter tree: The stacks; what is below 0 is written as 0.
    /// - Returns: The bytes; none when the tree holds nothing.
    package static func encode(_ tree: FrameTree) -> [UInt8] {
        guard tree.count > 1 || (tree.selfValues.first ?? 0) > 0 else { return [] }
        let children = tree.childrenByName()
        let names = tree.keys.map { Array($0.name.utf8) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(tree.count * 24)
        var pending = [0]
        while let node = pending.popLast() {
            let name = node == 0 ? [] : names[Int(tree.keyIndices[node])]
            append(UInt64(name.count), to: &bytes)
            bytes += name
            append(UInt64(max(0, tree.selfValues[node])), to: &bytes)
            let below = children[node]
            append(UInt64(below.count), to: &bytes)
            // What is pushed last comes out first.
            for child in below { pending.append(Int(child)) }
        }
        return bytes
    }

    private static func append(_ value: UInt64, to bytes: inout [UInt8]) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
