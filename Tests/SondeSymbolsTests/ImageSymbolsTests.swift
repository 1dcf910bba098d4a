// SPDX-License-Identifier: Apache-2.0
// Names of addresses in programs that are compiled on the spot, compared with llvm-symbolizer's.

import Foundation
import SondeModel
import SondeSymbols
import Testing

@Suite struct ImageSymbolsTests {
    /// The system names at an address, outermost first, as llvm-symbolizer has them.
    static func oracle(_ program: CompiledProgram, _ addresses: [UInt64]) -> [UInt64: [String]]? {
        let input = addresses.map { "0x" + String($0, radix: 16) + "\n" }.joined()
        let arguments = ["--no-demangle", "--inlines", "--functions=linkage", "-e", program.path]
        guard let text = CompiledProgram.run("llvm-symbolizer", arguments, input: input) else {
            return nil
        }
        // An answer is a pair of lines, name and place, for each frame, and then an empty line.
        let answers = text.components(separatedBy: "\n\n").prefix(addresses.count)
        guard answers.count == addresses.count else { return nil }
        var names: [UInt64: [String]] = [:]
        for (address, answer) in zip(addresses, answers) {
            let lines = answer.split(separator: "\n")
            names[address] = stride(from: 0, to: lines.count, by: 2).map { String(lines[$0]) }
                .reversed()
        }
        return names
    }

    /// Whether an inlined call only passes on to the standard library: a witness, a partial
    /// application or a reabstraction by its last letters.
    static func isGlue(_ name: String) -> Bool {
        if name.hasPrefix("$s"), name.hasSuffix("TR") { return true }
        return name.contains(/^\$s(s|S[a-zA-Z])/) && (name.hasSuffix("TW") || name.hasSuffix("TA"))
    }

    /// Compares all addresses of functions that debug info knows, and returns how many there were
    /// and the deepest stack of inlined calls.
    static func compare(_ program: CompiledProgram) throws -> (count: Int, depth: Int) {
        let symbols = try program.symbols()
        var addresses: Set<UInt64> = []
        for (_, start) in try program.functions() {
            for offset in stride(from: 0, to: 160, by: 3) {
                addresses.insert(start + UInt64(offset))
            }
        }
        let sorted = addresses.sorted()
        let wanted = try #require(oracle(program, sorted), "llvm-symbolizer is missing")
        var compared = 0
        var depth = 0
        for address in sorted {
            let frames = symbols.frames(at: ImageAddress(address))
            guard let names = wanted[address], names != ["??"], frames.last?.file.isEmpty == false
            else { continue }
            let want = names.prefix(1) + names.dropFirst().filter { !isGlue($0) }
            compared += 1
            depth = max(depth, frames.count)
            #expect(
                frames.map(\.systemName) == Array(want),
                "at 0x\(String(address, radix: 16)) of \(program.path)")
        }
        return (compared, depth)
    }

    /// Whether the peer is installed; `make deps-test` sees to it.
    static let hasOracle = CompiledProgram.run("llvm-symbolizer", ["--version"]) != nil

    @Test(.enabled(if: hasOracle, "llvm-symbolizer is missing"), arguments: [4, 5])
    func inlinedCallsOfCAreThoseThatLLVMSymbolizerFinds(dwarf version: Int) throws {
        let (count, depth) = try Self.compare(CompiledProgram.c(dwarf: version))
        #expect(count > 30)
        #expect(depth == 3)
    }

    @Test(.enabled(if: hasOracle, "llvm-symbolizer is missing"))
    func inlinedCallsOfSwiftAreThoseThatLLVMSymbolizerFinds() throws {
        let (count, depth) = try Self.compare(CompiledProgram.swift.get())
        #expect(count > 300)
        #expect(depth >= 3)
    }

    @Test(arguments: [4, 5])
    func framesCarryFileLineKindAndModule(dwarf version: Int) throws {
        let program = try CompiledProgram.c(dwarf: version)
        let outer = try #require(try program.functions()["outer"])
        let symbols = try program.symbols()
        #expect(symbols.hasDebugInfo)
        let deepest = (0..<80).map { symbols.frames(at: ImageAddress(outer + $0)) }
            .max { $0.count < $1.count }
        let frames = try #require(deepest)
        #expect(frames.map(\.name) == ["outer", "middle", "innermost"])
        #expect(frames.map(\.kind) == [.function, .inlined, .inlined])
        #expect(frames.map(\.startLine) == [10, 6, 2])
        #expect(frames.allSatisfy { $0.file.hasSuffix("/inlined\(version).c") })
        #expect(frames.allSatisfy { $0.file.hasPrefix("/") })
        #expect(frames.allSatisfy { $0.module == "program" })
    }

    @Test func glueAroundTheStandardLibraryCountsAsItsCaller() throws {
        let program = try CompiledProgram.compile(
            "swiftc",
            """
            struct Money: Equatable {
              var cents: Int
              @inline(never) static func == (a: Money, b: Money) -> Bool { a.cents == b.cents }
            }
            @inline(never) func occurrences<T: Equatable>(_ all: [T], of one: T) -> Int {
              var count = 0
              for each in all where each == one { count += 1 }
              return count
            }
            print(occurrences(Array(0..<CommandLine.argc), of: 1))
            print(occurrences([Money(cents: 1)], of: Money(cents: Int(CommandLine.argc))))
            """, "glue.swift", "glue", ["-O", "-g"])
        let symbols = try program.symbols()
        var inlined: [String: String] = [:]
        var callers: Set<String> = []
        for (_, start) in try program.functions() {
            for offset in 0..<UInt64(400) {
                let frames = symbols.frames(at: ImageAddress(start + offset))
                for frame in frames where frame.kind == .inlined {
                    inlined[frame.systemName] = frame.name
                }
                callers.formUnion(frames.prefix(1).map(\.name))
            }
        }
        let names = try #require(CompiledProgram.run("llvm-dwarfdump", ["-i", program.path]))
        // The debug info has the glue that is not shown, or this would test nothing.
        #expect(names.contains("$ss5Int32VSQsSQ2eeoiySbx_xtFZTW"))
        #expect(inlined["$ss5Int32VSQsSQ2eeoiySbx_xtFZTW"] == nil)
        #expect(!inlined.keys.contains(where: Self.isGlue), "\(inlined)")
        #expect(callers.contains("occurrences<A>(_:of:)"))
        // Glue around the program's own functions stays, inlined or not.
        let own = Array(inlined.values) + callers
        #expect(own.contains { $0.hasPrefix("protocol witness for") && $0.hasSuffix("Money") })
    }

    @Test func swiftNamesReadWell() throws {
        let program = try CompiledProgram.swift.get()
        let symbols = try program.symbols()
        var names: Set<String> = []
        var files: Set<String> = []
        for (_, start) in try program.functions() {
            for offset in 0..<UInt64(40) {
                for frame in symbols.frames(at: ImageAddress(start + offset * 4)) {
                    names.insert(frame.name)
                    files.insert(frame.file)
                }
            }
        }
        #expect(
            names.isSuperset(of: [
                "burn(_:)", "inner(_:)", "deeper(_:)", "Settlement.run()", "Ledger.bump(_:)",
                "generic<A>(_:)", "closure #1 in Settlement.run()",
            ]))
        #expect(!names.contains { $0.contains("specialized") || $0.contains("resume partial") })
        #expect(files.contains { $0.hasSuffix("/settle.swift") })
    }

    @Test func aStrippedProgramAndItsDebugFileTogetherSayWhatTheWholeProgramSays() throws {
        for tool in ["objcopy", "llvm-objcopy"]
        where CompiledProgram.run(tool, ["--version"]) != nil {
            let whole = try CompiledProgram.c(dwarf: 5)
            let stripped = try whole.copy("\(tool)-stripped", tool, ["--strip-all"])
            let debug = try whole.copy("\(tool)-debug", tool, ["--only-keep-debug"])
            let images = try [stripped, debug].map { try ElfImage(path: $0.path) }
            #expect(images.map(\.hasDebugInfo) == [false, true])
            #expect(images.map(\.mapsCode) == [true, false])
            #expect(images.allSatisfy { $0.buildID != nil && $0.buildID == images[0].buildID })
            let outer = try #require(try whole.functions()["outer"])
            let wholeImage = try ElfImage(path: whole.path)
            for pair in [images, images.reversed()] {
                let symbols = ImageSymbols(pair, module: "program")
                for address in outer..<outer + 60 {
                    let offset = try #require(wholeImage.offset(of: ImageAddress(address)))
                    let want = try whole.symbols().frames(at: offset)
                    #expect(symbols.frames(at: offset) == want)
                    #expect(!want.isEmpty)
                }
            }
        }
    }

    @Test func aProgramWithoutDebugInfoHasItsFunctionsNames() throws {
        let bare = try CompiledProgram.c(dwarf: 4).copy("bare", "objcopy", ["--strip-debug"])
        let symbols = try bare.symbols()
        #expect(!symbols.hasDebugInfo)
        #expect(symbols.hasSymbolTable)
        let lonely = try #require(try bare.functions()["lonely"])
        let frames = symbols.frames(at: ImageAddress(lonely + 3))
        #expect(
            frames == [Frame(name: "lonely", systemName: "lonely", module: "program")])
    }

    @Test func aStrippedLibraryHasItsExportedFunctionsNamesWithoutVersions() throws {
        let script = CompiledProgram.folder + "/versions.map"
        try "SONDE_1.0 { global: exported; local: *; };"
            .write(toFile: script, atomically: true, encoding: .utf8)
        let library = try CompiledProgram.compileC(
            "int hidden(int x) { return x * 7; }\nint exported(int x) { return hidden(x) + 1; }",
            "versioned.so",
            ["-shared", "-fPIC", "-O0", "-Wl,--build-id", "-Wl,--version-script=\(script)"])
        let addressOf = try library.functions()
        let stripped = try library.copy("stripped", "objcopy", ["--strip-all"])
        let symbols = try stripped.symbols()
        #expect(!symbols.hasSymbolTable)
        let exported = try #require(addressOf["exported"])
        #expect(symbols.frames(at: ImageAddress(exported + 4)).map(\.name) == ["exported"])
        let hidden = try #require(addressOf["hidden"])
        #expect(symbols.frames(at: ImageAddress(hidden + 4)).map(\.name) != ["exported"])
    }

    @Test func functionsOfAssemblyWithoutSizesReachToTheNextOne() throws {
        let program = try CompiledProgram.compile(
            "clang",
            """
            .text
            .globl first
            first: nop
            nop
            nop
            .globl second
            .type second, @function
            second: ret
            .globl main
            .type main, @function
            main: xor %eax, %eax
            ret
            """, "bare.s", "assembly", [])
        let addressOf = try program.functions()
        let symbols = try program.symbols()
        let first = try #require(addressOf["first"])
        #expect(symbols.frames(at: ImageAddress(first + 2)).map(\.name) == ["first"])
        #expect(symbols.frames(at: ImageAddress(first + 3)).map(\.name) == ["second"])
        #expect(symbols.frames(at: ImageAddress(first + 1 << 40)).isEmpty)
    }
}
