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
        #expect(image.lines(at: offset) == [8, 5, 2].map { SourceLine(file: file, line: $0) })
    }

    @Test func aLineOfItsOwnStandsAlone() throws {
        let (image, elf, file) = try image()
        let place = try #require(image.places(file: file, line: 9).first)
        let offset = try #require(elf.offset(of: place.address))
        #expect(image.lines(at: offset) == [SourceLine(file: file, line: 9)])
        #expect(image.lines(at: FileOffset(0)).isEmpty)
        #expect(image.lines(at: FileOffset(.max)).isEmpty)
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
