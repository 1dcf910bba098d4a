// SPDX-License-Identifier: Apache-2.0
// Stack trees: adding, merging, totals, and trees made of columns.

import SondeModel
import Testing

@Suite struct StackTreeTests {
    /// The stacks that have a value, as text.
    private func stacks(_ tree: StackTree<String>) -> [String: Int64] {
        var result: [String: Int64] = [:]
        for node in 0..<tree.count where tree.selfValues[node] != 0 {
            var names: [String] = []
            var place = node
            while place > 0 {
                names.append(tree.keys[Int(tree.keyIndices[place])])
                place = Int(tree.parents[place])
            }
            result[names.reversed().joined(separator: ";"), default: 0] += tree.selfValues[node]
        }
        return result
    }

    private func random(_ generator: inout some RandomNumberGenerator) -> StackTree<String> {
        var tree = StackTree<String>()
        for _ in 0..<Int.random(in: 0..<40, using: &generator) {
            let depth = Int.random(in: 0..<7, using: &generator)
            tree.add(
                .random(in: -9...99, using: &generator),
                rootFirst: (0..<depth).map { _ in "f\(Int.random(in: 0..<4, using: &generator))" })
        }
        return tree
    }

    @Test func stacksShareTheirBeginning() {
        var tree = StackTree<String>()
        tree.add(1, rootFirst: ["a", "b"])
        tree.add(2, rootFirst: ["a", "c"])
        tree.add(4, rootFirst: ["a", "b"])
        tree.add(8, rootFirst: [])
        #expect(tree.count == 4)
        #expect(tree.keys == ["a", "b", "c"])
        #expect(tree.parents == [-1, 0, 1, 1])
        #expect(tree.keyIndices == [-1, 0, 1, 2])
        #expect(tree.selfValues == [8, 0, 5, 2])
        #expect(tree.totals == [15, 7, 5, 2])
    }

    @Test func aTreeOfManyChildrenAndDepthsFindsEachAgain() {
        var tree = StackTree<Int>()
        for round in 0..<2 {
            for number in 0..<5000 { tree.add(1, rootFirst: [number % 7, number, number % 11]) }
            #expect(tree.count == 1 + 7 + 10_000, "round \(round)")
        }
        #expect(tree.totals[0] == 10_000)
    }

    @Test func aMergeIsTheSumInAnyOrder() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let trees = (0..<5).map { _ in random(&generator) }
            var expected: [String: Int64] = [:]
            for tree in trees { expected.merge(stacks(tree)) { $0 + $1 } }
            expected = expected.filter { $0.value != 0 }
            for order in [trees, trees.reversed(), trees.shuffled(using: &generator)] {
                var merged = StackTree<String>()
                for tree in order { merged.merge(tree) }
                #expect(stacks(merged) == expected)
            }
        }
    }

    @Test func aTreeFromColumnsGoesOnAsIfItHadBeenBuilt() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let built = random(&generator)
            var columns = try #require(
                StackTree(
                    parents: built.parents, keyIndices: built.keyIndices,
                    selfValues: built.selfValues, keys: built.keys))
            #expect(stacks(columns) == stacks(built))
            let more = random(&generator)
            var expected = built
            expected.merge(more)
            columns.merge(more)
            #expect(stacks(columns) == stacks(expected))
            #expect(columns.count == expected.count)
        }
    }

    @Test func columnsThatContradictEachOtherAreRefused() {
        let good: ([Int32], [Int32], [Int64]) = ([-1, 0, 1], [-1, 0, 1], [0, 1, 2])
        func isAccepted(_ parents: [Int32], _ keys: [Int32], _ values: [Int64]) -> Bool {
            StackTree(parents: parents, keyIndices: keys, selfValues: values, keys: ["a", "b"])
                != nil
        }
        #expect(isAccepted(good.0, good.1, good.2))
        #expect(!isAccepted([], [], []))
        #expect(!isAccepted([-1, 0], good.1, good.2))
        #expect(!isAccepted(good.0, good.1, [0]))
        for parent in [-1, 2, 3, .max, .min] as [Int32] {
            #expect(!isAccepted([-1, 0, parent], good.1, good.2))
        }
        for key in [-1, 2, .max, .min] as [Int32] {
            #expect(!isAccepted(good.0, [-1, 0, key], good.2))
        }
        #expect(!isAccepted([0, 0, 1], good.1, good.2))
    }

    @Test func sumsSaturate() {
        var tree = StackTree<String>()
        tree.add(.max, rootFirst: ["a"])
        tree.add(1, rootFirst: ["a"])
        tree.add(5, rootFirst: ["b"])
        #expect(tree.totals == [.max, .max, 5])
        var low = StackTree<String>()
        low.add(.min, rootFirst: ["a"])
        low.add(-1, rootFirst: ["a", "b"])
        #expect(low.totals == [.min, .min, -1])
    }
}
