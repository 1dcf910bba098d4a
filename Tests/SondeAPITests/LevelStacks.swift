// SPDX-License-Identifier: Apache-2.0
// Stacks out of the levels of a flame graph as Pyroscope's clients read them.

import Foundation
import Testing

/// The stacks of a flame graph in JSON: what the fields `names` and `levels` say.
struct LevelStacks {
    /// The value that ends in each stack, root first; stacks without any are left out.
    private(set) var stacks: [[String]: Int64] = [:]

    private struct Node {
        var path: [String]
        var start: Int64
        var end: Int64
    }

    /// Reads an answer, and checks on the way that every node lies inside of its parent and that no
    /// two overlap.
    init(_ answer: [String: Any]) throws {
        let graph = try #require(answer["flamegraph"] as? [String: Any])
        let names = try #require(graph["names"] as? [String])
        let levels = try #require(graph["levels"] as? [[String: [String]]])
        var above: [Node] = []
        for (depth, level) in levels.enumerated() {
            let numbers = (level["values"] ?? []).compactMap { Int64($0) }
            try #require(numbers.count % 4 == 0)
            var nodes: [Node] = []
            var place: Int64 = 0
            for index in stride(from: 0, to: numbers.count, by: 4) {
                let start = place + numbers[index]
                place = start + numbers[index + 1]
                let name = try #require(
                    names.indices.contains(Int(numbers[index + 3]))
                        ? names[Int(numbers[index + 3])] : nil)
                var path: [String] = []
                if depth > 0 {
                    let parent = try #require(
                        above.first { $0.start <= start && place <= $0.end }, "\(name) is outside")
                    path = parent.path + [name]
                }
                try #require(numbers[index] >= 0 && numbers[index + 1] >= numbers[index + 2])
                if numbers[index + 2] != 0 { stacks[path, default: 0] += numbers[index + 2] }
                nodes.append(Node(path: path, start: start, end: place))
            }
            above = nodes
        }
        let total = (graph["total"] as? String).flatMap { Int64($0) } ?? 0
        try #require(total == stacks.values.reduce(0, +))
    }
}
