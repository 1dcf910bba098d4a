// SPDX-License-Identifier: Apache-2.0
// Writes merged stacks as folded text, the format of flamegraph.pl and many others.

package import SondeModel

/// Folded text: one line for each stack, `root;child;leaf value`.
package enum FoldedStacks {
    /// The stacks as lines in byte order, each stack once, root first.
    ///
    /// Since `;` and line breaks separate, a name's `;` is written as `:` and its line breaks as
    /// spaces. Values are in the profile's unit.
    package static func text(_ tree: FrameTree) -> String {
        let names = tree.keys.map { bytes(of: $0.name) }
        var valueOf: [[UInt8]: Int64] = [:]
        for node in 1..<max(1, tree.count) where tree.selfValues[node] != 0 {
            var path: [Int] = []
            var at = node
            while at > 0 {
                path.append(Int(tree.keyIndices[at]))
                at = Int(tree.parents[at])
            }
            let stack = path.reversed().map { names[$0] }.joined(separator: [UInt8(ascii: ";")])
            let line = Array(stack)
            let (sum, overflow) = valueOf[line, default: 0]
                .addingReportingOverflow(tree.selfValues[node])
            valueOf[line] = overflow ? .max : sum
        }
        var text: [UInt8] = []
        for (line, value) in valueOf.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            text += line
            text += Array(" \(value)\n".utf8)
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func bytes(of name: String) -> [UInt8] {
        name.utf8.map { byte in
            switch byte {
            case UInt8(ascii: ";"): UInt8(ascii: ":")
            case 10, 13: UInt8(ascii: " ")
            default: byte
            }
        }
    }
}
