// SPDX-License-Identifier: Apache-2.0
// Files that are no images, or broken ones, get an error or poor answers: never a crash or a hang.

import Foundation
import SondeModel
import SondeSymbols
import Testing

@Suite struct HostileImageTests {
    static func write(_ bytes: some Sequence<UInt8>, _ name: String) throws -> String {
        let path = "\(CompiledProgram.folder)/\(name)"
        // A new file each time: the old one may still be mapped.
        try? FileManager.default.removeItem(atPath: path)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        return path
    }

    static func refusal(_ path: String, _ limits: SymbolLimits = SymbolLimits()) -> SymbolError? {
        do {
            _ = try ElfImage(path: path, limits: limits)
            return nil
        } catch {
            return error
        }
    }

    @Test func whatIsNoImageIsRefusedWithTheReason() throws {
        let folder = CompiledProgram.folder
        let missing = Self.refusal("\(folder)/missing")
        #expect("\(try #require(missing))".contains("No such file"))
        #expect("\(try #require(Self.refusal(folder)))".contains("not a regular file"))
        #expect(Self.refusal("/dev/null") != nil)
        let text = try Self.write("#!/bin/sh\n".utf8, "script")
        #expect("\(try #require(Self.refusal(text)))".contains("no ELF header"))
        #expect(Self.refusal(try Self.write([], "empty")) != nil)
        _ = try #require(CompiledProgram.run("mkfifo", ["\(folder)/pipe"]))
        #expect(Self.refusal("\(folder)/pipe") != nil)
    }

    @Test func objectFilesAreRefused() throws {
        let object = try CompiledProgram.compileC("int f(void) { return 1; }", "f.o", ["-c"])
        #expect(
            Self.refusal(object.path) == .wrongKind(path: object.path, kind: "an object file"))
    }

    @Test func filesBeyondTheLimitsAreRefused() throws {
        let program = try CompiledProgram.c(dwarf: 5)
        var limits = SymbolLimits()
        limits.fileBytes = 100
        #expect(
            Self.refusal(program.path, limits)
                == .tooLarge(path: program.path, what: "bytes", limit: 100))
    }

    @Test func compressedDebugInfoIsReadAndABombIsNot() throws {
        let program = try CompiledProgram.c(dwarf: 5)
        let packed = try program.copy("packed", "objcopy", ["--compress-debug-sections=zlib"])
        let outer = try #require(try program.functions()["outer"])
        for address in outer..<outer + 40 {
            #expect(
                try packed.symbols().frames(at: ImageAddress(address))
                    == program.symbols().frames(at: ImageAddress(address)))
        }
        var limits = SymbolLimits()
        limits.expandedBytes = 16
        #expect(
            Self.refusal(packed.path, limits)
                == .tooLarge(path: packed.path, what: "bytes of debug info", limit: 16))
    }

    /// Opens a file and asks for addresses all over it; only that it returns matters.
    static func use(_ path: String) {
        guard let image = try? ElfImage(path: path) else { return }
        let symbols = ImageSymbols([image], module: "m")
        for offset in stride(from: UInt64(0), to: 8192, by: 61) {
            _ = symbols.frames(at: FileOffset(offset))
            _ = symbols.frames(at: ImageAddress(offset))
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [4, 5])
    func everyTruncationIsHarmless(dwarf version: Int) throws {
        let bytes = try Data(
            contentsOf: URL(fileURLWithPath: CompiledProgram.c(dwarf: version).path))
        for length in stride(from: 0, to: bytes.count, by: 53) {
            Self.use(try Self.write(bytes.prefix(length), "truncated-\(version)"))
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [4, 5])
    func mutatedSectionsAreHarmless(dwarf version: Int) throws {
        let path = try CompiledProgram.c(dwarf: version).path
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        let sections = Self.sections(of: bytes)
        #expect(sections.count > 20)
        var generator = SplitMix(seed: UInt64(version))
        for _ in 0..<1000 {
            var mutated = bytes
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                guard let section = sections.randomElement(using: &generator) else { continue }
                let place = Int.random(in: section, using: &generator)
                mutated[place] =
                    Bool.random(using: &generator)
                    ? UInt8.random(in: 0...255, using: &generator)
                    : mutated[place] ^ (1 << UInt8.random(in: 0..<8, using: &generator))
            }
            Self.use(try Self.write(mutated, "mutated-\(version)"))
        }
    }

    /// Where the sections lie in a 64-bit little-endian file, and the table of them.
    static func sections(of image: [UInt8]) -> [Range<Int>] {
        func number(_ offset: Int, _ size: Int) -> Int {
            image[offset..<offset + size].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let table = number(0x28, 8)
        var ranges = [table..<image.count, 0..<64]
        for header in stride(from: table, to: table + number(0x3C, 2) * 64, by: 64) {
            let (type, start, size) = (
                number(header + 4, 4), number(header + 24, 8), number(header + 32, 8)
            )
            if type != 8, size > 0 { ranges.append(start..<start + size) }
        }
        return ranges
    }
}
