// SPDX-License-Identifier: Apache-2.0
// Merged stacks as a graph of who calls whom, in Graphviz's language.

package import SondeModel

/// Who calls whom, each function once.
package struct CallGraph: Sendable {
    /// The most functions of a graph: more cannot be read.
    package static let maximumFunctions = 100
    /// The most nodes of the tree that a graph is made from.
    package static let maximumNodes = 512

    private struct Edge: Hashable {
        var caller: Int
        var callee: Int
    }

    private var functions: [TopTable.Function]
    private var edges: [(edge: Edge, value: Int64)] = []
    private let total: Int64

    /// The graph of some stacks: the functions with the largest totals, and the calls between them.
    package init(_ tree: FrameTree) {
        let graph = FlameGraph(tree.byName(), maximumNodes: Self.maximumNodes).tree
        let table = TopTable(graph, limit: TopTable.largestLimit)
        total = table.total
        functions = Array(
            table.functions.sorted {
                ($1.total, $0.frame.name) < ($0.total, $1.frame.name)
            }.prefix(Self.maximumFunctions))
        var numbers: [String: Int] = [:]
        for (number, function) in functions.enumerated() { numbers[function.frame.name] = number }
        let totals = graph.totals
        var sums: [Edge: Int64] = [:]
        for node in 1..<max(1, graph.count) {
            let parent = Int(graph.parents[node])
            guard parent > 0,
                let caller = numbers[graph.keys[Int(graph.keyIndices[parent])].name],
                let callee = numbers[graph.keys[Int(graph.keyIndices[node])].name]
            else { continue }
            let edge = Edge(caller: caller, callee: callee)
            sums[edge] = saturatingSum(sums[edge] ?? 0, totals[node])
        }
        edges = sums.sorted {
            ($1.value, $0.key.caller, $0.key.callee) < ($0.value, $1.key.caller, $1.key.callee)
        }.map { ($0.key, $0.value) }
    }

    /// The graph for `dot`; empty when there is nothing in it.
    ///
    /// - Parameters:
    ///   - unit: The unit of the values.
    ///   - format: How a value is written for people.
    /// - Returns: The text.
    package func dot(unit: String, format: (Int64) -> String) -> String {
        guard total > 0, !functions.isEmpty else { return "" }
        var text = "digraph \"\(Self.escaped(unit))\" {\n"
        text += "node [shape=box fillcolor=\"#f8f8f8\" style=filled]\n"
        text += "label=\"total \(Self.escaped(format(total)))\"\n"
        for (number, function) in functions.enumerated() {
            let share = Double(function.total) / Double(total)
            let own = "\(format(function.selfValue)) (\(Self.percent(function.selfValue, total)))"
            let all = "of \(format(function.total)) (\(Self.percent(function.total, total)))"
            let name = Self.escaped(function.frame.name)
            text +=
                "N\(number + 1) [label=\"\(name)\\n\(Self.escaped(own))\\n\(Self.escaped(all))\""
            text += " fontsize=\(8 + Int(share * 16)) tooltip=\"\(name)\"]\n"
        }
        for (edge, value) in edges {
            let weight = max(1, Int(100 * Double(value) / Double(total)))
            text += "N\(edge.caller + 1) -> N\(edge.callee + 1) "
            text += "[label=\" \(Self.escaped(format(value)))\" weight=\(weight)]\n"
        }
        return text + "}\n"
    }

    private static func percent(_ value: Int64, _ total: Int64) -> String {
        let tenths = Int(1000 * Double(value) / Double(total))
        return "\(tenths / 10).\(tenths % 10)%"
    }

    private static func escaped(_ text: String) -> String {
        String(
            text.flatMap { character -> [Character] in
                switch character {
                case "\"", "\\": ["\\", character]
                case _ where character.isNewline: [" "]
                default: [character]
                }
            })
    }
}
