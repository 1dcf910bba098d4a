// SPDX-License-Identifier: Apache-2.0
// The flame graph's layout, against a model that does the same slowly.

import SondeModel
import SondeQuery
import Testing

@Suite struct FlameGraphTests {
    /// A flame graph as lines: depth in dots, name, self, total.
    private func text(_ graph: FlameGraph) -> [String] {
        var depths: [Int] = []
        return graph.parents.indices.map { node in
            let parent = Int(graph.parents[node])
            depths.append(parent < 0 ? 0 : depths[parent] + 1)
            let frame = Int(graph.frameIndices[node])
            let name = frame < 0 ? "root" : graph.frames[frame].name
            let dots = String(repeating: ".", count: depths[node])
            return "\(dots)\(name) \(graph.selfValues[node]) \(graph.totals[node])"
        }
    }

    @Test func parentsStandBeforeChildrenAndSiblingsInByteOrder() {
        let tree = FrameTree(folded: "b;z 1\nb;Z 2\nb;é 3\na;c;d 4\na 5\nb;a 6")
        #expect(
            text(FlameGraph(tree)) == [
                "root 0 21", ".a 5 9", "..c 0 4", "...d 4 4", ".b 0 12", "..Z 2 2", "..a 6 6",
                "..z 1 1", "..é 3 3",
            ])
    }

    @Test func whatIsCutOffUnderOneParentBecomesOneChild() {
        let tree = FrameTree(folded: "a;x 1\na;y 2\na;z 30\nb 3\nc 4\nd 40")
        let graph = FlameGraph(tree, maximumNodes: 3)
        // The third largest total is 33, 40, 30: the threshold is 30.
        #expect(
            text(graph) == [
                "root 0 80", ".a 0 33", "..z 30 30", "..other 3 3", ".d 40 40", ".other 7 7",
            ])
        #expect(graph.isTruncated)
        #expect(graph.frames.filter { $0.kind == .other }.count == 1)
    }

    @Test func nodesAsLargeAsTheThresholdAreAllKept() {
        let graph = FlameGraph(FrameTree(folded: "a 5\nb 5\nc 5\nd 1"), maximumNodes: 2)
        #expect(text(graph) == ["root 0 16", ".a 5 5", ".b 5 5", ".c 5 5", ".other 1 1"])
    }

    @Test func aFunctionThatIsCalledOtherIsNotMistakenForTheRest() {
        let graph = FlameGraph(FrameTree(folded: "other 50\nx 1\ny 1"), maximumNodes: 1)
        #expect(text(graph) == ["root 0 52", ".other 50 50", ".other 2 2"])
        #expect(graph.frames.map(\.kind) == [.function, .other])
        // What an earlier cut left is joined with what this one cuts off.
        var tree = FrameTree(folded: "a 50\nx 1")
        tree.add(4, rootFirst: [Frame(name: "other", kind: .other)])
        #expect(text(FlameGraph(tree, maximumNodes: 1)) == ["root 0 55", ".a 50 50", ".other 5 5"])
    }

    @Test func anEmptyTreeIsARootAndZerosAreLeftOut() {
        #expect(text(FlameGraph(FrameTree())) == ["root 0 0"])
        #expect(text(FlameGraph(FrameTree(folded: "a;b 0\nc 1"))) == ["root 0 1", ".c 1 1"])
        var tree = FrameTree(folded: "a 1")
        tree.add(7, to: 0)
        #expect(text(FlameGraph(tree)) == ["root 7 8", ".a 1 1"])
    }

    @Test func theValueOfLeavesWithoutNamesIsCounted() {
        var tree = FrameTree(folded: "a 1\na;b 2")
        let unknown = Frame(name: "libfoo.so!0x10", kind: .unresolved)
        tree.add(10, rootFirst: [Frame(name: "a"), unknown])
        tree.add(100, rootFirst: [unknown, Frame(name: "b")])
        #expect(FlameGraph(tree).unresolved == 10)
        #expect(FlameGraph(tree, maximumNodes: 1).unresolved == 10)
    }

    @Test func aVeryDeepStackIsLaidOut() {
        var tree = FrameTree()
        tree.add(1, rootFirst: (0..<200_000).map { Frame(name: "f\($0 % 10)") })
        let graph = FlameGraph(tree, maximumNodes: FlameGraph.largestMaximumNodes)
        #expect(graph.parents.count == 200_001)
        #expect(TopTable(tree).functions.map(\.total) == [Int64](repeating: 1, count: 10))
    }

    @Test func anyTreeIsCutAsTheModelSays() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let tree = FrameTree.random(&generator)
            let maximum = Int.random(in: 1...40, using: &generator)
            let graph = FlameGraph(tree, maximumNodes: maximum)
            #expect(text(graph) == NaiveNode(tree).cut(maximum).lines(), "\(tree.count) \(maximum)")
            #expect(graph.total == tree.totals[0])
            #expect(graph.selfValues.reduce(0, +) == graph.total)
            #expect(graph.isTruncated == graph.frames.contains { $0.kind == .other })
        }
    }
}

/// The model: nodes that own their children, cut by the letter of the rule.
private struct NaiveNode {
    var name: String
    var selfValue: Int64
    var children: [NaiveNode] = []

    var total: Int64 { children.reduce(selfValue) { $0 + $1.total } }

    init(_ tree: FrameTree, at node: Int = 0) {
        name = node == 0 ? "root" : tree.keys[Int(tree.keyIndices[node])].name
        selfValue = tree.selfValues[node]
        for child in 1..<max(1, tree.count) where tree.parents[child] == Int32(node) {
            children.append(NaiveNode(tree, at: child))
        }
    }

    var descendants: [NaiveNode] { children.flatMap { [$0] + $0.descendants } }

    func cut(_ maximum: Int) -> NaiveNode {
        let totals = descendants.map(\.total).filter { $0 > 0 }.sorted(by: >)
        return cut(below: totals.count <= maximum ? 1 : totals[maximum - 1])
    }

    func cut(below threshold: Int64) -> NaiveNode {
        var copy = self
        copy.children =
            children.filter { $0.total >= threshold }.map { $0.cut(below: threshold) }
            .sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        let rest = children.filter { $0.total < threshold }.reduce(0) { $0 + $1.total }
        if rest > 0 {
            var other = self
            other.name = "other"
            other.selfValue = rest
            other.children = []
            copy.children.append(other)
        }
        return copy
    }

    func lines(depth: Int = 0) -> [String] {
        ["\(String(repeating: ".", count: depth))\(name) \(selfValue) \(total)"]
            + children.flatMap { $0.lines(depth: depth + 1) }
    }
}
