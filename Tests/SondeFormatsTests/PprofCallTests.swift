// SPDX-License-Identifier: Apache-2.0
// What a written pprof says of lines, of mappings, and of callees that are added up.

import SondeFormats
import SondeModel
import Testing

@Suite struct PprofCallTests {
    private static let image = ImageID(buildID: BuildID(hex: "0a0b"), path: "/bin/demo")
    private static let description = PprofDocument.Description(
        type: .cpu, start: Timestamp(unixNanoseconds: 5), durationNanoseconds: 1)

    /// Stacks of addresses, root first, with values.
    private static func tree(_ stacks: [([UInt64], Int64)]) -> LocationTree {
        var tree = LocationTree()
        for (stack, value) in stacks {
            tree.add(
                value,
                rootFirst: stack.map { .address(image: image, offset: FileOffset($0)) })
        }
        return tree
    }

    private static func call(_ name: String, line: Int64) -> PprofDocument.Call {
        PprofDocument.Call(Frame(name: name, file: "demo.c", startLine: 3), line: line)
    }

    /// The lines of each location: `name:line`, innermost first.
    private static func lines(_ document: PprofDocument) -> [[String]] {
        document.locations.map { location in
            location.lines.map { line in
                let function = document.functions.first { $0.id == line.functionID }
                return "\(function?.name ?? "?"):\(line.line)"
            }
        }
    }

    @Test func aCallHasItsLineOrElseThatOfItsFunction() throws {
        let document = PprofDocument(Self.tree([([0x10, 0x20], 1)]), Self.description) {
            _, offset in
            offset.rawValue == 0x10
                ? [Self.call("outer", line: 8), Self.call("inner", line: 0)]
                : [Self.call("leaf", line: 4)]
        }
        #expect(Self.lines(document) == [["inner:3", "outer:8"], ["leaf:4"]])
        let mapping = try #require(document.mappings.first)
        #expect(mapping.hasFunctions && mapping.hasFilenames && mapping.hasLineNumbers)
        #expect(mapping.hasInlineFrames)
        let again = try PprofDocument(decoding: document.encode()[...])
        #expect(again == document)
    }

    @Test func aMappingWithAnAddressThatHasNoNameIsLeftToTools() throws {
        let document = PprofDocument(Self.tree([([0x10, 0x20], 1)]), Self.description) {
            _, offset in
            offset.rawValue == 0x10 ? [Self.call("outer", line: 8)] : []
        }
        let mapping = try #require(document.mappings.first)
        #expect(!mapping.hasFunctions && !mapping.hasFilenames && !mapping.hasLineNumbers)
    }

    @Test func calleesThatDifferInTheirPlaceAloneAreOne() throws {
        var document = PprofDocument(
            Self.tree([
                ([0x10, 0x20], 1), ([0x10, 0x21], 2), ([0x11, 0x20], 4), ([0x10], 8), ([0x12], 16),
            ]), Self.description
        ) { _, offset in
            switch offset.rawValue {
            // Two places of the caller, two of the callee, and one without a name.
            case 0x10, 0x11: [Self.call("caller", line: Int64(offset.rawValue))]
            case 0x12: []
            default: [Self.call("callee", line: Int64(offset.rawValue))]
            }
        }
        document.aggregateCallees()
        let linesOf = Dictionary(
            uniqueKeysWithValues: zip(document.locations.map(\.id), Self.lines(document)))
        let sums = document.samples.map { sample in
            (
                sample.locationIDs.flatMap { linesOf[$0] ?? ["?"] }.joined(separator: "<"),
                sample.values
            )
        }.sorted { $0.0 < $1.0 }
        #expect(sums.map(\.0) == ["", "callee:0<caller:16", "callee:0<caller:17", "caller:0"])
        #expect(sums.map(\.1) == [[16], [3], [4], [8]])
        _ = try PprofDocument(decoding: document.encode()[...])
        let once = document
        document.aggregateCallees()
        #expect(document.samples.map(\.values) == once.samples.map(\.values))
    }
}
