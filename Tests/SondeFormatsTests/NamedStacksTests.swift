// SPDX-License-Identifier: Apache-2.0
// The formats that carry names only: what is read, what is refused, and that nothing crashes.

import SondeFormats
import SondeModel
import Testing

/// Stacks of names as text: `a;b 3`, in byte order.
func folded(_ tree: FrameTree) -> [String] {
    FoldedStacks.text(tree).split(separator: "\n").map(String.init)
}

@Suite struct FoldedReadingTests {
    static func read(_ text: String, _ limits: FormatLimits = FormatLimits()) throws -> [String] {
        folded(try FoldedStacks.read(text.utf8, limits: limits))
    }

    @Test func theValueStandsAfterTheLastBlankAndStacksAddUp() throws {
        #expect(try Self.read("a;b 3\na;c d 5\r\n\na;b 4") == ["a;b 7", "a;c d 5"])
        #expect(try Self.read("") == [])
    }

    @Test func linesWithoutABlankAndValuesOfZeroAddNothing() throws {
        #expect(try Self.read("nothing\na 0\nb 1\n 7\n") == ["b 1"])
    }

    @Test func whatIsBlankAtTheEndOfAStackIsNoPartOfIt() throws {
        #expect(try Self.read("a\r  3\na 4\n\r 5\r\n") == ["a 7"])
    }

    @Test func emptyFramesAreUnknown() throws {
        #expect(try Self.read("a;;b 1") == ["a;unknown;b 1"])
    }

    @Test(arguments: ["a 1.5", "a -1", "a 1x", "a 99999999999999999999", "a  \u{1}"])
    func valuesThatAreNoNumbersAreRefusedWithTheirLine(_ line: String) {
        let error = #expect(throws: FormatError.self) { try Self.read("ok 1\n\(line)\n") }
        #expect(error?.code == .malformed)
        #expect(error?.description.contains("in line 2; want a whole number") == true)
    }

    @Test func namesThatAreNotUTF8AreRefused() {
        let error = #expect(throws: FormatError.self) {
            try FoldedStacks.read([0x61, 0x3B, 0xFF, 0x20, 0x31])
        }
        #expect(
            error?.description
                == "cannot read folded text: got a name that is not UTF-8 at line 1; want UTF-8")
    }

    @Test func aDeepStackKeepsItsRootSideAndItsValue() throws {
        var limits = FormatLimits()
        limits.stackDepth = 2
        #expect(try Self.read("a;b;c;d 9\na;b 1", limits) == ["a;b 10"])
    }

    @Test func limitsAreKept() {
        func refusal(_ change: (inout FormatLimits) -> Void) -> FormatError? {
            var limits = FormatLimits()
            change(&limits)
            do { _ = try Self.read("a;b;c 1\na;b;d 2\n", limits) } catch let error as FormatError {
                return error
            } catch { return nil }
            return nil
        }
        #expect(refusal { _ in } == nil)
        #expect(refusal { $0.bytes = 15 }?.code == .tooLarge)
        #expect(refusal { $0.nodes = 4 }?.code == .tooLarge)
        #expect(refusal { $0.steps = 5 }?.code == .tooLarge)
    }

    @Test func aLongNameKeepsItsEnd() throws {
        var limits = FormatLimits()
        limits.nameBytes = 3
        #expect(try Self.read("abcdef 1", limits) == ["def 1"])
    }

    @Test func eachLineCountsOnceWhenThereAreNoValues() throws {
        let tree = try FoldedStacks.readLines("a;b 1\na;b 1\n\nc".utf8)
        #expect(folded(tree) == ["a;b 1 2", "c 1"])
    }

    @Test func whatIsWrittenIsReadBack() throws {
        var generator = SplitMix(seed: 11)
        for _ in 0..<50 {
            let tree = randomTree(&generator)
            let text = FoldedStacks.text(tree)
            #expect(FoldedStacks.text(try FoldedStacks.read(text.utf8)) == text)
        }
    }
}

/// A tree of up to 60 stacks.
func randomTree(_ generator: inout SplitMix) -> FrameTree {
    var tree = FrameTree()
    for _ in 0..<Int.random(in: 0...60, using: &generator) {
        let stack = (0...Int.random(in: 0..<8, using: &generator)).map { _ in
            Frame(name: "f\(Int.random(in: 0..<6, using: &generator)) é")
        }
        tree.add(.random(in: 1...1000, using: &generator), rootFirst: stack)
    }
    return tree
}

@Suite struct PyroscopeTreeTests {
    static func node(_ name: String, _ value: UInt8, _ children: UInt8) -> [UInt8] {
        [UInt8(name.utf8.count)] + Array(name.utf8) + [value, children]
    }

    /// The stacks `a;b 3`, `a;c 5`, `a 2`, `d 4`, as Pyroscope writes them.
    static let example =
        node("", 0, 2) + node("d", 4, 0) + node("a", 2, 2) + node("c", 5, 0) + node("b", 3, 0)

    static let stacks = ["a 2", "a;b 3", "a;c 5", "d 4"]

    @Test func aTreeIsReadAndWrittenByteForByte() throws {
        let tree = try PyroscopeTree.read(Self.example)
        #expect(folded(tree) == Self.stacks)
        #expect(PyroscopeTree.encode(tree) == Self.example)
    }

    @Test func nothingIsAnEmptyTree() throws {
        #expect(try PyroscopeTree.read([UInt8]()).count == 1)
        #expect(PyroscopeTree.encode(FrameTree()).isEmpty)
        #expect(try PyroscopeTree.read([0, 0, 0]).count == 1)
    }

    @Test func randomTreesSurviveARoundTrip() throws {
        var generator = SplitMix(seed: 5)
        for _ in 0..<50 {
            let tree = randomTree(&generator)
            let again = try PyroscopeTree.read(PyroscopeTree.encode(tree))
            #expect(folded(again) == folded(tree))
            #expect(PyroscopeTree.encode(again) == PyroscopeTree.encode(tree))
        }
    }

    @Test func everyTruncationIsRefusedWithItsPlace() {
        for length in 1..<Self.example.count {
            let error = #expect(throws: FormatError.self) {
                try PyroscopeTree.read(Self.example[..<length])
            }
            #expect(error?.description.hasPrefix("cannot read tree: got ") == true)
            #expect(error?.description.contains("at byte") == true)
        }
    }

    @Test(
        arguments: [
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], "a name of"),
            ([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02], "more than 64 bits"),
            ([0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F], "children"),
            ([0, 0, 1, 1, 0xFF, 1, 0], "not UTF-8"),
            ([0, 0, 0, 1], "1 more bytes"),
        ] as [([UInt8], String)])
    func hostileLengthsAreRefusedAndNeverMadeRoomFor(_ bytes: [UInt8], _ words: String) {
        let error = #expect(throws: FormatError.self) { try PyroscopeTree.read(bytes) }
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
        #expect(throws: FormatError.self) { try PyroscopeTrie.read(bytes) }
    }

    @Test func aChainOfAMillionNodesNeedsNoRecursion() throws {
        let chain =
            Self.node("", 0, 1)
            + Array(repeating: Self.node("x", 1, 1), count: 500_000)
            .joined() + Self.node("x", 1, 0)
        let tree = try PyroscopeTree.read(chain)
        #expect(tree.count == 1025)
        #expect(tree.totals[0] == 500_001)
        #expect(throws: FormatError.self) {
            var limits = FormatLimits()
            limits.tableEntries = 1000
            _ = try PyroscopeTree.read(chain, limits: limits)
        }
    }

    @Test func aTrieIsReadWhereverItsSuffixesAreCut() throws {
        let trie =
            Self.node("", 0, 2) + Self.node(";;a", 2, 2) + Self.node(";b", 3, 0)
            + Self.node(";c", 5, 0) + Self.node("d", 4, 0)
        #expect(folded(try PyroscopeTrie.read(trie)) == Self.stacks)
        let inNames =
            Self.node("", 0, 1) + Self.node("main;f", 0, 2) + Self.node("oo;x", 1, 0)
            + Self.node("a", 0, 2) + Self.node("r", 2, 0) + Self.node("r;y", 4, 0)
        #expect(
            folded(try PyroscopeTrie.read(inNames))
                == ["main;far 2", "main;far;y 4", "main;foo;x 1"])
    }

    @Test func aTrieThatAsksForALongNameAgainAndAgainIsRefused() throws {
        var trie: [UInt8] = [0, 0, 1]
        trie += [0xE0, 0xA7, 0x12] + [UInt8](repeating: 97, count: 300_000) + [0]
        trie += [0xE0, 0xA7, 0x12]
        for _ in 0..<300_000 { trie += [1, 98, 1, 0] }
        var limits = FormatLimits()
        limits.steps = 1 << 20
        let error = #expect(throws: FormatError.self) {
            try PyroscopeTrie.read(trie, limits: limits)
        }
        #expect(error?.code == .tooLarge)
    }

    @Test func mutatedTreesNeverCrash() {
        var generator = SplitMix(seed: 3)
        for _ in 0..<3000 {
            let bytes = mutated(Self.example, &generator)
            _ = try? PyroscopeTrie.read(bytes)
            guard let tree = try? PyroscopeTree.read(bytes) else { continue }
            #expect(throws: Never.self) { try PyroscopeTree.read(PyroscopeTree.encode(tree)) }
        }
    }
}

/// The bytes with up to five of them changed, doubled or removed.
func mutated(_ bytes: [UInt8], _ generator: inout SplitMix) -> [UInt8] {
    var mutated = bytes
    for _ in 0...Int.random(in: 0..<5, using: &generator) where !mutated.isEmpty {
        let place = Int.random(in: 0..<mutated.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: mutated[place] = UInt8.random(in: 0...255, using: &generator)
        case 1: mutated[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 2: mutated.insert(mutated[place], at: place)
        default: mutated.remove(at: place)
        }
    }
    return mutated
}
