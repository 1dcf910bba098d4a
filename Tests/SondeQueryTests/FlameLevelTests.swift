// SPDX-License-Identifier: Apache-2.0
// Flame graphs level by level, as Pyroscope encodes them.

import SondeModel
import SondeQuery
import Testing

@Suite struct FlameLevelTests {
    @Test func theExampleOfTheProtocolIsEncodedAsItSays() {
        let tree = FrameTree(folded: "a;b 3\na;c 5\na 2\nd 4")
        let levels = FlameLevels(FlameGraph(tree.byName()))
        #expect(levels.total == 14)
        #expect(levels.largestSelf == 5)
        #expect(named(levels) == ["total 0+14 0", "a 0+10 2|d 0+4 4", "b 2+3 3|c 0+5 5"])
        #expect(levels.names.first == "total")
    }

    @Test func nothingIsOneRootOfNothing() {
        let levels = FlameLevels(FlameGraph(FrameTree().byName()))
        #expect(levels.names == ["total"])
        #expect(levels.levels == [[0, 0, 0, 0]])
        #expect(levels.total == 0)
    }

    @Test func whatIsCutOffBecomesOneChildThatComesLast() {
        let tree = FrameTree(folded: "z;a 1\nz;b 2\nz;zz 30\nb 4\na 5")
        let levels = FlameLevels(FlameGraph(tree.byName(), maximumNodes: 2))
        #expect(
            named(levels) == ["total 0+42 0", "z 0+33 0|other 0+9 9", "zz 0+30 30|other 0+3 3"])
    }

    @Test func aFunctionThatIsCalledOtherIsPartOfWhatIsCutOff() {
        let tree = FrameTree(folded: "a;other;deep 3\na;b 2")
        let levels = FlameLevels(FlameGraph(tree.byName()))
        #expect(named(levels) == ["total 0+5 0", "a 0+5 0", "b 0+2 2|other 0+3 3"])
    }

    @Test func functionsOfOneNameAreOneWhateverTheirFile() {
        var tree = FrameTree()
        tree.add(1, rootFirst: [Frame(name: "a", file: "x.c"), Frame(name: "")])
        tree.add(2, rootFirst: [Frame(name: "a", file: "y.c")])
        tree.add(4, rootFirst: [Frame(name: "total")])
        let levels = FlameLevels(FlameGraph(tree.byName()))
        #expect(named(levels) == ["total 0+7 0", "a 0+3 2|total 0+4 4", "unknown 2+1 1"])
        #expect(levels.names.filter { $0 == "total" }.count == 1)
    }

    @Test func childrenLieInsideTheirParentsAndOwnValuesAddUp() {
        var generator = SystemRandomNumberGenerator()
        for round in 0..<300 {
            let tree = FrameTree.random(&generator)
            let limit = round % 3 == 0 ? 3 : 10_000
            let levels = FlameLevels(FlameGraph(tree.byName(), maximumNodes: limit))
            var parents = [(start: Int64(0), end: levels.total)]
            var ownValues: Int64 = 0
            var largest: Int64 = 0
            for level in levels.levels {
                var end: Int64 = 0
                var next: [(start: Int64, end: Int64)] = []
                for node in stride(from: 0, to: level.count, by: 4) {
                    let start = end + level[node]
                    end = start + level[node + 1]
                    #expect(level[node] >= 0 && level[node + 2] >= 0)
                    #expect(levels.names.indices.contains(Int(level[node + 3])))
                    #expect(parents.contains { $0.start <= start && end <= $0.end })
                    ownValues += level[node + 2]
                    largest = max(largest, level[node + 2])
                    // Children begin where the own value ends.
                    next.append((start + level[node + 2], end))
                }
                parents = next
            }
            #expect(ownValues == levels.total)
            #expect(levels.total == tree.totals[0])
            #expect(largest == levels.largestSelf)
        }
    }

    @Test func twoFlameGraphsStandSideBySide() {
        let pair = StackPair(
            left: FrameTree(folded: "a;b 3\na 1\nc 2"), right: FrameTree(folded: "a;b 5\nd 7"))
        let levels = FlameLevels(FlameGraphDiff(pair))
        #expect(levels.leftTotal == 6)
        #expect(levels.rightTotal == 12)
        #expect(levels.total == 18)
        #expect(levels.largestSelf == 7)
        #expect(
            named(levels, width: 7) == [
                "total 0+6 0 0+12 0", "a 0+4 1 0+5 0|c 0+2 2 0+0 0|d 0+0 0 0+7 7",
                "b 1+3 3 0+5 5",
            ])
    }

    @Test func aDifferenceIsCutByTheLargerSide() {
        let pair = StackPair(
            left: FrameTree(folded: "a 1\nb 9\nc 2"), right: FrameTree(folded: "a 8\nb 1\nc 3"))
        let levels = FlameLevels(FlameGraphDiff(pair, maximumNodes: 2))
        #expect(
            named(levels, width: 7) == [
                "total 0+12 0 0+12 0", "a 0+1 1 0+8 8|b 0+9 9 0+1 1|other 0+2 2 0+3 3",
            ])
    }

    @Test func bothSidesOfADifferenceAreThemselves() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let (left, right) = (FrameTree.random(&generator), FrameTree.random(&generator))
            let graph = FlameGraphDiff(StackPair(left: left, right: right))
            #expect(graph.leftTotal == left.totals[0])
            #expect(graph.rightTotal == right.totals[0])
            #expect(graph.left.reduce(0) { $0 + $1.own } == left.totals[0])
            #expect(graph.right.reduce(0) { $0 + $1.own } == right.totals[0])
        }
    }

    @Test func aCallGraphHasEachFunctionOnceAndItsCalls() {
        let tree = FrameTree(folded: "main;work;work 6\nmain;\"idle\" 4")
        let dot = CallGraph(tree).dot(unit: "count") { "\($0)" }
        #expect(dot.hasPrefix("digraph"))
        #expect(dot.contains("main\\n0 (0.0%)\\nof 10 (100.0%)"))
        #expect(dot.contains("\\\"idle\\\""))
        #expect(dot.components(separatedBy: " -> ").count == 4)
        #expect(CallGraph(FrameTree()).dot(unit: "count") { "\($0)" } == "")
    }

    /// The levels as text: each node's name, offset, total and own value.
    private func named(_ levels: FlameLevels, width: Int = 4) -> [String] {
        levels.levels.map { level in
            stride(from: 0, to: level.count, by: width).map { node in
                let name = levels.names[Int(level[node + width - 1])]
                let sides = stride(from: node, to: node + width - 1, by: 3).map { side in
                    "\(level[side])+\(level[side + 1]) \(level[side + 2])"
                }
                return "\(name) \(sides.joined(separator: " "))"
            }.joined(separator: "|")
        }
    }
}

extension String {
    fileprivate func components(separatedBy separator: String) -> [Substring] {
        var parts: [Substring] = []
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            parts.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        return parts + [rest]
    }
}
