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
    private var children = ChildTable()

    /// One tree for each of the document's sample types.
    static func trees(
        of document: PprofDocument, maxStackDepth: Int
    ) throws(PprofError) -> [LocationTree] {
        let locations = try PprofIDTable(document.locations.lazy.map(\.id), table: "location")
        let keys = try PprofLocationKeys(document)
        var merger = PprofStackMerger()
        var nodes: [Int32] = []
        nodes.reserveCapacity(document.samples.count)
        for sample in document.samples {
            nodes.append(
                sample.values.contains { $0 > 0 }
                    ? merger.node(
                        of: sample.locationIDs.suffix(maxStackDepth), locations,
                        keys.keyOfLocation)
                    : 0)
        }
        var trees: [LocationTree] = []
        for type in document.sampleTypes.indices {
            var values = [Int64](repeating: 0, count: merger.parents.count)
            for (sample, node) in zip(document.samples, nodes)
            where type < sample.values.count && sample.values[type] > 0 {
                let (sum, overflow) = values[Int(node)].addingReportingOverflow(sample.values[type])
                values[Int(node)] = overflow ? .max : sum
            }
            trees.append(merger.tree(values: values, keys: keys.keys))
        }
        return trees
    }

    private mutating func node(
        of stack: ArraySlice<UInt64>, _ locations: PprofIDTable, _ keyOfLocation: [Int32]
    ) -> Int32 {
        var node: Int32 = 0
        for id in stack.reversed() {
            guard let location = locations[id] else { continue }
            let key = keyOfLocation[location]
            let next = Int32(parents.count)
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
    private func tree(values: [Int64], keys: [Location]) -> LocationTree {
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
    private var keys = [UInt64](repeating: Self.empty, count: 1 << 10)
    private var nodes = [Int32](repeating: 0, count: 1 << 10)
    private var count = 0
    private var shift: UInt64 = 54
    private let factor = UInt64.random(in: 1...UInt64.max) | 1

    private static let empty = UInt64.max

    /// The child of `parent` with this key; `node` becomes it when there is none.
    mutating func child(of parent: Int32, key: Int32, orInsert node: Int32) -> Int32 {
        let wanted = UInt64(UInt32(bitPattern: parent)) << 32 | UInt64(UInt32(bitPattern: key))
        let mask = keys.count - 1
        var slot = place(wanted)
        while keys[slot] != Self.empty {
            if keys[slot] == wanted { return nodes[slot] }
            slot = (slot + 1) & mask
        }
        keys[slot] = wanted
        nodes[slot] = node
        count += 1
        if count * 2 > keys.count { grow() }
        return node
    }

    private func place(_ key: UInt64) -> Int {
        // Folding first: the high half would otherwise reach only the highest bits.
        Int(truncatingIfNeeded: ((key ^ key >> 32 &* 0x9E37_79B9) &* factor) >> shift)
    }

    private mutating func grow() {
        let (oldKeys, oldNodes) = (keys, nodes)
        keys = [UInt64](repeating: Self.empty, count: oldKeys.count * 2)
        nodes = [Int32](repeating: 0, count: oldKeys.count * 2)
        shift -= 1
        let mask = keys.count - 1
        for (key, node) in zip(oldKeys, oldNodes) where key != Self.empty {
            var slot = place(key)
            while keys[slot] != Self.empty { slot = (slot + 1) & mask }
            keys[slot] = key
            nodes[slot] = node
        }
    }
}
