// SPDX-License-Identifier: Apache-2.0
// Stacks are chosen by call site and by function, and reduced for a compiler.

import SondeModel
import SondeQuery
import Testing

@Suite struct StackChoiceTests {
    @Test func aCallSiteIsTheBeginningOfAStack() {
        #expect(chosen(StackChoice.beginning(with: ["main"], symbols)) == ["main;a", "main;b;a"])
        #expect(chosen(StackChoice.beginning(with: ["main", "b"], symbols)) == ["main;b;a"])
        #expect(chosen(StackChoice.beginning(with: ["b"], symbols)) == [])
        #expect(chosen(StackChoice.beginning(with: ["main", "a", "a"], symbols)) == [])
        #expect(chosen(StackChoice.beginning(with: [], symbols)).count == 3)
    }

    @Test func aCallSiteGoesThroughInlinedCalls() {
        // Both functions stand at one place.
        #expect(
            chosen(StackChoice.beginning(with: ["outer", "inlined"], symbols)) == ["outer;inlined"])
        #expect(chosen(StackChoice.beginning(with: ["outer"], symbols)) == ["outer;inlined"])
    }

    @Test func aFocusIsAFunctionAnywhere() throws {
        #expect(chosen(try StackChoice.holding("^a$", symbols)) == ["main;a", "main;b;a"])
        #expect(chosen(try StackChoice.holding("inl", symbols)) == ["outer;inlined"])
        let both = StackChoice.both(
            try StackChoice.holding("^a$", symbols), try StackChoice.holding("b", symbols))
        #expect(chosen(try #require(both)) == ["main;b;a"])
        #expect(throws: QueryError.self) { try StackChoice.holding("(", symbols) }
    }

    @Test func aCompilerGetsTheLastLocationsOnly() {
        let short = tree.keepingLeaves(1)
        #expect(short.totals[0] == tree.totals[0])
        #expect(short.parents.allSatisfy { $0 <= 0 })
        #expect(tree.keepingLeaves(0).count == tree.count)
    }

    private var symbols: any SymbolResolver { Nameless() }

    private var tree: LocationTree {
        var tree = LocationTree()
        for (value, stack) in [(1, ["main", "a"]), (2, ["main", "b", "a"])] {
            tree.add(
                Int64(value), rootFirst: stack.map { Location.symbolized([Frame(name: $0)]) })
        }
        tree.add(
            4, rootFirst: [Location.symbolized([Frame(name: "outer"), Frame(name: "inlined")])])
        return tree
    }

    /// The stacks whose values count, as text.
    private func chosen(_ choice: @Sendable (LocationTree) -> [Bool]) -> [String] {
        let tree = tree
        let counts = choice(tree)
        return (0..<tree.count).filter { counts[$0] && tree.selfValues[$0] > 0 }.map { node in
            var names: [String] = []
            var at = node
            while at > 0 {
                if case .symbolized(let frames) = tree.keys[Int(tree.keyIndices[at])] {
                    names = frames.map(\.name) + names
                }
                at = Int(tree.parents[at])
            }
            return names.joined(separator: ";")
        }.sorted()
    }
}

private struct Nameless: SymbolResolver {
    func frames(image: ImageID, offset: FileOffset) -> [Frame] { [] }
}
