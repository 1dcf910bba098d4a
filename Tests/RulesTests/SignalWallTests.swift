// SPDX-License-Identifier: Apache-2.0
// Signal context is a module: its objects may need only what a reviewed list allows.

import Foundation
import Testing

@Suite struct SignalWall {
    static let folder = "agent/CSondeSignal"

    /// The symbols that the list allows; the rest of each line is the reason.
    static var allowed: [String: String] {
        var entries: [String: String] = [:]
        for line in Repository.text(of: "\(folder)/allowed_symbols.txt").split(separator: "\n")
        where !line.hasPrefix("#") {
            let words = line.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            entries[String(words[0])] = words.count > 1 ? String(words[1]) : ""
        }
        return entries
    }

    @Test func everyAllowedSymbolHasAReason() {
        #expect(!Self.allowed.isEmpty)
        for (symbol, reason) in Self.allowed {
            #expect(!reason.isEmpty, "\(symbol) stands in the list without a reason")
        }
    }

    @Test func optimizedObjectsNeedOnlyAllowedSymbols() throws {
        // Compiled here as `swift build -c release` compiles them, so that the rule holds on a
        // checkout that was never built. Also catches a memcpy that the compiler put in.
        let scratch = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-signal-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }

        let sources = Repository.files(below: Self.folder).filter { $0.hasSuffix(".c") }
        #expect(!sources.isEmpty)
        var undefined: Set<String> = []
        var defined: Set<String> = []
        for source in sources {
            let name = URL(fileURLWithPath: source).lastPathComponent
            let object = scratch.appendingPathComponent(name + ".o").path
            let compiled = try run([
                "clang", "-O2", "-g", "-fPIC", "-fno-omit-frame-pointer", "-std=gnu2x",
                "-D_GNU_SOURCE=1", "-Wall", "-Wextra", "-Werror",
                "-I", "\(Self.folder)/include", "-c", source, "-o", object,
            ])
            #expect(compiled.status == 0, "\(compiled.output)")
            undefined.formUnion(symbols(of: try run(["nm", "-u", "-P", object]).output))
            defined.formUnion(symbols(of: try run(["nm", "--defined-only", "-P", object]).output))
        }
        for symbol in undefined.subtracting(defined).sorted() {
            #expect(
                Self.allowed[symbol] != nil,
                "\(symbol) is needed in signal context but not in allowed_symbols.txt")
        }
        for symbol in Set(Self.allowed.keys).subtracting(undefined).sorted() {
            Issue.record("allowed_symbols.txt allows \(symbol), which nothing needs")
        }
    }

    @Test func globalFunctionsCarryThePrefixOfTheirContext() throws {
        for header in Repository.files(below: "\(Self.folder)/include") {
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
