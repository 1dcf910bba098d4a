// SPDX-License-Identifier: Apache-2.0
// Reads the trie in which old Pyroscope clients send folded stacks that share their beginnings.

package import SondeModel

/// Pyroscope's binary trie of folded stacks.
///
/// Pre-order, each node as `varint length of suffix, suffix, varint value, varint number of
/// children`. The suffixes from the root to a node, joined, are a stack with `;` between its frames.
package enum PyroscopeTrie {
    private static let format = "trie"

    /// Reads a trie.
    ///
    /// - Parameters:
    ///   - bytes: The trie, from untrusted hands.
    ///   - limits: What may be held in memory at most.
    /// - Returns: The stacks; values are as the trie has them.
    /// - Throws: ``FormatError`` with the place of the byte.
    package static func read(
        _ bytes: some Collection<UInt8>, limits: FormatLimits = FormatLimits()
    ) throws(FormatError) -> FrameTree {
        var reader = BranchReader(Array(bytes), format)
        try limits.check(bytes: reader.bytes.count, format)
        var builder = FrameTreeBuilder(format, limits)
        if reader.bytes.isEmpty { return builder.tree }
        var stack = TrieStack()
        // Nodes whose children are still to come: how many, and how far the stack goes there.
        var open: [(stack: TrieStack.Mark, left: UInt64)] = []
        repeat {
            if let above = open.last {
                stack.cut(to: above.stack)
                open[open.count - 1].left -= 1
            }
            let place = reader.position
            let suffix = try reader.text()
            let value = try reader.value()
            let children = try reader.childCount()
            try stack.append(suffix, to: &builder, limits, at: place)
            if value > 0 {
                builder.add(value, to: try stack.node(in: &builder, limits, at: place))
            }
            if children > 0 {
                guard open.count < limits.tableEntries else {
                    throw .tooMany(format, "levels", limit: limits.tableEntries)
                }
                open.append((stack.mark, children))
            } else {
                while open.last?.left == 0 { open.removeLast() }
            }
        } while !open.isEmpty
        try reader.end()
        return builder.tree
    }
}

/// The stack from the root to where a trie's reader is: frames that are complete, as a node of the
/// tree, and the bytes of the one that is not.
///
/// Complete frames are looked up once, so that a trie whose stacks share long beginnings is read in
/// time proportional to its bytes.
private struct TrieStack {
    /// A place to come back to.
    struct Mark {
        var node: Int32
        var depth: Int
        var start: Int
        var end: Int
    }

    private var node: Int32 = 0
    private var depth = 0
    /// The names of all suffixes on the way; those of the last frame begin at `start`.
    private var bytes: [UInt8] = []
    private var start = 0

    var mark: Mark { Mark(node: node, depth: depth, start: start, end: bytes.count) }

    mutating func cut(to mark: Mark) {
        node = mark.node
        depth = mark.depth
        start = mark.start
        bytes.removeLast(bytes.count - mark.end)
    }

    /// Adds a suffix, which stands at byte `place`.
    mutating func append(
        _ suffix: ArraySlice<UInt8>, to builder: inout FrameTreeBuilder, _ limits: FormatLimits,
        at place: Int
    ) throws(FormatError) {
        for byte in suffix {
            guard byte == UInt8(ascii: ";") else {
                bytes.append(byte)
                continue
            }
            // Pyroscope writes `;;` before the first frame of some tries.
            let isLeading = depth == 0 && start == bytes.count
            if !isLeading, depth < limits.stackDepth {
                node = try builder.child(
                    of: node, builder.key(bytes[start...], at: "byte \(place)"))
                depth += 1
            }
            start = bytes.count
        }
    }

    /// The node of the stack as it is.
    func node(
        in builder: inout FrameTreeBuilder, _ limits: FormatLimits, at place: Int
    ) throws(FormatError) -> Int32 {
        guard start < bytes.count, depth < limits.stackDepth else { return node }
        return try builder.child(of: node, builder.key(bytes[start...], at: "byte \(place)"))
    }
}
