// SPDX-License-Identifier: Apache-2.0
// Turns stored addresses into names, from whatever files of an image there are, and remembers them.

package import SondeModel
internal import Synchronization

/// Names for the addresses of many images.
///
/// Files are looked for by build id when an address of an image is asked for first. Answers are
/// kept until ``imageArrived(_:)`` says that there is more to know. All calls may come from any
/// thread; threads wait for each other only within one image.
package final class CachingSymbolizer: SymbolResolver {
    private let locate: @Sendable (BuildID) -> [String]
    private let limits: SymbolLimits
    private let maxImages: Int
    private let state = Mutex(State())

    private struct State {
        var images: [BuildID: CachedImage] = [:]
        var lastUse: [BuildID: UInt64] = [:]
        var clock: UInt64 = 0
        var imagesWithoutBuildID: Set<String> = []
    }

    /// A symbolizer that knows nothing yet.
    ///
    /// - Parameters:
    ///   - limits: How much of an image is looked at.
    ///   - maxImages: How many images stay open, with up to 2^17 answers each; of more, the one
    ///     that was not asked for the longest is forgotten.
    ///   - locate: The files of a build id: the program itself, its split-off debug info, or both.
    ///     Files of another build id are left aside. They must not change while they are in use.
    package init(
        limits: SymbolLimits = SymbolLimits(), maxImages: Int = 64,
        locate: @escaping @Sendable (BuildID) -> [String]
    ) {
        self.limits = limits
        self.maxImages = max(1, maxImages)
        self.locate = locate
    }

    package func frames(image: ImageID, offset: FileOffset) -> [Frame] {
        // The kernel maps it into every process; there is no file, and nothing worth telling apart.
        if image.name.hasPrefix("[") {
            return [Frame(name: image.name, module: image.name, kind: .unresolved)]
        }
        guard let buildID = image.buildID else {
            state.withLock { state in
                guard !image.path.isEmpty, state.imagesWithoutBuildID.count < 256 else { return }
                state.imagesWithoutBuildID.insert(image.path)
            }
            return [Self.unresolved(image, offset)]
        }
        let frames = cachedImage(buildID, image: image).frames(at: offset) { [limits, locate] in
            Self.load(image, files: locate(buildID), limits: limits)
        }
        return frames.isEmpty ? [Self.unresolved(image, offset)] : frames
    }

    /// Forgets what is known of an image, because a file of it has come in.
    package func imageArrived(_ buildID: BuildID) {
        state.withLock { state in
            state.images[buildID] = nil
            state.lastUse[buildID] = nil
        }
    }

    /// Images whose addresses have poor names, in order of their paths.
    package var notes: [ImageNote] {
        let (images, unnamed) = state.withLock {
            (Array($0.images.values), $0.imagesWithoutBuildID)
        }
        let notes =
            images.compactMap(\.note)
            + unnamed.map { ImageNote(image: ImageID(buildID: nil, path: $0), lack: .buildID) }
        return notes.sorted { $0.image.path < $1.image.path }
    }

    /// What is missing of one image, as far as its addresses were asked for.
    package func note(for image: ImageID) -> ImageNote? {
        guard let buildID = image.buildID else {
            let isKnown = state.withLock { $0.imagesWithoutBuildID.contains(image.path) }
            return isKnown ? ImageNote(image: image, lack: .buildID) : nil
        }
        return state.withLock { $0.images[buildID] }?.note
    }

    /// How many images and answers are in memory.
    package var figures: (images: Int, answers: Int) {
        let images = state.withLock { Array($0.images.values) }
        return (images.count, images.reduce(0) { $0 + $1.answerCount })
    }

    private func cachedImage(_ buildID: BuildID, image: ImageID) -> CachedImage {
        state.withLock { state in
            state.clock += 1
            state.lastUse[buildID] = state.clock
            if let cached = state.images[buildID] { return cached }
            if state.images.count >= maxImages,
                let oldest = state.lastUse.filter({ $0.key != buildID }).min(by: {
                    $0.value < $1.value
                })
            {
                state.images[oldest.key] = nil
                state.lastUse[oldest.key] = nil
            }
            let cached = CachedImage()
            state.images[buildID] = cached
            return cached
        }
    }

    private static func load(
        _ image: ImageID, files: [String], limits: SymbolLimits
    ) -> (symbols: ImageSymbols?, note: ImageNote?) {
        var images: [ElfImage] = []
        var problem: String?
        for file in files {
            do {
                let candidate = try ElfImage(path: file, limits: limits)
                if candidate.buildID == image.buildID { images.append(candidate) }
            } catch {
                problem = String(describing: error)
            }
        }
        guard !images.isEmpty else {
            let lack = problem.map { ImageNote.Lack.readableFile(reason: $0) } ?? .file
            return (nil, ImageNote(image: image, lack: lack))
        }
        let symbols = ImageSymbols(images, module: image.name, limits: limits)
        var lack: ImageNote.Lack?
        if !images.contains(where: \.mapsCode) {
            lack = .loadMap
        } else if !symbols.hasDebugInfo {
            lack = symbols.hasSymbolTable ? .debugInfo : .symbols
        }
        return (symbols, lack.map { ImageNote(image: image, lack: $0) })
    }

    private static func unresolved(_ image: ImageID, _ offset: FileOffset) -> Frame {
        let address = "0x" + String(offset.rawValue, radix: 16)
        return Frame(
            name: image.name.isEmpty ? address : "\(image.name)+\(address)", module: image.name,
            kind: .unresolved)
    }
}

/// One image's files and the answers that they gave.
private final class CachedImage: Sendable {
    private let content = Mutex(Content())

    private struct Content {
        var isLoaded = false
        var symbols: ImageSymbols?
        var note: ImageNote?
        var answers: [FileOffset: [Frame]] = [:]
    }

    private static let maxAnswers = 1 << 17

    var note: ImageNote? { content.withLock { $0.note } }
    var answerCount: Int { content.withLock { $0.answers.count } }

    /// The frames at an offset, or none when nothing is known.
    ///
    /// `load` is called once, at first.
    func frames(
        at offset: FileOffset,
        load: @Sendable () -> (symbols: ImageSymbols?, note: ImageNote?)
    ) -> [Frame] {
        content.withLock { content in
            if let frames = content.answers[offset] { return frames }
            if !content.isLoaded {
                (content.symbols, content.note) = load()
                content.isLoaded = true
            }
            let frames = content.symbols?.frames(at: offset) ?? []
            if content.answers.count >= Self.maxAnswers { content.answers = [:] }
            content.answers[offset] = frames
            return frames
        }
    }
}
