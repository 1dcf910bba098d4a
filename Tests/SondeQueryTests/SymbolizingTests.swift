// SPDX-License-Identifier: Apache-2.0
// From stacks of addresses to stacks of names.

import SondeModel
import SondeQuery
import Synchronization
import Testing

@Suite struct SymbolizingTests {
    /// Names an address after its offset; odd ones hold an inlined call; 0 has no answer.
    private final class Resolver: SymbolResolver {
        let asked = Mutex<[UInt64]>([])

        func frames(image: ImageID, offset: FileOffset) -> [Frame] {
            asked.withLock { $0.append(offset.rawValue) }
            if offset.rawValue == 0 { return [] }
            let outer = Frame(name: "f\(offset.rawValue / 2)", module: image.name)
            return offset.rawValue.isMultiple(of: 2)
                ? [outer] : [outer, Frame(name: "inlined", module: image.name, kind: .inlined)]
        }
    }

    private func at(_ offset: UInt64) -> Location {
        .address(image: ImageID(buildID: nil, path: "/bin/app"), offset: FileOffset(offset))
    }

    private func lines(_ tree: FrameTree) -> [String] {
        (0..<tree.count).filter { tree.selfValues[$0] != 0 }.map { node in
            var names: [String] = []
            var place = node
            while place > 0 {
                names.append(tree.keys[Int(tree.keyIndices[place])].name)
                place = Int(tree.parents[place])
            }
            return "\(names.reversed().joined(separator: ";")) \(tree.selfValues[node])"
        }.sorted()
    }

    @Test func inlinedCallsBecomeFramesAndSameNamesAreAddedUp() {
        var tree = LocationTree()
        tree.add(1, rootFirst: [at(2), at(5)])
        tree.add(10, rootFirst: [at(2), at(4)])
        tree.add(100, rootFirst: [at(3), at(4)])  // f1 again, with an inlined call
        tree.add(1000, rootFirst: [at(2), .symbolized([Frame(name: "f2", module: "app")])])
        tree.add(5, to: 0)
        let resolver = Resolver()
        let names = tree.symbolized(by: resolver)
        #expect(lines(names) == [" 5", "f1;f2 1010", "f1;f2;inlined 1", "f1;inlined;f2 100"])
        #expect(names.totals[0] == tree.totals[0])
        // Each address once, however many stacks hold it.
        #expect(resolver.asked.withLock { $0.sorted() } == [2, 3, 4, 5])
    }

    @Test func partsOfOneFunctionAreOneFrameAndOverloadsAreNot() {
        func part(_ systemName: String, line: Int32 = 7) -> Location {
            .symbolized([
                Frame(name: "bump(_:)", systemName: systemName, file: "L.swift", startLine: line)
            ])
        }
        var tree = LocationTree()
        tree.add(1, rootFirst: [part("$s4bumpyyYaF")])
        tree.add(2, rootFirst: [part("$s4bumpyyYaFTY0_")])
        tree.add(4, rootFirst: [part("$s4bumpyySiF", line: 90)])
        let names = tree.symbolized(by: Resolver())
        #expect(names.selfValues == [0, 3, 4])
        #expect(names.keys.map(\.systemName) == ["$s4bumpyyYaF", "$s4bumpyySiF"])
        #expect(FlameGraph(names).totals == [7, 3, 4])
    }

    @Test func whatHasNoNameIsShownByItsAddress() throws {
        var tree = LocationTree()
        tree.add(1, rootFirst: [at(0)])
        tree.add(2, rootFirst: [.symbolized([])])
        let names = tree.symbolized(by: Resolver())
        #expect(names.keys.allSatisfy { $0.kind == .unresolved && !$0.name.isEmpty })
        #expect(names.keys.first?.module == "app")
        #expect(FlameGraph(names).unresolved == 3)
    }
}
