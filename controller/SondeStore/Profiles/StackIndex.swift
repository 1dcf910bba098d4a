// SPDX-License-Identifier: Apache-2.0
// The stacks of one service, each stored once: profiles only name their nodes.

internal import SondeModel

/// Columns of an interned tree: what is stored of it, and what a reader needs.
///
/// It only ever grows, and at its end, so that whatever a profile names stays where it is.
struct StackColumns: Sendable {
    /// Each node's parent; node 0 is the root, whose parent is -1.
    var parents: [Int32] = [-1]
    /// Each node's index into ``locations``; the root's is -1.
    var keyIndices: [Int32] = [-1]
    /// The distinct locations.
    var locations: [Location] = []
    /// The distinct images of the locations.
    var images: [ImageID] = []

    /// How much of each column there is: a point from which to write on.
    var extent: StackExtent {
        StackExtent(nodes: parents.count, locations: locations.count, images: images.count)
    }

    /// The tree as others see it, all values 0.
    var tree: LocationTree {
        LocationTree(
            parents: parents, keyIndices: keyIndices,
            selfValues: [Int64](repeating: 0, count: parents.count), keys: locations)
            ?? LocationTree()
    }
}

/// How much of a ``StackColumns`` there is.
struct StackExtent: Hashable, Sendable {
    var nodes: Int
    var locations: Int
    var images: Int

    /// What an empty tree has: its root.
    static let empty = StackExtent(nodes: 1, locations: 0, images: 0)
}

/// An interned tree that can be added to.
struct StackIndex {
    private(set) var columns: StackColumns
    private var locationOfAddress: [Address: Int32] = [:]
    private var locationOfFrames: [[Frame]: Int32] = [:]
    private var imageOf: [ImageID: Int32] = [:]
    private var children = ChildIndex()

    /// The image that was asked for last: most locations of a profile are in few images.
    private var lastImage: (id: ImageID, index: Int32)?

    /// An address with its image's index, which is hashed faster than a build id and a path.
    private struct Address: Hashable {
        var image: Int32
        var offset: UInt64
    }

    init(_ columns: StackColumns = StackColumns()) {
        self.columns = columns
        locationOfAddress.reserveCapacity(columns.locations.count)
        for (index, image) in columns.images.enumerated() { imageOf[image] = Int32(index) }
        for (index, location) in columns.locations.enumerated() {
            switch location {
            case .address(let image, let offset):
                let address = Address(image: self.index(of: image), offset: offset.rawValue)
                locationOfAddress[address] = Int32(index)
            case .symbolized(let frames):
                locationOfFrames[frames] = Int32(index)
            }
        }
        children.rebuild(parents: columns.parents, keyIndices: columns.keyIndices)
    }

    /// The index of an image; a new one is added.
    mutating func index(of image: ImageID) -> Int32 {
        if let lastImage, lastImage.id == image { return lastImage.index }
        let index = imageOf[image] ?? Int32(columns.images.count)
        if Int(index) == columns.images.count {
            columns.images.append(image)
            imageOf[image] = index
        }
        lastImage = (image, index)
        return index
    }

    /// The nodes and values of a profile's stacks, in ascending order of nodes; new stacks are
    /// added.
    mutating func intern(_ tree: LocationTree) -> [StackValue] {
        // A key is interned when the first node needs it: every segment then has a node of its own.
        var keyMap = [Int32](repeating: -1, count: tree.keys.count)
        let (treeParents, treeKeys, treeValues) = (tree.parents, tree.keyIndices, tree.selfValues)
        var nodeMap = [Int32](repeating: 0, count: tree.count)
        var values: [StackValue] = []
        values.reserveCapacity(tree.count)
        if treeValues[0] != 0 { values.append(StackValue(node: 0, value: treeValues[0])) }
        for node in 1..<max(1, nodeMap.count) {
            let key = Int(treeKeys[node])
            if keyMap[key] < 0 { keyMap[key] = intern(tree.keys[key]) }
            let mapped = child(of: nodeMap[Int(treeParents[node])], keyIndex: keyMap[key])
            nodeMap[node] = mapped
            if treeValues[node] != 0 {
                values.append(StackValue(node: mapped, value: treeValues[node]))
            }
        }
        values.sort { $0.node < $1.node }
        return values
    }

    private mutating func intern(_ location: Location) -> Int32 {
        let index = Int32(columns.locations.count)
        switch location {
        case .address(let image, let offset):
            let address = Address(image: self.index(of: image), offset: offset.rawValue)
            if let known = locationOfAddress[address] { return known }
            locationOfAddress[address] = index
        case .symbolized(let frames):
            if let known = locationOfFrames[frames] { return known }
            locationOfFrames[frames] = index
        }
        columns.locations.append(location)
        return index
    }

    private mutating func child(of parent: Int32, keyIndex: Int32) -> Int32 {
        let slot = children.slot(
            parent: parent, keyIndex: keyIndex, parents: columns.parents,
            keyIndices: columns.keyIndices)
        if let node = children.node(at: slot) { return node }
        let node = Int32(columns.parents.count)
        columns.parents.append(parent)
        columns.keyIndices.append(keyIndex)
        children.insert(
            node, at: slot, parents: columns.parents, keyIndices: columns.keyIndices)
        return node
    }
}

/// A node of an interned tree and its value.
struct StackValue: Hashable, Sendable {
    var node: Int32
    var value: Int64
}
