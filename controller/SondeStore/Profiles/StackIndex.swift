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
    private var addresses = AddressIndex()
    private var locationOfFrames: [[Frame]: Int32] = [:]
    private var imageOf: [ImageID: Int32] = [:]
    private var children = ChildIndex()

    init(_ columns: StackColumns = StackColumns()) {
        self.columns = columns
        var images = RecentImages()
        for (index, image) in columns.images.enumerated() { imageOf[image] = Int32(index) }
        for (index, location) in columns.locations.enumerated() {
            switch location {
            case .address(let image, let offset):
                let image = images.index(of: image, in: imageOf) ?? -1
                // What is stored is stored once; a disk may lie.
                guard addresses.location(image: image, offset: offset.rawValue) == nil else {
                    break
                }
                addresses.insert(Int32(index), image: image, offset: offset.rawValue)
            case .symbolized(let frames):
                locationOfFrames[frames] = Int32(index)
            }
        }
        children.rebuild(parents: columns.parents, keyIndices: columns.keyIndices)
    }

    /// The index of an image that has been interned; -1 otherwise.
    func index(of image: ImageID) -> Int32 { imageOf[image] ?? -1 }

    /// The nodes and values of a profile's stacks, in ascending order of nodes; new stacks are
    /// added.
    mutating func intern(_ tree: LocationTree) -> [StackValue] {
        var walk = Walk(tree, locations: known(tree.keys))
        repeat {
            walk.goOn(children, columns)
        } while add(&walk)
        walk.values.sort { $0.node < $1.node }
        return walk.values
    }

    /// The index of each location; -1 for those that are new.
    private func known(_ keys: [Location]) -> [Int32] {
        var images = RecentImages()
        var result = [Int32](repeating: -1, count: keys.count)
        for (place, key) in keys.enumerated() {
            switch key {
            case .address(let image, let offset):
                guard let image = images.index(of: image, in: imageOf) else { continue }
                result[place] =
                    addresses.location(image: image, offset: offset.rawValue) ?? -1
            case .symbolized(let frames):
                result[place] = locationOfFrames[frames] ?? -1
            }
        }
        return result
    }

    /// Adds the node at which a walk stands, which is new; `false` when the walk is over.
    ///
    /// A location is added when the first node needs it: every segment then has a node of its own.
    private mutating func add(_ walk: inout Walk) -> Bool {
        guard walk.next < walk.parents.count else { return false }
        let key = Int(walk.keys[walk.next])
        if walk.locations[key] < 0 { walk.locations[key] = add(walk.tree.keys[key]) }
        let (parent, location) = (walk.nodes[Int(walk.parents[walk.next])], walk.locations[key])
        let slot = children.slot(
            parent: parent, keyIndex: location, parents: columns.parents,
            keyIndices: columns.keyIndices)
        if let node = children.node(at: slot) {
            walk.step(to: node)
            return true
        }
        let node = Int32(columns.parents.count)
        columns.parents.append(parent)
        columns.keyIndices.append(location)
        children.insert(
            node, at: slot, parents: columns.parents, keyIndices: columns.keyIndices)
        walk.step(to: node)
        return true
    }

    private mutating func add(_ location: Location) -> Int32 {
        let index = Int32(columns.locations.count)
        switch location {
        case .address(let image, let offset):
            let image = add(image)
            // A profile may name one location twice.
            if let known = addresses.location(image: image, offset: offset.rawValue) {
                return known
            }
            addresses.insert(index, image: image, offset: offset.rawValue)
        case .symbolized(let frames):
            if let known = locationOfFrames[frames] { return known }
            locationOfFrames[frames] = index
        }
        columns.locations.append(location)
        return index
    }

    private mutating func add(_ image: ImageID) -> Int32 {
        if let known = imageOf[image] { return known }
        let index = Int32(columns.images.count)
        columns.images.append(image)
        imageOf[image] = index
        return index
    }
}

/// One profile's way through an interned tree.
private struct Walk {
    let tree: LocationTree
    let parents: [Int32]
    let keys: [Int32]
    private let ownValues: [Int64]
    /// The interned location of each of the profile's keys; -1 where there is none yet.
    var locations: [Int32]
    /// The interned node of each of the profile's nodes before ``next``.
    private(set) var nodes: [Int32]
    /// The first of the profile's nodes that is not interned yet.
    private(set) var next = 1
    var values: [StackValue] = []

    init(_ tree: LocationTree, locations: [Int32]) {
        self.tree = tree
        self.locations = locations
        (parents, keys, ownValues) = (tree.parents, tree.keyIndices, tree.selfValues)
        nodes = [Int32](repeating: 0, count: max(1, parents.count))
        values.reserveCapacity(parents.count / 4)
        if let root = ownValues.first, root != 0 {
            values.append(StackValue(node: 0, value: root))
        }
    }

    /// Goes on to the first node that is new, or to the end.
    ///
    /// Most profiles have nothing new: this is the loop in which they are interned, and it reads
    /// through spans, for an array that may change costs a count of references at each element.
    mutating func goOn(_ children: ChildIndex, _ columns: StackColumns) {
        let (parents, keys, ownValues, locations) = (parents, keys, ownValues, locations)
        let (profileParents, profileKeys) = (parents.span, keys.span)
        let (profileValues, known) = (ownValues.span, locations.span)
        let (interned, internedKeys) = (columns.parents.span, columns.keyIndices.span)
        while next < profileParents.count {
            let location = known[Int(profileKeys[next])]
            guard location >= 0,
                let node = children.child(
                    of: nodes[Int(profileParents[next])], keyIndex: location, parents: interned,
                    keyIndices: internedKeys)
            else { return }
            nodes[next] = node
            let value = profileValues[next]
            if value != 0 { values.append(StackValue(node: node, value: value)) }
            next += 1
        }
    }

    /// Notes where the next node is interned.
    mutating func step(to node: Int32) {
        nodes[next] = node
        if ownValues[next] != 0 { values.append(StackValue(node: node, value: ownValues[next])) }
        next += 1
    }
}

/// The images that were asked for last: a profile's locations are in few, and mostly name the very
/// same object, which is found without a look at its path and build id.
///
/// Whoever asks holds the images meanwhile: their objects' identities mean something only so long.
private struct RecentImages {
    private var recent: [(image: ObjectIdentifier, index: Int32)] = []
    private var last = 0

    /// The index of an image; `nil` when it has none.
    @inline(__always)
    mutating func index(of image: ImageID, in indices: [ImageID: Int32]) -> Int32? {
        if last < recent.count, recent[last].image == image.identity { return recent[last].index }
        return find(image, indices)
    }

    private mutating func find(_ image: ImageID, _ indices: [ImageID: Int32]) -> Int32? {
        if let place = recent.firstIndex(where: { $0.image == image.identity }) {
            last = place
            return recent[place].index
        }
        guard let index = indices[image] else { return nil }
        // Few are enough, and more would be slower than the dictionary.
        if recent.count >= 16 { recent.removeFirst() }
        recent.append((image.identity, index))
        last = recent.count - 1
        return index
    }
}

/// A node of an interned tree and its value.
struct StackValue: Hashable, Sendable {
    var node: Int32
    var value: Int64
}
