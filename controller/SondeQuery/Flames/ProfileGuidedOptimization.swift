// SPDX-License-Identifier: Apache-2.0
// Reduces stacks to what a compiler needs that optimizes by profiles, such as Go's `default.pgo`.

package import SondeModel

extension StackTree where Key == Location {
    /// The same values by the last locations of each stack.
    ///
    /// A compiler looks at calls between neighbors only, so that callers far away tell it nothing.
    ///
    /// - Parameter count: How many locations from the leaf on are kept; 0 keeps all.
    /// - Returns: The shorter stacks.
    package func keepingLeaves(_ count: Int) -> LocationTree {
        guard count > 0 else { return self }
        var tree = LocationTree()
        let keyMap = keys.map { tree.intern($0) }
        for node in 0..<self.count where selfValues[node] != 0 {
            var path: [Int32] = []
            var at = node
            while at > 0, path.count < count {
                path.append(keyMap[Int(keyIndices[at])])
                at = Int(parents[at])
            }
            var place: Int32 = 0
            for key in path.reversed() { place = tree.child(of: place, keyIndex: key) }
            tree.add(selfValues[node], to: place)
        }
        return tree
    }
}
