// SPDX-License-Identifier: Apache-2.0
// Stacks merged into a tree: the form in which profiles are stored, added up and laid out.

/// Values of many stacks, merged where the stacks share their beginning at the root.
///
/// Node 0 is the root and has no key. A node's parent always has a smaller index, so one pass from
/// the end to the start adds totals up.
package struct StackTree<Key: Hashable & Sendable>: Sendable {
    // What can be inlined into other modules is specialized there for their keys: without that,
    // each node of a merge costs several calls through tables of the key's protocols.
    @usableFromInline var nodeParents: [Int32] = [-1]
    @usableFromInline var nodeKeys: [Int32] = [-1]
    @usableFromInline var nodeValues: [Int64] = [0]
    @usableFromInline var distinctKeys: [Key] = []
    @usableFromInline var keyIndexOf: [Key: Int32] = [:]
    @usableFromInline var children = ChildIndex()
    /// Whether ``keyIndexOf`` and ``children`` are filled: a tree from columns fills them only when
    /// it is added to, because most are only read.
    @usableFromInline var isIndexed = true

    /// Each node's parent; the root's is -1.
    @inlinable package var parents: [Int32] { nodeParents }
    /// Each node's index into ``keys``; the root's is -1.
    @inlinable package var keyIndices: [Int32] { nodeKeys }
    /// Each node's own value: that of the stacks which end here.
    @inlinable package var selfValues: [Int64] { nodeValues }
    /// The distinct keys: those that were added stand in order of first use.
    @inlinable package var keys: [Key] { distinctKeys }

    /// A tree that holds nothing.
    @inlinable
    package init() {}

    /// A tree from its columns, or `nil` when they contradict each other.
    ///
    /// The caller sees to it that keys are distinct and that no two nodes share parent and key;
    /// where that is broken, the tree still adds up but shows such nodes side by side.
    package init?(parents: [Int32], keyIndices: [Int32], selfValues: [Int64], keys: [Key]) {
        guard parents.count == keyIndices.count, parents.count == selfValues.count,
            parents.first == -1, keyIndices.first == -1, parents.count <= Int(Int32.max)
        else { return nil }
        for node in 1..<max(1, parents.count) {
            guard parents[node] >= 0, parents[node] < Int32(node), keyIndices[node] >= 0,
                Int(keyIndices[node]) < keys.count
            else { return nil }
        }
        nodeParents = parents
        nodeKeys = keyIndices
        nodeValues = selfValues
        distinctKeys = keys
        isIndexed = false
    }

    /// The number of nodes, the root included.
    @inlinable
    package var count: Int { nodeParents.count }

    /// The index in ``keys`` of a key, which is added when it is new.
    @inlinable
    package mutating func intern(_ key: Key) -> Int32 {
        if !isIndexed { fillIndexes() }
        if let index = keyIndexOf[key] { return index }
        let index = Int32(distinctKeys.count)
        distinctKeys.append(key)
        keyIndexOf[key] = index
        return index
    }

    /// The child of `parent` with the key at `keyIndex`, which is added when it is new.
    @inlinable
    package mutating func child(of parent: Int32, keyIndex: Int32) -> Int32 {
        if !isIndexed { fillIndexes() }
        // A node's first child mostly follows it.
        let next = Int(parent) + 1
        if next < nodeParents.count, nodeParents[next] == parent, nodeKeys[next] == keyIndex {
            return Int32(truncatingIfNeeded: next)
        }
        let slot = children.slot(
            parent: parent, keyIndex: keyIndex, parents: nodeParents, keyIndices: nodeKeys)
        if let node = children.node(at: slot) { return node }
        let node = Int32(nodeParents.count)
        nodeParents.append(parent)
        nodeKeys.append(keyIndex)
        nodeValues.append(0)
        children.insert(node, at: slot, parents: nodeParents, keyIndices: nodeKeys)
        return node
    }

    /// Adds a value to a node; saturates where the range ends.
    @inlinable
    package mutating func add(_ value: Int64, to node: Int32) {
        let (sum, overflow) = nodeValues[Int(node)].addingReportingOverflow(value)
        nodeValues[Int(node)] = overflow ? (value < 0 ? .min : .max) : sum
    }

    /// Adds a value to the stack of these keys, root first.
    @inlinable
    package mutating func add(_ value: Int64, rootFirst stack: some Sequence<Key>) {
        var node: Int32 = 0
        for key in stack { node = child(of: node, keyIndex: intern(key)) }
        add(value, to: node)
    }

    /// Adds another tree's values to this one's.
    @inlinable
    package mutating func merge(_ other: StackTree<Key>) {
        if count == 1, distinctKeys.isEmpty {
            let ownValue = nodeValues[0]
            self = other
            add(ownValue, to: 0)
            return
        }
        var keyMap: [Int32] = []
        keyMap.reserveCapacity(other.distinctKeys.count)
        for key in other.distinctKeys { keyMap.append(intern(key)) }
        var nodeMap = [Int32](repeating: 0, count: other.count)
        add(other.nodeValues[0], to: 0)
        for node in 1..<max(1, other.count) {
            let parent = nodeMap[Int(other.nodeParents[node])]
            let mapped = child(of: parent, keyIndex: keyMap[Int(other.nodeKeys[node])])
            nodeMap[node] = mapped
            add(other.nodeValues[node], to: mapped)
        }
    }

    /// Each node's total: its own value and those of all nodes below it; saturates where the range
    /// ends.
    package var totals: [Int64] {
        var totals = selfValues
        for node in stride(from: totals.count - 1, to: 0, by: -1) {
            let parent = Int(parents[node])
            let (sum, overflow) = totals[parent].addingReportingOverflow(totals[node])
            totals[parent] = overflow ? (totals[node] < 0 ? .min : .max) : sum
        }
        return totals
    }

    @inlinable
    mutating func fillIndexes() {
        isIndexed = true
        keyIndexOf.reserveCapacity(distinctKeys.count)
        for (index, key) in distinctKeys.enumerated() where keyIndexOf[key] == nil {
            keyIndexOf[key] = Int32(index)
        }
        children.rebuild(parents: nodeParents, keyIndices: nodeKeys)
    }
}
