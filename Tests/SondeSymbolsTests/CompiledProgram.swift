// SPDX-License-Identifier: Apache-2.0
// Compiles small programs for the tests, each once a run.

import Foundation
import SondeModel
import SondeSymbols
import Testing

/// A program that was compiled for the tests.
struct CompiledProgram: Sendable {
    /// The file.
    let path: String

    /// A folder for the files of this run.
    static let folder: String = {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-symbols-\(UUID().uuidString)").path
        try? FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        return path
    }()

    /// Runs a tool of the PATH and returns what it printed; `nil` when it is missing or fails.
    @discardableResult
    static func run(_ tool: String, _ arguments: [String], input: String? = nil) -> String? {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        // A tool that hangs must not hang the tests.
        process.arguments = ["timeout", "120", tool] + arguments
        let name = UUID().uuidString
        let files = ["in", "out", "err"].map { "\(folder)/\(name).\($0)" }
        defer { for file in files { try? FileManager.default.removeItem(atPath: file) } }
        try? Data((input ?? "").utf8).write(to: URL(fileURLWithPath: files[0]))
        for file in files[1...] { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardInput = FileHandle(forReadingAtPath: files[0])
        process.standardOutput = FileHandle(forWritingAtPath: files[1])
        process.standardError = FileHandle(forWritingAtPath: files[2])
        do { try process.run() } catch { return nil }
        process.waitUntilExit()
        let output = try? String(contentsOfFile: files[1], encoding: .utf8)
        guard process.terminationStatus == 0 else {
            let problem = (try? String(contentsOfFile: files[2], encoding: .utf8)) ?? ""
            if process.terminationStatus != 127 {
                Issue.record("\(tool) \(arguments.joined(separator: " ")): \(problem.suffix(2000))")
            }
            return nil
        }
        return output
    }

    static func compileC(_ source: String, _ name: String, _ flags: [String]) throws -> Self {
        try compile("clang", source, "\(name).c", name, flags)
    }

    static func compile(
        _ compiler: String, _ source: String, _ file: String, _ name: String, _ flags: [String]
    ) throws -> Self {
        // A folder of its own: tests that run side by side compile what has the same name.
        let own = "\(folder)/\(UUID().uuidString)"
        let sourcePath = "\(own)/\(file)"
        let path = "\(own)/\(name)"
        for place in [sourcePath, path] {
            try FileManager.default.createDirectory(
                at: URL(fileURLWithPath: place).deletingLastPathComponent(),
                withIntermediateDirectories: true)
        }
        try source.write(toFile: sourcePath, atomically: true, encoding: .utf8)
        _ = try #require(run(compiler, flags + [sourcePath, "-o", path]))
        return Self(path: path)
    }

    /// A copy that a tool made of this program.
    func copy(_ suffix: String, _ tool: String, _ arguments: [String]) throws -> Self {
        let copy = "\(path).\(suffix)"
        _ = try #require(Self.run(tool, arguments + [path, copy]))
        return Self(path: copy)
    }

    /// A C program whose functions inline each other, as DWARF of a version.
    static func c(dwarf version: Int) throws -> Self {
        try (version == 4 ? c4 : c5).get()
    }

    private static let c4 = Result { try compileC(cSource, "inlined4", cFlags(4)) }
    private static let c5 = Result { try compileC(cSource, "inlined5", cFlags(5)) }

    private static func cFlags(_ version: Int) -> [String] {
        ["-O2", "-g", "-gdwarf-\(version)", "-fno-omit-frame-pointer", "-Wl,--build-id"]
    }

    static let cSource = """
        volatile int sink;
        static inline __attribute__((always_inline)) int innermost(int x) {
          for (int i = 0; i < x; i++) sink += i * x;
          return sink;
        }
        static inline __attribute__((always_inline)) int middle(int x) {
          int y = innermost(x + 1);
          return y ^ innermost(x + 2);
        }
        __attribute__((noinline)) int outer(int x) {
          return middle(x) + 7;
        }
        __attribute__((noinline)) int lonely(int x) {
          sink = x;
          return sink * 3;
        }
        int main(int argc, char **argv) {
          (void)argv;
          return outer(argc) + lonely(argc);
        }
        """

    /// An optimized Swift program with closures, generics, an actor and async functions.
    static let swift = Result {
        try compile(
            "swiftc", swiftSource, "settle.swift", "settle",
            ["-O", "-g", "-parse-as-library", "-Xcc", "-fno-omit-frame-pointer"])
    }

    static let swiftSource = """
        @inline(never) func burn(_ n: Int) -> Int {
          var x = n
          for i in 0..<1000 { x = x &* 31 &+ inner(i) }
          return x
        }
        @inline(__always) func inner(_ i: Int) -> Int { (i ^ 5) &* deeper(i) }
        @inline(__always) func deeper(_ i: Int) -> Int { i &* i &+ 7 }
        final class Settlement {
          var items: [Int] = []
          @inline(never) func run() -> Int {
            items.sort { a, b in deeper(a) < deeper(b) }
            return items.map { inner($0) }.reduce(0, &+)
          }
        }
        actor Ledger {
          var n = 0
          @inline(never) func bump(_ k: Int) async -> Int {
            n += burn(k)
            await Task.yield()
            n += burn(k + 1)
            return n
          }
        }
        @inline(never) func generic<T: Hashable>(_ xs: [T]) -> Int {
          var d: [T: Int] = [:]
          for x in xs { d[x, default: 0] += 1 }
          return d.count
        }
        @main struct Main {
          static func main() async {
            let s = Settlement()
            s.items = (0..<1000).map { $0 }
            let ledger = Ledger()
            print(s.run(), burn(7), await ledger.bump(4), generic([1, 2]), generic(["a"]))
          }
        }
        """

    /// The program's symbols: what `nm` says of its functions, by name.
    func functions() throws -> [String: UInt64] {
        let text = try #require(Self.run("nm", ["--defined-only", path]))
        var addressOf: [String: UInt64] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 3, parts[1].lowercased() == "t",
                let address = UInt64(parts[0], radix: 16)
            else { continue }
            addressOf[String(parts[2])] = address
        }
        return addressOf
    }

    func symbols() throws -> ImageSymbols {
        ImageSymbols([try ElfImage(path: path)], module: "program")
    }
}
