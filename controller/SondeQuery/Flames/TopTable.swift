// SPDX-License-Identifier: Apache-2.0
// The hottest functions of merged stacks.

package import SondeModel

/// Functions by their own value and by what they called.
package struct TopTable: Sendable {
    /// The functions, by own value, then by total, the largest first; then by name.
    package private(set) var functions: [Function]
    /// The value of everything, functions left out by a limit included.
    package let total: Int64
    /// How many functions there are, those left out by a limit included.
    package let functionCount: Int

    /// The most functions that may be asked for.
    package static let largestLimit = 100_000

    /// One function.
    package struct Function: Hashable, Sendable {
        /// The function's names and place; its kind is ``Frame/Kind/inlined`` only where every
        /// call of it was inlined.
        package var frame: Frame
        /// The value of the stacks that end in the function.
        package var selfValue: Int64
        /// The value of the stacks that hold the function, each counted once however often it
        /// recurs.
        package var total: Int64
    }

    /// The functions of some stacks.
    ///
    /// Frames of the same name, file and module are one function.
    ///
    /// - Parameters:
    ///   - tree: The stacks.
    ///   - limit: The most functions to return.
    package init(_ tree: FrameTree, limit: Int = 100) {
        let (functionOf, frames) = Self.identify(tree.keys)
        let totals = tree.totals
        var table = frames.map { Function(frame: $0, selfValue: 0, total: 0) }
        for node in 1..<max(1, tree.count) {
            let function = functionOf[Int(tree.keyIndices[node])]
            Self.add(tree.selfValues[node], to: &table[function].selfValue)
        }
        for node in Self.outermostCalls(tree, functionOf, functionCount: frames.count) {
            let function = functionOf[Int(tree.keyIndices[node])]
            Self.add(totals[node], to: &table[function].total)
        }
        table.removeAll { $0.total == 0 && $0.selfValue == 0 }
        total = totals[0]
        functionCount = table.count
        table.sort(by: Self.precedes)
        functions = Array(table.prefix(max(0, limit)))
    }

    private struct Identity: Hashable {
        var name: String
        var file: String
        var module: String
    }

    /// Each key's function, and each function's frame.
    private static func identify(_ keys: [Frame]) -> ([Int], [Frame]) {
        var known: [Identity: Int] = [:]
        var frames: [Frame] = []
        let functionOf = keys.map { frame -> Int in
            let identity = Identity(name: frame.name, file: frame.file, module: frame.module)
            if let function = known[identity] {
                if frames[function].kind == .inlined { frames[function].kind = frame.kind }
                if frames[function].startLine == 0 { frames[function].startLine = frame.startLine }
                return function
            }
            known[identity] = frames.count
            frames.append(frame)
            return frames.count - 1
        }
        return (functionOf, frames)
    }

    /// The nodes none of whose callers is the same function.
    private static func outermostCalls(
        _ tree: FrameTree, _ functionOf: [Int], functionCount: Int
    ) -> [Int] {
        let children = ChildLists(tree)
        var depthOnPath = [Int32](repeating: 0, count: functionCount)
        var result: [Int] = []
        // A node on the way down; its complement on the way up.
        var waiting = Array(children[0])
        while let entry = waiting.popLast() {
            let node = entry >= 0 ? Int(entry) : Int(~entry)
            let function = functionOf[Int(tree.keyIndices[node])]
            if entry < 0 {
                depthOnPath[function] -= 1
                continue
            }
            if depthOnPath[function] == 0 { result.append(node) }
            depthOnPath[function] += 1
            waiting.append(~entry)
            waiting += children[node]
        }
        return result
    }

    private static func add(_ value: Int64, to sum: inout Int64) {
        let (next, overflow) = sum.addingReportingOverflow(value)
        sum = overflow ? (value < 0 ? .min : .max) : next
    }

    private static func precedes(_ left: Function, _ right: Function) -> Bool {
        if left.selfValue != right.selfValue { return left.selfValue > right.selfValue }
        if left.total != right.total { return left.total > right.total }
        if left.frame.name != right.frame.name {
            return left.frame.name.utf8.lexicographicallyPrecedes(right.frame.name.utf8)
        }
        if left.frame.module != right.frame.module {
            return left.frame.module < right.frame.module
        }
        return left.frame.file < right.frame.file
    }
}
