// SPDX-License-Identifier: Apache-2.0
// A line is hit once for each pass over it: programs count their passes, and gdb counts the hits.

import Foundation
import SondeModel
import SondeSymbols
import Testing

@Suite(.enabled(if: DebuggedProgram.hasDebugger, "gdb is missing"))
struct PassTests {
    /// Lines whose hits were not their passes, in words, and how many lines were compared.
    static func compare(_ program: PlaceProgram) throws -> (wrong: [UInt32: String], lines: Int) {
        let image = try program.image
        let file = try #require(image.files(matching: program.file).first)
        let mark = program.file.hasSuffix(".c") ? "TICK" : "tick()"
        let lines = Set(
            [mark, "in Ticking(", "defer {"].flatMap { program.lines(with: $0) })
        let places = lines.sorted().flatMap { image.places(file: file, line: $0) }
        let (stops, output) = try DebuggedProgram.run(program.program, image, places) { _, _ in
            false
        }
        // What the optimizer left no code of has no place.
        let placed = Set(places.map(\.line))
        let passes = PassProgram.printed(output).filter { placed.contains($0.key) }
        var hits: [UInt32: Int] = [:]
        for stop in stops { hits[places[stop.place].line, default: 0] += 1 }
        let source = program.source.split(separator: "\n", omittingEmptySubsequences: false)
        var wrong: [UInt32: String] = [:]
        for (line, passes) in passes where lines.contains(line) {
            let found = hits[line] ?? 0
            guard found != passes else { continue }
            wrong[line] =
                "\(found) hits in \(passes) passes: \(source[Int(line) - 1]) "
                + "\(places.filter { $0.line == line }.map { String($0.address.rawValue, radix: 16) })"
        }
        print("\(program.file): \(passes.count) lines, \(wrong.count) not once a pass")
        return (wrong, passes.keys.filter(lines.contains).count)
    }

    @Test func plainSwiftIsHitOnceAPass() throws {
        let (wrong, lines) = try Self.compare(PassProgram.swift(PassProgram.swiftVariants[0]))
        for text in wrong.values { Issue.record("\(text)") }
        #expect(lines > 40)
    }

    @Test(arguments: ["clang", "gcc"]) func plainCIsHitOnceAPass(compiler: String) throws {
        let (wrong, lines) = try Self.compare(PassProgram.c(compiler, PassProgram.cVariants[0]))
        for text in wrong.values { Issue.record("\(text)") }
        #expect(lines > 20)
    }

    /// The optimizer tears lines apart, copies and merges them; nearly all are hit once a pass.
    private func expectNearlyAll(
        _ found: (wrong: [UInt32: String], lines: Int), atLeast lines: Int
    ) {
        for text in found.wrong.values.sorted() { print(text) }
        #expect(found.lines >= lines)
        #expect(found.wrong.count * 8 <= found.lines, "\(found.wrong.values.sorted())")
    }

    @Test func optimizedSwiftIsNearlyAlwaysHitOnceAPass() throws {
        expectNearlyAll(
            try Self.compare(PassProgram.swift(PassProgram.swiftVariants[1])), atLeast: 40)
    }

    @Test(arguments: ["clang", "gcc"])
    func optimizedCIsNearlyAlwaysHitOnceAPass(compiler: String) throws {
        expectNearlyAll(
            try Self.compare(PassProgram.c(compiler, PassProgram.cVariants[1])), atLeast: 15)
    }
}
