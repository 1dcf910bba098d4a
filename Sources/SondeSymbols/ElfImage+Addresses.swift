// SPDX-License-Identifier: Apache-2.0
// Turns offsets in an image's file into the addresses that its symbols use.

package import SondeModel

extension ElfImage {
    /// Whether offsets can be turned into addresses.
    ///
    /// They cannot in a file that `objcopy --only-keep-debug` made: it cuts the segments short.
    package var mapsCode: Bool {
        // SHF_ALLOC and SHF_EXECINSTR: the sections that hold code.
        let code = sections.filter { $0.flags & 6 == 6 && $0.size > 0 }
        guard !code.isEmpty else { return segments.contains { $0.isExecutable && $0.fileSize > 0 } }
        return code.allSatisfy { section in
            segments.contains { segment in
                section.address >= segment.address
                    && section.address - segment.address < segment.fileSize
            }
        }
    }

    /// The address of a byte of the file, or `nil` when no segment loads it.
    package func address(of offset: FileOffset) -> ImageAddress? {
        for segment in segments where offset.rawValue >= segment.offset {
            let distance = offset.rawValue - segment.offset
            if distance < segment.fileSize { return ImageAddress(segment.address &+ distance) }
        }
        return nil
    }

    /// The byte of the file that is loaded at an address, or `nil` when there is none.
    package func offset(of address: ImageAddress) -> FileOffset? {
        for segment in segments where address.rawValue >= segment.address {
            let distance = address.rawValue - segment.address
            if distance < segment.fileSize { return FileOffset(segment.offset &+ distance) }
        }
        return nil
    }
}
