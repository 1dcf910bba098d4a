// SPDX-License-Identifier: Apache-2.0
// Reads the build id out of an ELF file, to see whether a file is the one that is loaded.

internal import Glibc
internal import SondeModel

/// Reads the notes of an ELF file of 64 bits and little-endian order.
enum ELFFileNotes {
    private static let maximumNoteBytes: UInt64 = 65_536
    private static let noteSegment: UInt64 = 4
    private static let buildIDNote: UInt64 = 3

    /// The build id in an open file, or `nil` when it is no such file or has none.
    ///
    /// Source: System V ABI, "ELF Header", "Program Header" and "Note Section".
    static func buildID(ofFile file: Int32) -> BuildID? {
        guard let header = read(file, at: 0, count: 64),
            header.starts(with: [0x7F, 0x45, 0x4C, 0x46, 2, 1]),
            let tableOffset = number(header, at: 32, size: 8),
            let entrySize = number(header, at: 54, size: 2),
            let entryCount = number(header, at: 56, size: 2), (56...256).contains(entrySize),
            // At most 256 KiB; an offset beyond the file fails to be read.
            let table = read(file, at: tableOffset, count: entrySize * min(entryCount, 1024))
        else { return nil }
        for index in 0..<Int(min(entryCount, 1024)) {
            let start = index * Int(entrySize)
            guard number(table, at: start, size: 4) == noteSegment,
                let offset = number(table, at: start + 8, size: 8),
                let size = number(table, at: start + 32, size: 8),
                let notes = read(file, at: offset, count: min(size, maximumNoteBytes))
            else { continue }
            if let buildID = buildID(in: notes) { return buildID }
        }
        return nil
    }

    private static func buildID(in notes: [UInt8]) -> BuildID? {
        var place = 0
        while let nameSize = number(notes, at: place, size: 4),
            let size = number(notes, at: place + 4, size: 4),
            let type = number(notes, at: place + 8, size: 4)
        {
            // Both sizes are below 2^32, so no sum here comes near the end of Int.
            let name = place + 12
            let content = name + padded(Int(nameSize))
            let end = content + Int(size)
            guard end <= notes.count else { return nil }
            if type == buildIDNote, notes[name..<content].starts(with: [0x47, 0x4E, 0x55, 0]) {
                return BuildID(bytes: Array(notes[content..<end]))
            }
            place = content + padded(Int(size))
        }
        return nil
    }

    private static func padded(_ size: Int) -> Int { (size + 3) & ~3 }

    private static func number(_ bytes: [UInt8], at place: Int, size: Int) -> UInt64? {
        guard place >= 0, place <= bytes.count - size else { return nil }
        return bytes[place..<place + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private static func read(_ file: Int32, at offset: UInt64, count: UInt64) -> [UInt8]? {
        guard let start = off_t(exactly: offset), count > 0, count <= 1 << 26 else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(count))
        let got = pread(file, &bytes, bytes.count, start)
        return got == bytes.count ? bytes : nil
    }
}
