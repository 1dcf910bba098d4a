// SPDX-License-Identifier: Apache-2.0
// What a line costs itself and with what it calls; and how often it is passed.

import SondeModel
import SondeQuery
import Testing

@Suite struct LineCostsTests {
    /// Stacks whose entries are numbers of `keys`.
    private func costs(
        _ keys: [LineCosts.Location], _ stacks: [([Int], Int64)]
    ) -> LineCosts {
        var tree = LocationTree()
        let names = keys.indices.map { Location.symbolized([Frame(name: "\($0)")]) }
        for name in names { _ = tree.intern(name) }
        for (stack, value) in stacks { tree.add(value, rootFirst: stack.map { names[$0] }) }
        return LineCosts(tree, keys)
    }

    private func text(_ costs: LineCosts) -> [String] {
        costs.lines.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.selfValue) \($0.value.total)" }
    }

    @Test func aLineHasItsOwnCostAndThatOfWhatItCalls() {
        let found = costs(
            [.init(lines: [3], leaf: 3), .init(), .init(lines: [9], leaf: 9)],
            [([0, 1], 5), ([0], 2), ([0, 1, 2], 10), ([1], 100)])
        #expect(text(found) == ["3 2 17", "9 10 10"])
        #expect(found.total == 117 && found.inFile == 17)
    }

    @Test func aLineThatRecursCountsOnceInEachStack() {
        let line = LineCosts.Location(lines: [3], leaf: 3)
        let found = costs(
            [line, line, .init(lines: [4], leaf: 4)], [([0, 1, 0], 5), ([0, 2, 1], 7), ([2], 1)])
        #expect(text(found) == ["3 12 12", "4 1 8"])
        #expect(found.inFile == 13)
    }

    @Test func inlinedCallsCountForTheLinesThatMakeThem() {
        let found = costs(
            [
                .init(lines: [10, 20], leaf: 20),  // line 20, inlined into line 10
                .init(lines: [10], leaf: 0),  // another file's line, inlined into line 10
            ], [([0], 6), ([1], 3)])
        #expect(text(found) == ["10 0 9", "20 6 6"])
    }

    @Test func theFilesFunctionsCostWhatTheirLinesDoAndWhatIsOnNone() {
        let found = costs(
            [
                .init(lines: [3], leaf: 3, isOfFile: true),
                .init(lines: [3], leaf: 0, isOfFile: true),  // the compiler's, without a line
                .init(lines: [3], leaf: 0),  // another file's function, called from line 3
                .init(lines: [7], leaf: 7),  // a line of this file in another one's function
                .init(),
            ], [([0], 1), ([0, 1], 20), ([1, 2], 300), ([3], 4000), ([4, 1], 50_000)])
        #expect(text(found) == ["3 1 50321", "7 4000 4000"])
        #expect(found.ofFunctions == 50_021)
        #expect(found.withoutLine == 50_020 && found.ofOthers == 4000)
        #expect(found.ofFunctions == 4001 + found.withoutLine - found.ofOthers)
    }

    @Test func nothingIsNoLines() {
        #expect(costs([], []).lines.isEmpty)
        #expect(costs([.init(lines: [1], leaf: 1)], [([0], 0)]).lines.isEmpty)
        let overflow = costs(
            [.init(lines: [1], leaf: 1), .init(lines: [1], leaf: 1)],
            [([0], .max), ([1], .max)])
        #expect(overflow.lines[1]?.selfValue == .max)
    }

    @Test func aForecastIsTimeByTheTimeOfOnePass() throws {
        // 24 bytes in each of two copies: two nanoseconds a pass.
        let half = try #require(
            HitForecast(ownNanoseconds: 1_000_000, seconds: 10, codeBytes: 48, copies: 2))
        #expect(abs(half.hitsPerSecond - 50_000) < 1)
        #expect(abs(half.share - (50_000 * 40 + 100 * 2_500) / 1e9) < 1e-9)
        let rare = try #require(
            HitForecast(ownNanoseconds: 40, seconds: 10, codeBytes: 24, copies: 1))
        #expect(abs(rare.hitsPerSecond - 2) < 1e-6)
        #expect(HitForecast(ownNanoseconds: 0, seconds: 10, codeBytes: 24, copies: 1) == nil)
        #expect(HitForecast(ownNanoseconds: 9, seconds: 0, codeBytes: 24, copies: 1) == nil)
        #expect(HitForecast(ownNanoseconds: 9, seconds: 9, codeBytes: 0, copies: 1) == nil)
    }
}
