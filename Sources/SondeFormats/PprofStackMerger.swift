// SPDX-License-Identifier: Apache-2.0
// Merges the samples of a pprof profile into one tree of stacks for each sample type.

internal import SondeModel

/// Merges samples into trees.
///
/// The shape is made once and shared by all sample types, because their stacks are the same; a type
/// in which some stacks count nothing gets the shape without them.
struct PprofStackMerger {
    private var parents: [Int32] = [-1]
    private var keyIndices: [Int32] = [-1]
    private var children = ChildTable(roomFor: 0)

    /// One tree for each of the document's sample types, and what of it belongs to spans.
    static func trees(
        of document: PprofDocument, maxStackDepth: Int
    ) throws(PprofError) -> [(stacks: LocationTree, spans: [SpanStacks])] {
        let locations = try PprofIDTable(locationsOf: document)
        let keys = try PprofLocationKeys(document)
        var merger = PprofStackMerger()
        merger.reserve(document.samples.reduce(0) { $0 + $1.locationIDs.count } / 4)
        var nodes: [Int32] = []
        nodes.reserveCapacity(document.samples.count)
        for index in document.samples.indices {
            nodes.append(
                document.samples[index].values.contains { $0 > 0 }
                    ? merger.node(
                        of: document.samples[index].locationIDs, maxStackDepth, locations,
                        keys.keyOfLocation)
                    : 0)
        }
        let spans = PprofSpans(document).spans
        var trees: [(stacks: LocationTree, spans: [SpanStacks])] = []
        for type in document.sampleTypes.indices {
            var values = [Int64](repeating: 0, count: merger.parents.count)
            var isComplete = true
            for index in nodes.indices {
                let node = Int(nodes[index])
                guard type < document.samples[index].values.count,
                    document.samples[index].values[type] > 0
                else {
                    isComplete = isComplete && node == 0
                    continue
                }
                let (sum, overflow) = values[node].addingReportingOverflow(
                    document.samples[index].values[type])
                values[node] = overflow ? .max : sum
            }
            let spanStacks = spans.compactMap { span -> SpanStacks? in
                let stacks = merger.tree(
                    of: span.samples.lazy.map { sample in
                        let values = document.samples[sample].values
                        return (nodes[sample], type < values.count ? values[type] : 0)
                    }, keys: keys.keys)
                return stacks.map { SpanStacks(span: span.id, trace: span.trace, stacks: $0) }
            }
            let stacks = merger.tree(values: values, keys: keys.keys, isComplete: isComplete)
            trees.append((stacks, spanStacks))
        }
        return trees
    }

    /// The tree of few nodes, in time that depends on these and their stacks alone; `nil` when none
    /// has a value.
    private func tree(
        of values: some Sequence<(node: Int32, value: Int64)>, keys: [Location]
    ) -> LocationTree? {
        var stacks = LocationTree()
        var path: [Location] = []
        var isEmpty = true
        for (node, value) in values where value > 0 {
            path.removeAll(keepingCapacity: true)
            var at = Int(node)
            while at > 0 {
                path.append(keys[Int(keyIndices[at])])
                at = Int(parents[at])
            }
            stacks.add(value, rootFirst: path.reversed())
            isEmpty = false
        }
        return isEmpty ? nil : stacks
    }

    /// Makes room for nodes, so that the table need not grow from nothing; a wrong guess costs no
    /// more than the samples themselves.
    private mutating func reserve(_ nodes: Int) {
        parents.reserveCapacity(nodes)
        keyIndices.reserveCapacity(nodes)
        children = ChildTable(roomFor: nodes)
    }

    private mutating func node(
        of stack: [UInt64], _ maxDepth: Int, _ locations: PprofIDTable, _ keyOfLocation: [Int32]
    ) -> Int32 {
        var node: Int32 = 0
        let last = max(0, stack.count - maxDepth)
        for index in stride(from: stack.count - 1, through: last, by: -1) {
            guard let location = locations[stack[index]] else { continue }
            let key = keyOfLocation[location]
            // A node's first child mostly follows it: the way of most stacks, without the table.
            let first = Int(node) + 1
            if first < parents.count, parents[first] == node, keyIndices[first] == key {
                node = Int32(truncatingIfNeeded: first)
                continue
            }
            let next = Int32(truncatingIfNeeded: parents.count)
            let found = children.child(of: node, key: key, orInsert: next)
            if found == next {
                parents.append(node)
                keyIndices.append(key)
            }
            node = found
        }
        return node
    }

    /// The tree of the nodes that have a value or lie above one, with the keys that these use.
    ///
    /// - Parameters:
    ///   - values: Each node's own value.
    ///   - keys: All keys.
    ///   - isComplete: Whether all nodes have a value or lie above one: the columns are then shared.
    /// - Returns: The tree.
    private func tree(values: [Int64], keys: [Location], isComplete: Bool) -> LocationTree {
        if isComplete {
            return LocationTree(
                parents: parents, keyIndices: keyIndices, selfValues: values, keys: keys)
                ?? LocationTree()
        }
        var isUsed = values.map { $0 > 0 }
        isUsed[0] = true
        for node in stride(from: parents.count - 1, to: 0, by: -1) where isUsed[node] {
            isUsed[Int(parents[node])] = true
        }
        var newNode = [Int32](repeating: 0, count: parents.count)
        var newKey = [Int32](repeating: -1, count: keys.count)
        var columns = (parents: [Int32(-1)], keys: [Int32(-1)], values: [values[0]])
        var usedKeys: [Location] = []
        for node in 1..<max(1, parents.count) where isUsed[node] {
            let key = Int(keyIndices[node])
            if newKey[key] < 0 {
                newKey[key] = Int32(usedKeys.count)
                usedKeys.append(keys[key])
            }
            newNode[node] = Int32(columns.parents.count)
            columns.parents.append(newNode[Int(parents[node])])
            columns.keys.append(newKey[key])
            columns.values.append(values[node])
        }
        // The columns are equally long and refer backwards by construction.
        return LocationTree(
            parents: columns.parents, keyIndices: columns.keys, selfValues: columns.values,
            keys: usedKeys) ?? LocationTree()
    }
}

/// Finds the child of a node by its key: a hash table of its own, because the general dictionary
/// takes most of the time of merging stacks.
///
/// Both halves of a key are small numbers that we handed out ourselves. Multiplying by a random odd
/// number keeps a sender from aiming at one slot.
private struct ChildTable {
    private struct Slot {
        var key = UInt64.max
        var node: Int32 = 0
    }

    /// A power of two of them; at most half are taken.
    private var slots: [Slot]
    private var count = 0
    private var shift: UInt64
    /// Drawn once: asking the kernel for each profile would show.
    private static let factor = UInt64.random(in: 1...UInt64.max) | 1

    private static let empty = UInt64.max

    init(roomFor nodes: Int) {
        var bits: UInt64 = 4
        while bits < 24, 1 << bits < nodes * 2 { bits += 1 }
        slots = [Slot](repeating: Slot(), count: 1 << bits)
        shift = 64 - bits
    }

    /// The child of `parent` with this key; `node` becomes it when there is none.
    mutating func child(of parent: Int32, key: Int32, orInsert node: Int32) -> Int32 {
        let wanted = UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: key))
        let mask = slots.count - 1
        var place = place(wanted)
        while slots[place].key != Self.empty {
            if slots[place].key == wanted { return slots[place].node }
            place = (place + 1) & mask
        }
        slots[place] = Slot(key: wanted, node: node)
        count += 1
        if count * 2 > slots.count { grow() }
        return node
    }

    private func place(_ key: UInt64) -> Int {
        // Folding first: the high half would otherwise reach only the highest bits.
        Int(truncatingIfNeeded: ((key ^ key >> 32 &* 0x9E37_79B9) &* Self.factor) >> shift)
    }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(), count: old.count * 2)
        shift -= 1
        let mask = slots.count - 1
        for slot in old where slot.key != Self.empty {
            var place = place(slot.key)
            while slots[place].key != Self.empty { place = (place + 1) & mask }
            slots[place] = slot
        }
    }
}
