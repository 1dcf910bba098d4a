// SPDX-License-Identifier: Apache-2.0
// What the writers of flame graphs put out, compared with stored texts and read back.

import Foundation
import SondeFormats
import SondeModel
import Testing

@Suite struct FlameWriterTests {
    /// Stacks of a small service, with names that need care in each format.
    static let tree: FrameTree = {
        func frame(_ name: String, _ module: String = "bookmaker", line: Int32 = 0) -> Frame {
            Frame(
                name: name, file: line > 0 ? "Sources/Odds.swift" : "", startLine: line,
                module: module, kind: name == "other" ? .other : .function)
        }
        var tree = FrameTree()
        let main = [frame("start_thread", "libc.so.6"), frame("Worker.run()", line: 10)]
        tree.add(4_000_000_000, rootFirst: main + [frame("Odds.overround(_:)", line: 42)])
        tree.add(
            2_500_000_000,
            rootFirst: main + [
                frame("Settlement.run()", line: 7),
                frame("closure #1 in Settlement.run()", line: 9),
            ])
        tree.add(1_250_000_000, rootFirst: main + [frame("operator<(A<int> const&; \"x\")")])
        tree.add(12_000_000, rootFirst: main + [frame("tiny\nname")])
        tree.add(9_000_000, rootFirst: main + [frame("small")])
        tree.add(500_000_000, rootFirst: main + [frame("other")])
        tree.add(70_000_000, rootFirst: [frame("Größe.messen()", "libgröße.so")])
        tree.add(7, rootFirst: main)
        return tree
    }()

    @Test func foldedTextIsAsStored() throws {
        try Golden.expect(FoldedStacks.text(Self.tree), "flames/service.folded")
    }

    @Test func foldedTextAddsStacksUpThatReadAlike() {
        var tree = FrameTree()
        tree.add(1, rootFirst: [Frame(name: "a", file: "x")])
        tree.add(2, rootFirst: [Frame(name: "a", file: "y")])
        #expect(FoldedStacks.text(tree) == "a 3\n")
        #expect(FoldedStacks.text(FrameTree()) == "")
    }

    @Test func speedscopeIsAsStoredAndIsJSON() throws {
        let json = SpeedscopeDocument.json(Self.tree, type: .cpu, name: "book\"maker\"")
        try Golden.expect(json, "flames/service.speedscope.json")
        struct File: Decodable {
            struct Profile: Decodable {
                var endValue: Int
                var samples: [[Int]]
                var weights: [Int]
            }
            struct Shared: Decodable { var frames: [[String: Value]] }
            enum Value: Decodable {
                case text(String), number(Int)
                init(from decoder: any Decoder) throws {
                    let box = try decoder.singleValueContainer()
                    if let number = try? box.decode(Int.self) {
                        self = .number(number)
                    } else {
                        self = .text(try box.decode(String.self))
                    }
                }
            }
            var name: String
            var shared: Shared
            var profiles: [Profile]
        }
        let file = try JSONDecoder().decode(File.self, from: Data(json.utf8))
        #expect(file.name == "book\"maker\"")
        #expect(file.profiles[0].weights.reduce(0, +) == file.profiles[0].endValue)
        #expect(file.profiles[0].samples.joined().allSatisfy { $0 < file.shared.frames.count })
        #expect(Int64(file.profiles[0].endValue) == Self.tree.totals[0])
    }

    @Test func textTreeIsAsStored() throws {
        try Golden.expect(TextFlame().text(Self.tree, unit: "nanoseconds"), "flames/service.txt")
        var narrow = TextFlame()
        narrow.width = 40
        narrow.minimumShare = 0
        try Golden.expect(
            narrow.text(Self.tree, unit: "nanoseconds"), "flames/service-narrow.txt")
    }

    @Test func textTreeKeepsItsWidthAndLines() {
        var writer = TextFlame()
        writer.width = 50
        writer.minimumShare = 0
        writer.maximumLines = 3
        let lines = writer.text(Self.tree, unit: "nanoseconds").split(separator: "\n")
        #expect(lines.count == 4)
        #expect(lines.last == "… more than 3 lines")
        #expect(lines.allSatisfy { $0.count <= 50 })
        #expect(TextFlame().text(FrameTree(), unit: "count") == "")
    }

    @Test func svgIsAsStoredAndIsXML() throws {
        let svg = FlameGraphSVG(title: "bookmaker <cpu>", unit: "nanoseconds").document(Self.tree)
        try Golden.expect(svg, "flames/service.svg")
        let reader = XMLChecker()
        #expect(reader.elements(of: svg)["rect"] == 12)
    }

    @Test func valuesReadWellInEachUnit() {
        let cases: [(Int64, String, String)] = [
            (0, "nanoseconds", "0 ns"), (999, "nanoseconds", "999 ns"),
            (1234, "nanoseconds", "1.23 µs"), (12_345_000, "nanoseconds", "12.3 ms"),
            (999_999_999, "nanoseconds", "1.00 s"), (1_234_000_000, "nanoseconds", "1.23 s"),
            (90_000_000_000, "nanoseconds", "1.50 min"),
            (7_200_000_000_000, "nanoseconds", "2.00 h"),
            (-1_500_000, "nanoseconds", "-1.50 ms"), (3, "seconds", "3.00 s"),
            (.max, "nanoseconds", "2562048 h"), (1023, "bytes", "1023 B"),
            (4_194_304, "bytes", "4.0 MiB"), (1_048_575, "bytes", "1.0 MiB"),
            (.max, "bytes", "8.0 EiB"), (12_345, "count", "12345"), (5, "widgets", "5 widgets"),
            (.min, "bytes", "-8.0 EiB"),
        ]
        for (value, unit, text) in cases {
            #expect(ValueFormat(unit: unit).string(value) == text)
        }
        #expect(ValueFormat.share(1, of: 3) == "33.3%")
        #expect(ValueFormat.share(1, of: 0) == "0.0%")
    }
}

/// Just enough of an XML reader to see that tags are closed in order and nothing is left raw.
struct XMLChecker {
    func elements(of text: String) -> [String: Int] {
        var counts: [String: Int] = [:]
        var open: [Substring] = []
        for part in text.split(separator: "<").dropFirst(text.hasPrefix("<") ? 0 : 1) {
            guard let end = part.firstIndex(of: ">") else {
                Issue.record("an element is not closed: \(part)")
                return counts
            }
            let tag = part[..<end]
            #expect(!part[end...].dropFirst().contains(">"))
            if tag.hasPrefix("/") {
                #expect(open.popLast() == tag.dropFirst())
                continue
            }
            let name = tag.prefix { $0 != " " && $0 != "/" }
            counts[String(name), default: 0] += 1
            if !tag.hasSuffix("/") { open.append(name) }
        }
        #expect(open.isEmpty)
        return counts
    }
}
