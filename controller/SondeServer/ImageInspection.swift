// SPDX-License-Identifier: Apache-2.0
// What SondeSymbols finds in an uploaded file, in the API's words.

internal import SondeAPI
internal import SondeModel
internal import SondeSymbols

/// Looks into ELF files from outside.
enum ImageInspection {
    /// What a file holds.
    ///
    /// - Throws: ``APIError`` `invalidArgument` when it is no program or library in ELF.
    @Sendable static func facts(_ path: String) throws(APIError) -> ImageFacts {
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
