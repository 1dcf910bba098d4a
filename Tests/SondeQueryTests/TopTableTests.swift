// SPDX-License-Identifier: Apache-2.0
// The table of functions: own value, total, and recursion counted once.

import SondeModel
import SondeQuery
import Testing

@Suite struct TopTableTests {
    private func text(_ table: TopTable) -> [String] {
        table.functions.map { "\($0.frame.name) \($0.selfValue) \($0.total)" }
    }

    @Test func functionsAreSortedByOwnValueThenTotal() {
        let table = TopTable(FrameTree(folded: "main;a 5\nmain;b 5\nmain;b;a 3\nmain;c;d 1"))
        #expect(text(table) == ["a 8 8", "b 5 8", "d 1 1", "main 0 14", "c 0 1"])
        #expect(table.total == 14)
    }

    @Test func aStackCountsOnceForAFunctionThatRecurs() {
        let table = TopTable(FrameTree(folded: "f;f;f 2\nf;g;f 3\ng;f;g 5\nf 7"))
        #expect(text(table) == ["f 12 17", "g 5 8"])
    }

    @Test func theLimitKeepsTheFirstAndTheTotalOfAll() {
        let table = TopTable(FrameTree(folded: "a 1\nb 2\nc 3"), limit: 2)
        #expect(text(table) == ["c 3 3", "b 2 2"])
        #expect(table.total == 6)
        #expect(table.functionCount == 3)
        #expect(TopTable(FrameTree(folded: "a 1"), limit: -1).functions.isEmpty)
    }

    @Test func aFunctionIsItsNameFileAndModule() {
        var tree = FrameTree()
        let inlined = Frame(name: "f", file: "f.swift", startLine: 0, module: "m", kind: .inlined)
        let own = Frame(name: "f", file: "f.swift", startLine: 9, module: "m")
        tree.add(1, rootFirst: [inlined])
        tree.add(2, rootFirst: [own])
        tree.add(4, rootFirst: [Frame(name: "f", file: "f.swift", module: "n")])
        tree.add(8, rootFirst: [Frame(name: "f", file: "g.swift", module: "m")])
        let table = TopTable(tree)
        #expect(table.functions.map(\.selfValue) == [8, 4, 3])
        #expect(table.functions[2].frame == own)
    }

    @Test func anyTreeGivesTheSumsOfTheModel() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let tree = FrameTree.random(&generator)
            var selfValues: [String: Int64] = [:]
            var totals: [String: Int64] = [:]
            for node in 1..<max(1, tree.count) where tree.selfValues[node] > 0 {
                var names: [String] = []
                var place = node
                while place > 0 {
                    names.append(tree.keys[Int(tree.keyIndices[place])].name)
                    place = Int(tree.parents[place])
                }
                selfValues[names[0], default: 0] += tree.selfValues[node]
                for name in Set(names) { totals[name, default: 0] += tree.selfValues[node] }
            }
            let table = TopTable(tree, limit: 1000)
            #expect(table.functions.count == totals.count)
            for function in table.functions {
                #expect(function.selfValue == selfValues[function.frame.name] ?? 0)
                #expect(function.total == totals[function.frame.name])
            }
        }
    }
}
