// SPDX-License-Identifier: Apache-2.0
// Lines and places of whole programs, compared with llvm-dwarfdump's line tables.

import Foundation
import SondeModel
import SondeSymbols
import Testing

/// The oracle: a line table's reader that others wrote.
private enum Dwarfdump {
    static let isInstalled = CompiledProgram.run("llvm-dwarfdump", ["--version"]) != nil
}

@Suite(.enabled(if: Dwarfdump.isInstalled, "llvm-dwarfdump is missing"))
struct LineTableOracleTests {
    struct Row {
        var address: UInt64
        var line: UInt32
        var column: UInt32
        var file: Int
        var isStatement: Bool
        var endsSequence: Bool
    }

    /// The rows of all line tables, in the order in which llvm-dwarfdump prints them.
    static func rows(_ program: PlaceProgram) throws -> [Row] {
        let text = try #require(
            CompiledProgram.run("llvm-dwarfdump", ["--debug-line", program.program.path]))
        return text.split(separator: "\n").compactMap { line in
            let parts = line.split(separator: " ")
            guard parts.count >= 6, parts[0].hasPrefix("0x"),
                let address = UInt64(parts[0].dropFirst(2), radix: 16),
                let number = UInt32(parts[1]), let column = UInt32(parts[2]),
                let file = Int(parts[3])
            else { return nil }
            return Row(
                address: address, line: number, column: column, file: file,
                isStatement: parts.contains("is_stmt"),
                endsSequence: parts.contains("end_sequence"))
        }
    }

    /// Compares the line of each address of a program; answers how many.
    static func compare(_ program: PlaceProgram) throws -> Int {
        let image = try program.image
        let rows = try Self.rows(program)
        var compared = 0
        var lines: Set<UInt32> = []
        for (row, next) in zip(rows, rows.dropFirst())
        where !row.endsSequence && row.line > 0 && next.address > row.address {
            if row.isStatement { lines.insert(row.line) }
            // The first and the last byte that belong to the row.
            for address in [row.address, next.address - 1] {
                guard let place = image.place(at: ImageAddress(address)) else { continue }
                compared += 1
                #expect(place.line == row.line, "at 0x\(String(address, radix: 16))")
                #expect(place.column == row.column, "at 0x\(String(address, radix: 16))")
            }
        }
        let file = try #require(image.files(matching: program.file).first)
        let found = Set(image.linesWithCode(in: file))
        // Lines of other files are among llvm-dwarfdump's.
        #expect(found.count > 15)
        #expect(found.isSubset(of: lines.union(rows.filter(\.isStatement).map(\.line))))
        for line in found {
            for place in image.places(file: file, line: line) {
                let isRow = rows.contains { $0.address == place.address.rawValue }
                #expect(isRow, "a place on line \(line) is no row of the line table")
            }
        }
        return compared
    }

    @Test(arguments: PlaceProgram.swiftVariants)
    func linesOfSwiftAreThoseThatDwarfdumpPrints(variant: [String]) throws {
        #expect(try Self.compare(PlaceProgram.swift(variant)) > 500)
    }

    @Test(arguments: PlaceProgram.cVariants)
    func linesOfCAreThoseThatDwarfdumpPrints(variant: [String]) throws {
        #expect(try Self.compare(PlaceProgram.c(variant)) > 50)
    }
}
