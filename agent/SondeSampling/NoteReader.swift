// SPDX-License-Identifier: Apache-2.0
// Finds the build id among the notes of an ELF image.

internal import SondeModel

/// Reads ELF notes: (name size, description size, type, name, description), padded to 4 bytes.
enum NoteReader {
    private static let gnuBuildID: UInt32 = 3
    private static let gnuName: [UInt8] = [0x47, 0x4e, 0x55, 0x00]

    /// The first `NT_GNU_BUILD_ID` among the notes, or `nil`.
    ///
    /// Source: System V ABI, "Note Section"; little-endian as x86-64 is.
    static func buildID(in notes: [UInt8]) -> BuildID? {
        var place = 0
        while let nameSize = word(of: notes, at: place),
            let descriptionSize = word(of: notes, at: place + 4),
            let type = word(of: notes, at: place + 8)
        {
            let nameStart = place + 12
            // Sizes are below 2^32, so these sums stay far inside 63 bits.
            let descriptionStart = nameStart + padded(Int(nameSize))
            let descriptionEnd = descriptionStart + Int(descriptionSize)
            guard descriptionEnd <= notes.count else { return nil }
            if type == gnuBuildID, Int(nameSize) == gnuName.count,
                notes[nameStart..<nameStart + gnuName.count].elementsEqual(gnuName)
            {
                return BuildID(bytes: Array(notes[descriptionStart..<descriptionEnd]))
            }
            place = descriptionStart + padded(Int(descriptionSize))
        }
        return nil
    }

    private static func padded(_ size: Int) -> Int { (size + 3) & ~3 }

    private static func word(of bytes: [UInt8], at place: Int) -> UInt32? {
        guard place >= 0, place <= bytes.count - 4 else { return nil }
        return UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8
            | UInt32(bytes[place + 2]) << 16 | UInt32(bytes[place + 3]) << 24
    }
}
