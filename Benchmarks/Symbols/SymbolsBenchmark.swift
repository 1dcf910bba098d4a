// SPDX-License-Identifier: Apache-2.0
// How fast addresses of a large image get their names, against llvm-symbolizer on the same ones.

import Foundation
import SondeModel
import SondeSymbols

@main struct SymbolsBenchmark {
    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        try body()
        let duration = clock.now - start
        return Double(duration.components.seconds)
            + Double(duration.components.attoseconds) / 1e18
    }

    static func main() throws {
        let path = CommandLine.arguments.dropFirst().first ?? CommandLine.arguments[0]
        var image = try ElfImage(path: path)
        let addresses = try Self.addresses(of: path)
        var symbols = ImageSymbols([image], module: "x")
        let opening = try seconds {
            image = try ElfImage(path: path)
            symbols = ImageSymbols([image], module: "x")
        }
        var frames = 0
        let first = seconds {
            for address in addresses { frames += symbols.frames(at: ImageAddress(address)).count }
        }
        let again = seconds {
            for address in addresses { frames += symbols.frames(at: ImageAddress(address)).count }
        }
        let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int ?? 0
        print("\(path): \(size / 1_000_000) MB, \(addresses.count) addresses, \(frames / 2) frames")
        print("  open             \(Int(opening * 1e3)) ms")
        print("  first look-ups   \(Int(first * 1e3)) ms")
        print("  later look-ups   \(Int(again * 1e3)) ms")
        guard let peer = try peerSeconds(path, addresses) else {
            print("  llvm-symbolizer is not here: no ratio")
            return
        }
        let ratio = (opening + first) / peer
        print("  llvm-symbolizer  \(Int(peer * 1e3)) ms")
        print("  ratio            \((ratio * 100).rounded() / 100) (at most \(threshold))")
        if ratio > threshold { exit(1) }
    }

    /// The part of llvm-symbolizer's time that opening and looking up may take.
    static let threshold = 1.0

    /// Ten thousand addresses, spread over the image's functions.
    static func addresses(of path: String) throws -> [UInt64] {
        let text = try run("nm", ["-S", "--defined-only", path], input: "")
        var all: [UInt64] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 4, parts[2].lowercased() == "t",
                let start = UInt64(parts[0], radix: 16), let length = UInt64(parts[1], radix: 16)
            else { continue }
            for offset in stride(from: 0, to: length, by: 16) { all.append(start + offset) }
        }
        guard all.count > 10_000 else { return all }
        return (0..<10_000).map { all[$0 * all.count / 10_000] }
    }

    static func peerSeconds(_ path: String, _ addresses: [UInt64]) throws -> Double? {
        let input = addresses.map { "0x" + String($0, radix: 16) + "\n" }.joined()
        guard (try? run("llvm-symbolizer", ["--version"], input: "")) != nil else { return nil }
        return try seconds {
            _ = try run(
                "llvm-symbolizer", ["--inlines", "--functions=linkage", "-e", path], input: input)
        }
    }

    struct ToolFailed: Error {}

    static func run(_ tool: String, _ arguments: [String], input: String) throws -> String {
        let folder = FileManager.default.temporaryDirectory
        let files = ["in", "out"].map {
            folder.appendingPathComponent("sonde-bench-\(getpid()).\($0)")
        }
        defer { for file in files { try? FileManager.default.removeItem(at: file) } }
        try Data(input.utf8).write(to: files[0])
        try Data().write(to: files[1])
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [tool] + arguments
        process.standardInput = try FileHandle(forReadingFrom: files[0])
        process.standardOutput = try FileHandle(forWritingTo: files[1])
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw ToolFailed() }
        return try String(contentsOf: files[1], encoding: .utf8)
    }
}
