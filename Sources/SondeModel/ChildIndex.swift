// SPDX-License-Identifier: Apache-2.0
// Finds a tree's node by its parent and key: the hottest look-up of ingest and merge.

/// An open hash table from (parent, key index) to node.
///
/// It holds node numbers only, 4 bytes a slot; the parent and key of a node stand in the tree's own
/// columns, which the caller passes in. At most half of the slots are taken, so a probe ends soon.
package struct ChildIndex: Sendable {
    /// A node's number plus one, or 0 in a free slot.
    ///
    /// The count is a power of two.
    @usableFromInline var slots: [UInt32] = [UInt32](repeating: 0, count: 16)
    @usableFromInline var taken = 0

    /// Mixed into each hash, so that a sender cannot choose stacks that all fall into one slot.
    @usableFromInline static let seed = UInt64.random(in: .min ... .max)

    /// An empty index.
    @inlinable
    package init() {}

    /// The child of a node, or `nil` when there is none.
    ///
    /// Stacks are added from the root on, so that a node's first child mostly follows it: two
    /// numbers beside the node's own tell, and no slot is looked for.
    @inlinable @inline(__always)
    package func child(
        of parent: Int32, keyIndex: Int32, parents: Span<Int32>, keyIndices: Span<Int32>
    ) -> Int32? {
        let next = Int(parent) + 1
        if next < parents.count, parents[next] == parent, keyIndices[next] == keyIndex {
            return Int32(truncatingIfNeeded: next)
        }
        let mask = slots.count - 1
        var slot = Self.hash(parent: parent, keyIndex: keyIndex) & mask
        while slots[slot] != 0 {
            let node = Int(slots[slot]) - 1
            if parents[node] == parent, keyIndices[node] == keyIndex {
                return Int32(truncatingIfNeeded: node)
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    /// The slot of the child, or the free slot where it belongs.
    @inlinable
    package func slot(
        parent: Int32, keyIndex: Int32, parents: [Int32], keyIndices: [Int32]
    ) -> Int {
        let mask = slots.count - 1
        var slot = Self.hash(parent: parent, keyIndex: keyIndex) & mask
        while slots[slot] != 0 {
            let node = Int(slots[slot]) - 1
            if parents[node] == parent, keyIndices[node] == keyIndex { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    /// The node in a slot, or `nil` when the slot is free.
    @inlinable
    package func node(at slot: Int) -> Int32? {
        slots[slot] == 0 ? nil : Int32(bitPattern: slots[slot] - 1)
    }

    /// Puts a node, whose columns are filled already, into the free slot that was found for it.
    @inlinable
    package mutating func insert(
        _ node: Int32, at slot: Int, parents: [Int32], keyIndices: [Int32]
    ) {
        slots[slot] = UInt32(bitPattern: node) + 1
        taken += 1
        if taken * 2 > slots.count { rebuild(parents: parents, keyIndices: keyIndices) }
    }

    /// Fills the index anew with all nodes of the columns; of nodes with the same parent and key,
    /// the first is found.
    package mutating func rebuild(parents: [Int32], keyIndices: [Int32]) {
        var capacity = 16
        while capacity < parents.count * 4 { capacity *= 2 }
        slots = [UInt32](repeating: 0, count: capacity)
        taken = 0
        for node in 1..<max(1, parents.count) {
            let slot = slot(
                parent: parents[node], keyIndex: keyIndices[node], parents: parents,
                keyIndices: keyIndices)
            guard slots[slot] == 0 else { continue }
            slots[slot] = UInt32(node) + 1
            taken += 1
        }
    }

    @inlinable
    static func hash(parent: Int32, keyIndex: Int32) -> Int {
        let place = UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: keyIndex))
        let product = (place ^ seed).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return Int(truncatingIfNeeded: product.high ^ product.low)
    }
}
