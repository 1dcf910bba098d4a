// SPDX-License-Identifier: Apache-2.0
// Images as the loader tells them, against the kernel's map; and notes that lie.

import Glibc
import SondeModel
import Testing

@testable import SondeSampling

@Suite struct LoadedImages {
    @Test func everyExecutableSegmentIsInTheKernelsMap() throws {
        let subject = try Subject.run("images")
        subject.expectDone()
        #expect(subject.facts["program"]?.hasSuffix("/sampling-subject") == true)
        #expect(try subject.number("vdso") == 1)
        #expect(try subject.number("holds") == 1, "the program's text holds its functions")
        #expect(try subject.number("build.ids") >= subject.number("count") * 0.8)
        // `start-end r-xp offset` of the program's own file.
        let lines = subject.output.split(separator: "\n").map(String.init)
        let mapped = lines.filter { $0.contains(" r-xp ") && $0.hasSuffix("/sampling-subject") }
        let segments = lines.filter { $0.hasPrefix("segment ") }.map { $0.dropFirst(8) }
        #expect(!segments.isEmpty)
        for segment in segments {
            let parts = segment.split(separator: " ")
            let line = try #require(mapped.first { $0.hasPrefix(parts[0]) }, "\(segment)")
            let offset = UInt64(line.split(separator: " ")[2], radix: 16)
            #expect(offset == UInt64(parts[1]))
        }
    }

    @Test func imagesThatDoNotAddUpAreLeftOut() {
        var header = Elf64_Phdr()
        header.p_type = UInt32(PT_LOAD)
        header.p_flags = UInt32(PF_R | PF_X)
        header.p_vaddr = .max - 10
        header.p_memsz = 4096
        let wrapping = ImageHeaders(path: "a", bias: 0, programHeaders: [header])
        #expect(LoadedImage(headers: wrapping, vdso: 0) == nil)
        let empty = ImageHeaders(path: "b", bias: 0, programHeaders: [])
        #expect(LoadedImage(headers: empty, vdso: 0) == nil)
        // A note outside of any segment, at an address that is not mapped.
        header.p_vaddr = 0x10000
        var note = Elf64_Phdr()
        note.p_type = UInt32(PT_NOTE)
        note.p_vaddr = 0x10000
        note.p_memsz = 64
        let unmapped = ImageHeaders(path: "c", bias: 0, programHeaders: [header, note])
        #expect(LoadedImage(headers: unmapped, vdso: 0)?.buildID == nil)
    }

    @Test(
        arguments: [
            ([], nil),
            ([4, 0, 0, 0], nil),
            (note(name: "GNU\0", type: 3, [1, 2, 3, 4]), "01020304"),
            (
                note(name: "GNU\0", type: 1, [9, 9, 9]) + note(name: "GNU\0", type: 3, [1, 2]),
                "0102"
            ),
            (note(name: "Go\0\0", type: 3, [1, 2, 3, 4]), nil),
            (note(name: "GNU\0", type: 3, []), nil),
            (Array(note(name: "GNU\0", type: 3, [1, 2, 3, 4]).dropLast()), nil),
            ([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0, 71, 78, 85, 0], nil),
            ([4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 3, 0, 0, 0, 71, 78, 85, 0], nil),
        ] as [([UInt8], String?)])
    func aBuildIDIsReadFromNotes(bytes: [UInt8], hex: String?) {
        #expect(NoteReader.buildID(in: bytes)?.description == hex)
    }

    private static func note(name: String, type: UInt8, _ description: [UInt8]) -> [UInt8] {
        let padding = [UInt8](repeating: 0, count: (4 - description.count % 4) % 4)
        return [UInt8(name.utf8.count), 0, 0, 0, UInt8(description.count), 0, 0, 0, type, 0, 0, 0]
            + Array(name.utf8) + description + padding
    }
}
