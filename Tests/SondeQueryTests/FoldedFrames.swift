// SPDX-License-Identifier: Apache-2.0
// Stacks of names from text and by chance, for the tests of this module.

import SondeModel

extension StackTree where Key == Frame {
    /// Stacks from lines of names separated by `;`, root first, and a value.
    init(folded: String) {
        self.init()
        for line in folded.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let value = Int64(parts[1]) else { continue }
            add(value, rootFirst: parts[0].split(separator: ";").map { Frame(name: String($0)) })
        }
    }

    static func random(_ generator: inout some RandomNumberGenerator) -> FrameTree {
        var tree = FrameTree()
        for _ in 0..<Int.random(in: 0...30, using: &generator) {
            let depth = Int.random(in: 0...6, using: &generator)
            let names = (0..<depth).map { _ in
                Frame(name: "f\(Int.random(in: 0..<4, using: &generator))")
            }
            tree.add(.random(in: 0...50, using: &generator), rootFirst: names)
        }
        return tree
    }
}
