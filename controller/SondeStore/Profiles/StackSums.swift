// SPDX-License-Identifier: Apache-2.0
// Turns sums by node into stacks: only what has a value, and what leads there.

internal import SondeModel

/// Lays sums out as stacks.
enum StackSums {
    /// The stacks of an interned tree that have a value.
    ///
    /// - Parameters:
    ///   - values: The sums, by node; may be shorter or longer than the tree.
    ///   - columns: The interned tree.
    /// - Returns: The stacks; `nil` when a value is for a node that the tree does not have.
    static func layOut(_ values: [Int64], _ columns: StackColumns) -> LocationTree? {
        let count = min(values.count, columns.parents.count)
        guard values[count...].allSatisfy({ $0 == 0 }) else { return nil }
        // A parent's number is less than its children's: one pass from the end marks all callers.
        var isNeeded = [Bool](repeating: false, count: max(1, count))
        for node in stride(from: count - 1, to: 0, by: -1)
        where isNeeded[node] || values[node] != 0 {
            isNeeded[node] = true
            isNeeded[Int(columns.parents[node])] = true
        }
        var parents: [Int32] = [-1]
        var keyIndices: [Int32] = [-1]
        var selfValues: [Int64] = [values.first ?? 0]
        var keys: [Location] = []
        var keyMap = [Int32](repeating: -1, count: columns.locations.count)
        var nodeMap = [Int32](repeating: 0, count: max(1, count))
        for node in 1..<max(1, count) where isNeeded[node] {
            let location = Int(columns.keyIndices[node])
            if keyMap[location] < 0 {
                keyMap[location] = Int32(keys.count)
                keys.append(columns.locations[location])
            }
            nodeMap[node] = Int32(parents.count)
            parents.append(nodeMap[Int(columns.parents[node])])
            keyIndices.append(keyMap[location])
            selfValues.append(values[node])
        }
        return LocationTree(
            parents: parents, keyIndices: keyIndices, selfValues: selfValues, keys: keys)
    }
}
