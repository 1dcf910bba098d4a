// SPDX-License-Identifier: Apache-2.0
// What runs at a hit is a module too: its objects may need only what a reviewed list allows.

import Foundation
import Testing

@Suite struct HitWall {
    static let folder = "probes/CSondeProbe"

    /// The files that hold code of the hit path.
    static let sources = Repository.files(below: folder).filter { path in
        let name = URL(fileURLWithPath: path).lastPathComponent
        return name.hasSuffix(".c")
            && (["hit.c", "enter.c", "trap.c", "scope.c"].contains(name)
                || name.hasPrefix("machine"))
    }

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

    @Test func optimizedObjectsNeedOnlyAllowedSymbols() throws {
        let scratch = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-hit-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: scratch) }
        #expect(Self.sources.count >= 3)
        var undefined: Set<String> = []
        var defined: Set<String> = []
        for source in Self.sources {
            let object = scratch.appendingPathComponent(
                URL(fileURLWithPath: source).lastPathComponent + ".o"
            ).path
            let compiled = try run([
                "clang", "-O2", "-g", "-fPIC", "-fno-omit-frame-pointer", "-std=gnu2x",
                "-D_GNU_SOURCE=1", "-Wall", "-Wextra", "-Werror",
                "-I", "\(Self.folder)/include", "-c", source, "-o", object,
            ])
            #expect(compiled.status == 0, "\(compiled.output)")
            undefined.formUnion(symbols(of: try run(["nm", "-u", "-P", object]).output))
            defined.formUnion(symbols(of: try run(["nm", "--defined-only", "-P", object]).output))
        }
        let allowed = Self.allowed
        for symbol in undefined.subtracting(defined).sorted() {
            #expect(allowed[symbol] != nil, "\(symbol) is needed at a hit but is not allowed")
        }
        for symbol in Set(allowed.keys).subtracting(undefined).sorted() {
            Issue.record("allowed_symbols.txt allows \(symbol), which nothing needs")
        }
        for (symbol, reason) in allowed {
            #expect(!reason.isEmpty, "\(symbol) stands in the list without a reason")
        }
    }

    /// The marks of hit context; the machine's is the hit's and more.
    static let marks = ["SONDE_HIT_CONTEXT", "SONDE_MACHINE_CONTEXT"]

    @Test func hitFunctionsCarryTheirMarkAndStandInTheirSection() throws {
        // Only what is marked is built without AVX and out of the reach of probes.
        for source in Self.sources {
            let lines = Repository.text(of: source).components(separatedBy: "\n")
            for (index, line) in lines.enumerated() where Self.definesHitFunction(line) {
                #expect(
                    index > 0 && Self.marks.contains { lines[index - 1].hasPrefix($0) },
                    "\(source):\(index + 1) is not marked SONDE_HIT_CONTEXT")
            }
        }
    }

    private static func definesHitFunction(_ line: String) -> Bool {
        guard let first = line.first, first.isLetter, !line.hasSuffix(";"),
            let open = line.firstIndex(of: "(")
        else { return false }
        let name = line[..<open].split(whereSeparator: { $0 == " " || $0 == "*" }).last ?? ""
        return name.hasPrefix("sonde_hit_") || name == "sonde_hit"
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
