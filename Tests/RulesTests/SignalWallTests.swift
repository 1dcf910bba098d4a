// SPDX-License-Identifier: Apache-2.0
// Signal context and the hit path: their objects may need only what a reviewed list allows.

import Foundation
import Testing

/// A folder of C whose objects may need only what its list allows.
struct SymbolWall: Sendable, CustomStringConvertible {
    var folder: String
    /// The files behind the wall: those whose names begin so; all of them without any.
    var beginnings: [String] = []

    static let all = [
        SymbolWall(folder: "agent/CSondeSignal"),
        SymbolWall(
            folder: "probes/CSondeProbe", beginnings: ["hit.", "enter.", "trap.", "machine"]),
    ]

    var description: String { folder }

    var sources: [String] {
        Repository.files(below: folder).filter { path in
            let name = URL(fileURLWithPath: path).lastPathComponent
            return name.hasSuffix(".c")
                && (beginnings.isEmpty || beginnings.contains { name.hasPrefix($0) })
        }
    }

    /// The symbols that the list allows; the rest of each line is the reason.
    var allowed: [String: String] {
        var entries: [String: String] = [:]
        for line in Repository.text(of: "\(folder)/allowed_symbols.txt").split(separator: "\n")
        where !line.hasPrefix("#") {
            let words = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            entries[String(words[0])] = words.count > 1 ? String(words[1]) : ""
        }
        return entries
    }
}

@Suite struct SignalWall {
    @Test(arguments: SymbolWall.all)
    func everyAllowedSymbolHasAReason(wall: SymbolWall) {
        #expect(!wall.allowed.isEmpty)
        for (symbol, reason) in wall.allowed {
            #expect(!reason.isEmpty, "\(symbol) stands in the list without a reason")
        }
    }

    @Test(arguments: SymbolWall.all)
    func optimizedObjectsNeedOnlyAllowedSymbols(wall: SymbolWall) throws {
        // Compiled here as `swift build -c release` compiles them, so that the rule holds on a
        // checkout that was never built. Also catches a memcpy that the compiler put in.
        let scratch = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-signal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }

        #expect(!wall.sources.isEmpty)
        var undefined: Set<String> = []
        var defined: Set<String> = ["__start_sonde_text", "__stop_sonde_text"]
        for source in wall.sources {
            let name = URL(fileURLWithPath: source).lastPathComponent
            let object = scratch.appendingPathComponent(name + ".o").path
            let compiled = try run([
                "clang", "-O2", "-g", "-fPIC", "-fno-omit-frame-pointer", "-std=gnu2x",
                "-D_GNU_SOURCE=1", "-Wall", "-Wextra", "-Werror",
                "-I", "\(wall.folder)/include", "-c", source, "-o", object,
            ])
            #expect(compiled.status == 0, "\(compiled.output)")
            undefined.formUnion(symbols(of: try run(["nm", "-u", "-P", object]).output))
            defined.formUnion(symbols(of: try run(["nm", "--defined-only", "-P", object]).output))
        }
        undefined.subtract(defined)
        for symbol in undefined.sorted() {
            #expect(
                wall.allowed[symbol] != nil,
                "\(symbol) is needed in \(wall) but not in its allowed_symbols.txt")
        }
        for symbol in Set(wall.allowed.keys).subtracting(undefined).sorted() {
            Issue.record("allowed_symbols.txt of \(wall) allows \(symbol), which nothing needs")
        }
    }

    @Test(arguments: SymbolWall.all)
    func globalFunctionsCarryThePrefixOfTheirContext(wall: SymbolWall) throws {
        for header in Repository.files(below: "\(wall.folder)/include") {
            for line in Repository.text(of: header).split(separator: "\n") {
                guard let name = Self.declaredFunction(in: line) else { continue }
                #expect(name.hasPrefix("sonde_"), "\(header) declares \(name)")
            }
        }
    }

    private static func declaredFunction(in line: Substring) -> String? {
        guard let first = line.first, first.isLetter, let open = line.firstIndex(of: "("),
            !line.hasPrefix("typedef"), !line.hasPrefix("static_assert"),
            !line.hasPrefix("_Static_assert")
        else { return nil }
        let before = line[..<open].split(whereSeparator: { $0 == " " || $0 == "*" })
        guard before.count > 1, let name = before.last else { return nil }
        return name.hasPrefix("__") ? nil : String(name)
    }

    private func symbols(of listing: String) -> [String] {
        listing.split(separator: "\n").compactMap { line in
            line.split(separator: " ").first.map(String.init)
        }
    }

    private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["timeout", "60"] + arguments
        process.currentDirectoryURL = Repository.root
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}
