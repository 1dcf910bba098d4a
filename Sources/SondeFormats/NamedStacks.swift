// SPDX-License-Identifier: Apache-2.0
// One profile of a format that carries names only, and how its stacks are put together.

package import SondeModel

/// One profile of a file whose stacks are names.
package struct NamedStacks: Sendable {
    /// What is counted, where the format says so.
    package var sampleType: String?
    /// The unit of the values: `nanoseconds`, `bytes` or `count`, where the format says so.
    package var unit: String?
    /// What the file calls the profile.
    package var name: String?
    /// The stacks, and the value of each.
    package var stacks: FrameTree

    /// A profile from its parts.
    package init(
        sampleType: String? = nil, unit: String? = nil, name: String? = nil, stacks: FrameTree
    ) {
        self.sampleType = sampleType
        self.unit = unit
        self.name = name
        self.stacks = stacks
    }
}

/// Puts stacks of names together within limits: what all readers of such formats share.
struct FrameTreeBuilder {
    private(set) var tree = FrameTree()
    private let format: String
    private let limits: FormatLimits
    private var steps = 0
    private var lookedUp = 0
    /// Keys by the bytes of their names, so that a name is made into a text once.
    private var keyOf: [ArraySlice<UInt8>: Int32] = [:]

    init(_ format: String, _ limits: FormatLimits) {
        self.format = format
        self.limits = limits
    }

    /// The key of a frame with this name, which stands at `place` of the input.
    ///
    /// An empty name becomes `unknown`, as an empty one cannot be shown.
    mutating func key(
        _ name: ArraySlice<UInt8>, at place: @autoclosure () -> String
    ) throws(FormatError) -> Int32 {
        // Looking a name up takes time in proportion to its length, and in a trie a few bytes can
        // ask for a long one again and again.
        lookedUp += name.count
        guard lookedUp / 4 <= limits.steps else {
            throw .tooMany(format, "bytes of names", limit: limits.steps * 4)
        }
        if let key = keyOf[name] { return key }
        guard let text = String(validating: name, as: UTF8.self) else {
            throw .malformed(
                format, got: "a name that is not UTF-8 at \(place())", want: "UTF-8")
        }
        let key = key(text)
        keyOf[name] = key
        return key
    }

    /// The key of a frame with this name, for readers that look each name up once.
    mutating func key(_ text: String) -> Int32 {
        guard !text.isEmpty else {
            return tree.intern(Frame(name: "unknown", kind: .unresolved))
        }
        return tree.intern(Frame(name: Self.tail(of: text, limits.nameBytes)))
    }

    /// The key of a frame.
    mutating func key(_ frame: Frame) -> Int32 { tree.intern(frame) }

    /// The child of a node with this key, made when there is none.
    mutating func child(of node: Int32, _ key: Int32) throws(FormatError) -> Int32 {
        steps += 1
        guard steps <= limits.steps else {
            throw .tooMany(format, "stack entries", limit: limits.steps)
        }
        let child = tree.child(of: node, keyIndex: key)
        guard tree.count <= limits.nodes else {
            throw .tooMany(format, "distinct stack entries", limit: limits.nodes)
        }
        return child
    }

    /// Adds a value to a node.
    mutating func add(_ value: Int64, to node: Int32) { tree.add(value, to: node) }

    /// The end of a text that is too long.
    static func tail(of text: String, _ limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        // A character may be cut in half, and is shown as such then.
        return String(decoding: text.utf8.suffix(limit), as: UTF8.self)
    }
}

extension StackTree where Key == Location {
    /// Stacks by name as they are stored: each frame is a location of its own.
    package init(_ frames: FrameTree) {
        // The columns are those of a tree, and distinct frames are distinct locations.
        self =
            LocationTree(
                parents: frames.parents, keyIndices: frames.keyIndices,
                selfValues: frames.selfValues, keys: frames.keys.map { .symbolized([$0]) })
            ?? LocationTree()
    }
}
