// SPDX-License-Identifier: Apache-2.0
// The lines that are being executed at an address, inlined calls included.

import Foundation
import SondeModel
import SondeSymbols
import Testing

@Suite struct LineChainTests {
    static let source = """
        static inline __attribute__((always_inline)) int twice(volatile int *p) {
            return *p * 2;
        }
        static inline __attribute__((always_inline)) int deep(volatile int *p) {
            return twice(p) + 1;
        }
        int outer(volatile int *p) {
            int sum = deep(p);
            return sum + *p;
        }
        int main(int argc, char **argv) { volatile int value = argc; (void)argv; return outer(&value); }
        """

    private func image() throws -> (ProbeImage, ElfImage, String) {
        let program = try CompiledProgram.compileC(
            Self.source, "chain", ["-g", "-O1", "-Wl,--build-id"])
        let image = try ProbeImage(path: program.path)
        return (
            image, try ElfImage(path: program.path),
            try #require(image.files(matching: "chain.c").first)
        )
    }

    @Test func anInlinedLineNamesTheLinesThatCalledIt() throws {
        let (image, elf, file) = try image()
        let place = try #require(
            image.places(file: file, line: 2).first { $0.inlinedInto.count == 2 })
        let offset = try #require(elf.offset(of: place.address))
        let chain = image.lines(at: offset)
        #expect(chain.lines == [8, 5, 2].map { SourceLine(file: file, line: $0) })
        #expect(chain.own == SourceLine(file: file, line: 2))
    }

    @Test func eachFunctionHasTheLineAtWhichItIs() throws {
        let (image, elf, file) = try image()
        let place = try #require(
            image.places(file: file, line: 2).first { $0.inlinedInto.count == 2 })
        let offset = try #require(elf.offset(of: place.address))
        #expect(
            image.functionLines(at: offset) == [
                FunctionLine(systemName: "outer", line: 8),
                FunctionLine(systemName: "deep", line: 5),
                FunctionLine(systemName: "twice", line: 2),
            ])
        let symbols = ImageSymbols([elf], module: "chain")
        #expect(
            symbols.frames(at: offset).map(\.systemName)
                == image.functionLines(at: offset).map(\.systemName))
        #expect(image.functionLines(at: FileOffset(0)).isEmpty)
        #expect(image.functionLines(at: FileOffset(.max)).isEmpty)
    }

    @Test func aLineOfItsOwnStandsAlone() throws {
        let (image, elf, file) = try image()
        let place = try #require(image.places(file: file, line: 9).first)
        let offset = try #require(elf.offset(of: place.address))
        let line = SourceLine(file: file, line: 9)
        #expect(image.lines(at: offset) == LineChain(lines: [line], own: line))
        #expect(image.lines(at: FileOffset(0)) == LineChain())
        #expect(image.lines(at: FileOffset(.max)) == LineChain())
    }

    /// Compilers give line 0 to what nobody wrote.
    @Test func codeWithoutALineStillNamesTheLinesThatCalledIt() throws {
        let source = """
            static inline __attribute__((always_inline)) int made(volatile int *p) {
            #line 0
                return *p * 3;
            #line 5
            }
            int outer(volatile int *p) {
                int sum = made(p);
                return sum + *p;
            }
            int main(int argc, char **argv) { volatile int n = argc; (void)argv; return outer(&n); }
            """
        let program = try CompiledProgram.compileC(
            source, "made", ["-g", "-O1", "-Wl,--build-id"])
        let image = try ProbeImage(path: program.path)
        let elf = try ElfImage(path: program.path)
        let file = try #require(image.files(matching: "made.c").first)
        let next = try #require(image.places(file: file, line: 8).first)
        // The instruction before line 8 begins is the last of the inlined call.
        let offset = try #require(elf.offset(of: ImageAddress(next.address.rawValue - 1)))
        let chain = image.lines(at: offset)
        #expect(chain == LineChain(lines: [SourceLine(file: file, line: 7)], own: nil))
    }

    /// Whoever reads lines and functions side by side finds the same value in both.
    @Test func glueThatCountsForItsCallerIsOnItsCallersLine() throws {
        let source = """
            @inline(never) func most(_ numbers: [Int]) -> Int {
                var best = 0
                for number in numbers where number != 3 {
                    best = max(best, number)
                }
                return best
            }
            print(most(CommandLine.arguments.map { $0.count }))
            """
        let program = try CompiledProgram.compile(
            "swiftc", source, "glue.swift", "glue", ["-g", "-O"])
        let elf = try ElfImage(path: program.path)
        let image = try ProbeImage(path: program.path)
        let symbols = ImageSymbols([elf], module: "glue")
        let file = try #require(image.files(matching: "glue.swift").first)
        let places = image.linesWithCode(in: file).flatMap { image.places(file: file, line: $0) }
        let start = try #require(places.map(\.address.rawValue).min())
        let end = try #require(places.map(\.address.rawValue).max())
        var compared = 0
        for address in start...end {
            guard let offset = elf.offset(of: ImageAddress(address)),
                let function = symbols.frames(at: offset).last,
                let own = image.lines(at: offset).own, own.file == file
            else { continue }
            #expect(function.file == file, "0x\(String(address, radix: 16)): \(function.name)")
            compared += 1
        }
        #expect(compared > 20)
    }

    @Test func linesTellHowMuchCodeTheyHave() throws {
        let (image, _, file) = try image()
        let code = image.code(of: file)
        let two = try #require(code[2])
        #expect(two.bytes > 0 && two.bytes < 200 && two.runs >= 1 && two.isStatement)
        #expect(code[3] == nil)
        #expect(Set(code.filter(\.value.isStatement).keys) == Set(image.linesWithCode(in: file)))
        #expect(image.code(of: "no such file").isEmpty)
    }
}
