// SPDX-License-Identifier: Apache-2.0
// Stacks by the names of functions alone, as Pyroscope's flame graphs have them.

package import SondeModel

extension StackTree where Key == Frame {
    /// The same stacks with functions of one name as one, whatever file or image they are in.
    ///
    /// An empty name becomes `unknown`, and a function called `other` becomes what was cut off.
    package func byName() -> FrameTree {
        var tree = FrameTree()
        var known: [String: Int32] = [:]
        let names = keys.map { frame -> Int32 in
            let name = frame.name.isEmpty ? "unknown" : frame.name
            if let index = known[name] { return index }
            let index = tree.intern(Frame(name: name, kind: name == "other" ? .other : .function))
            known[name] = index
            return index
        }
        var nodeMap = [Int32](repeating: 0, count: count)
        tree.add(selfValues[0], to: 0)
        for node in 1..<Swift.max(1, count) {
            nodeMap[node] = tree.child(
                of: nodeMap[Int(parents[node])], keyIndex: names[Int(keyIndices[node])])
            tree.add(selfValues[node], to: nodeMap[node])
        }
        return tree
    }
}

extension FlameGraph {
    /// The flame graph's nodes as stacks again: what was cut off is a child named `other`.
    package var tree: FrameTree {
        FrameTree(
            parents: parents, keyIndices: frameIndices, selfValues: selfValues, keys: frames)
            ?? FrameTree()
    }
}
