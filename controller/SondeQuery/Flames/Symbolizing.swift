// SPDX-License-Identifier: Apache-2.0
// From merged stacks of addresses to merged stacks of names.

package import SondeModel

extension StackTree where Key == Location {
    /// The same stacks by name.
    ///
    /// Each distinct location is looked up once. An address where calls were inlined becomes one
    /// frame for each of them, outermost first. Stacks whose names are the same are added up, also
    /// when the linker's names differ: the parts of an `async` function and the specializations of
    /// a generic one are one function to a reader. The frame then has the linker's name of the
    /// first.
    package func symbolized(by resolver: some SymbolResolver) -> FrameTree {
        var tree = FrameTree()
        var known: [Frame: Int32] = [:]
        let frames = keys.map { location -> [Int32] in
            location.frames(by: resolver).map { frame in
                var identity = frame
                identity.systemName = ""
                if let index = known[identity] { return index }
                let index = tree.intern(frame)
                known[identity] = index
                return index
            }
        }
        var nodeMap = [Int32](repeating: 0, count: count)
        tree.add(selfValues[0], to: 0)
        for node in 1..<Swift.max(1, count) {
            var mapped = nodeMap[Int(parents[node])]
            for frame in frames[Int(keyIndices[node])] {
                mapped = tree.child(of: mapped, keyIndex: frame)
            }
            nodeMap[node] = mapped
            tree.add(selfValues[node], to: mapped)
        }
        return tree
    }
}

extension Location {
    /// The functions at this place, outermost first: at least one.
    package func frames(by resolver: some SymbolResolver) -> [Frame] {
        switch self {
        case .symbolized(let frames) where !frames.isEmpty:
            return frames
        case .symbolized:
            return [Frame(name: "unknown", kind: .unresolved)]
        case .address(let image, let offset):
            let frames = resolver.frames(image: image, offset: offset)
            guard frames.isEmpty else { return frames }
            let address = "0x" + String(offset.rawValue, radix: 16)
            return [Frame(name: address, module: image.name, kind: .unresolved)]
        }
    }
}
