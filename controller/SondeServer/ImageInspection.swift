// SPDX-License-Identifier: Apache-2.0
// What SondeSymbols finds in an uploaded file, in the API's words.

internal import Foundation
internal import SondeAPI
internal import SondeModel
internal import SondeSymbols

/// Looks into ELF files from outside.
enum ImageInspection {
    /// What a file holds.
    ///
    /// - Throws: ``APIError`` `invalidArgument` when it is no program or library in ELF.
    @Sendable static func facts(_ path: String) throws(APIError) -> ImageFacts {
        try checkWhole(path)
        do throws(SymbolError) {
            let image = try ElfImage(path: path)
            return ImageFacts(
                buildID: image.buildID, hasDebugInfo: image.hasDebugInfo,
                hasSymbols: image.hasSymbolTable, isImage: image.mapsCode)
        } catch {
            // Where the controller keeps the file is nobody's business.
            let words = error.description.replacing(" " + path, with: "")
            throw APIError(.invalidArgument, words)
        }
    }

    /// Refuses a file that was cut short.
    ///
    /// The table of sections stands at the end of a file, and libelf opens files without it. Only
    /// 64-bit little-endian files are looked at. Source: elf(5), `Elf64_Ehdr`.
    private static func checkWhole(_ path: String) throws(APIError) {
        guard let file = FileHandle(forReadingAtPath: path) else { return }
        defer { try? file.close() }
        guard let size = try? file.seekToEnd(), (try? file.seek(toOffset: 0)) != nil,
            let header = (try? file.read(upToCount: 64)).map({ Array($0) }), header.count == 64,
            header[4] == 2, header[5] == 1
        else { return }
        func number(_ offset: Int, _ count: Int) -> UInt64 {
            header[offset..<offset + count].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let (end, overflow) = number(0x28, 8).addingReportingOverflow(
            number(0x3A, 2) * number(0x3C, 2))
        guard !overflow, end <= size else {
            throw APIError(
                .invalidArgument,
                "cannot read the image: got \(size) bytes of a file of at least \(end); want all of it"
            )
        }
    }

    /// What readers of these stacks should know about missing names.
    static func notes(_ stacks: LocationTree, _ symbols: CachingSymbolizer) -> [String] {
        var images: Set<ImageID> = []
        for case .address(let image, _) in stacks.keys { images.insert(image) }
        let notes = images.compactMap { symbols.note(for: $0) }
        let sorted = notes.sorted { $0.image.path < $1.image.path }.map(\.description)
        guard sorted.count > noteLimit else { return sorted }
        return sorted.prefix(noteLimit) + ["and \(sorted.count - noteLimit) more images"]
    }

    private static let noteLimit = 20
}
