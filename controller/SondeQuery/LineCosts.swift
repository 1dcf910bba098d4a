// SPDX-License-Identifier: Apache-2.0
// What each line of one source file costs, itself and with all that it calls.

package import SondeModel

/// What the lines of one source file cost.
package struct LineCosts: Sendable {
    /// What one line costs.
    package struct Cost: Hashable, Sendable {
        /// The value of the stacks that end in the line.
        package var selfValue: Int64 = 0
        /// The value of the stacks that hold the line, each counted once however often it recurs.
        package var total: Int64 = 0

        /// No cost.
        package init() {}
    }

    /// The lines of the file at one location of a stack.
    package struct Location: Hashable, Sendable {
        /// All that are executed there, inlined calls included, each once, in any order.
        package var lines: [UInt32]
        /// The line within the innermost function; 0 when that is in another file or not known.
        package var leaf: UInt32
        /// Whether the innermost function is one of the file's.
        package var isOfFile: Bool

        /// Lines from their parts.
        package init(lines: [UInt32] = [], leaf: UInt32 = 0, isOfFile: Bool = false) {
            self.lines = lines
            self.leaf = leaf
            self.isOfFile = isOfFile
        }
    }

    /// The cost by line; lines without any are left out.
    package private(set) var lines: [UInt32: Cost] = [:]
    /// The value of all stacks.
    package let total: Int64
    /// The value of the stacks that hold a line of the file.
    package private(set) var inFile: Int64 = 0
    /// The own value of the file's functions, as a list of functions has it.
    ///
    /// It is the own value of all lines, and ``withoutLine``, less ``ofOthers``.
    package private(set) var ofFunctions: Int64 = 0
    /// The part of ``ofFunctions`` that is on no line of the file: what the compiler added without
    /// one, and code from other files that debug info does not name as a call.
    package private(set) var withoutLine: Int64 = 0
    /// The part of the lines' own value that counts for functions of other files, or of none.
    package private(set) var ofOthers: Int64 = 0

    /// The costs of some stacks.
    ///
    /// - Parameters:
    ///   - tree: The stacks.
    ///   - locations: For each of the tree's keys, the lines of the file there.
    package init(_ tree: LocationTree, _ locations: [Location]) {
        let totals = tree.totals
        total = totals[0]
        for node in 1..<max(1, tree.count) {
            let here = Self.location(tree, node, locations)
            let value = tree.selfValues[node]
            if here.leaf > 0 {
                Self.add(value, to: &lines[here.leaf, default: Cost()].selfValue)
                if !here.isOfFile { Self.add(value, to: &ofOthers) }
            } else if here.isOfFile {
                Self.add(value, to: &withoutLine)
            }
            if here.isOfFile { Self.add(value, to: &ofFunctions) }
        }
        let children = ChildLists(tree)
        var depthOnPath: [UInt32: Int32] = [:]
        var inFileDepth = 0
        // A node on the way down; its complement on the way up.
        var waiting = Array(children[0])
        while let entry = waiting.popLast() {
            let isOnTheWayDown = entry >= 0
            let node = isOnTheWayDown ? Int(entry) : Int(~entry)
            let here = Self.location(tree, node, locations).lines
            guard isOnTheWayDown else {
                for line in here { depthOnPath[line, default: 0] -= 1 }
                if !here.isEmpty { inFileDepth -= 1 }
                continue
            }
            for line in here {
                if depthOnPath[line, default: 0] == 0 {
                    Self.add(totals[node], to: &lines[line, default: Cost()].total)
                }
                depthOnPath[line, default: 0] += 1
            }
            if !here.isEmpty {
                if inFileDepth == 0 { Self.add(totals[node], to: &inFile) }
                inFileDepth += 1
            }
            waiting.append(~entry)
            waiting += children[node]
        }
        lines = lines.filter { $0.value.selfValue != 0 || $0.value.total != 0 }
    }

    private static func location(
        _ tree: LocationTree, _ node: Int, _ locations: [Location]
    ) -> Location {
        let key = Int(tree.keyIndices[node])
        return key >= 0 && key < locations.count ? locations[key] : Location()
    }

    private static func add(_ value: Int64, to sum: inout Int64) {
        let (next, overflow) = sum.addingReportingOverflow(value)
        sum = overflow ? (value < 0 ? .min : .max) : next
    }
}
