// SPDX-License-Identifier: Apache-2.0
// What is known of the uploaded images, without looking at the disk for each question.

package import SondeModel
package import SondeStore
internal import Synchronization

/// What a look into an ELF file found.
package struct ImageFacts: Hashable, Sendable {
    /// The build id in the file; `nil` when it has none.
    package var buildID: BuildID?
    /// Whether it has DWARF debug info.
    package var hasDebugInfo: Bool
    /// Whether it has a symbol table.
    package var hasSymbols: Bool
    /// Whether it is the image that runs, and not only its split-off debug info.
    package var isImage: Bool

    /// Facts from their parts.
    package init(buildID: BuildID?, hasDebugInfo: Bool, hasSymbols: Bool, isImage: Bool) {
        self.buildID = buildID
        self.hasDebugInfo = hasDebugInfo
        self.hasSymbols = hasSymbols
        self.isImage = isImage
    }

    /// Whether nothing more can be learned from another file.
    var isComplete: Bool { hasDebugInfo && hasSymbols && isImage }

    /// What both files hold together.
    func joined(with other: ImageFacts) -> ImageFacts {
        ImageFacts(
            buildID: buildID, hasDebugInfo: hasDebugInfo || other.hasDebugInfo,
            hasSymbols: hasSymbols || other.hasSymbols, isImage: isImage || other.isImage)
    }
}

/// The uploaded images, and what is known of each.
package final class ImageCatalog: Sendable {
    /// Looks into a file.
    package typealias Inspector = @Sendable (_ path: String) throws(APIError) -> ImageFacts

    /// The files.
    package let store: ImageStore
    private let inspect: Inspector
    private let arrived: @Sendable (BuildID) -> Void
    /// What the files of each build id hold together; `nil` until somebody asked.
    private let facts: Mutex<[BuildID: ImageFacts?]>

    /// A catalog of a store's images.
    ///
    /// - Parameters:
    ///   - store: The files.
    ///   - inspect: Looks into a file.
    ///   - arrived: Called after an image came.
    package init(
        _ store: ImageStore, inspect: @escaping Inspector,
        arrived: @escaping @Sendable (BuildID) -> Void = { _ in }
    ) {
        self.store = store
        self.inspect = inspect
        self.arrived = arrived
        facts = Mutex(
            Dictionary(
                store.list().map { ($0.buildID, nil) }, uniquingKeysWith: { first, _ in first }))
    }

    /// How many build ids have an image.
    package var count: Int { facts.withLock { $0.count } }

    /// Whether there is any file of a build id.
    package func contains(_ buildID: BuildID) -> Bool { facts.withLock { $0[buildID] != nil } }

    /// Whether there is the image itself, and not only its split-off debug info.
    package func hasImage(_ buildID: BuildID) -> Bool { facts(buildID)?.isImage == true }

    /// What the files of a build id hold together; `nil` when there are none.
    package func facts(_ buildID: BuildID) -> ImageFacts? {
        guard let known = facts.withLock({ $0[buildID] }) else { return nil }
        if let known { return known }
        let nothing = ImageFacts(
            buildID: buildID, hasDebugInfo: false, hasSymbols: false, isImage: false)
        let sum = store.files(buildID).reduce(nothing) { sum, file in
            (try? inspect(file.path)).map { sum.joined(with: $0) } ?? sum
        }
        facts.withLock { if $0[buildID] != nil { $0[buildID] = .some(sum) } }
        return sum
    }

    /// Begins to take in a file of a build id.
    ///
    /// - Parameters:
    ///   - buildID: The build id under which it was announced.
    ///   - name: What people call the file.
    ///   - bytes: How many bytes will come, if known.
    /// - Throws: ``APIError``; `alreadyExists` when nothing is missing.
    /// - Returns: Where the bytes go.
    package func begin(
        _ buildID: BuildID, name: String, bytes: Int64?
    ) throws(APIError) -> ImageSink {
        // A stripped image may be there, or split-off debug info: then the other one is welcome.
        let known = facts(buildID)
        if known?.isComplete == true { throw Self.alreadyThere(buildID) }
        let isFirstTaken = store.files(buildID).contains { $0.role == .image }
        do throws(StoreError) {
            return ImageSink(
                try store.beginUpload(
                    buildID, role: isFirstTaken ? .debug : .image, name: name,
                    expectedBytes: bytes))
        } catch {
            throw APIError(error)
        }
    }

    private static func alreadyThere(_ buildID: BuildID) -> APIError {
        APIError(
            .alreadyExists,
            "cannot take the image: what it holds is there already for build id \(buildID); want what is missing"
        )
    }

    /// Looks into a file that came and keeps it when it is what was announced.
    ///
    /// - Throws: ``APIError``; `invalidArgument` when it is no ELF file or has another build id.
    package func finish(_ sink: ImageSink) throws(APIError) -> ImageFacts {
        defer { sink.cancel() }
        let upload = sink.upload
        let found = try inspect(upload.temporaryPath)
        guard found.buildID == upload.buildID else {
            let got = found.buildID.map { "the build id \($0)" } ?? "a file without a build id"
            throw APIError(
                .invalidArgument, "cannot take the image: got \(got); want \(upload.buildID)")
        }
        if let known = facts(upload.buildID), known.joined(with: found) == known {
            throw Self.alreadyThere(upload.buildID)
        }
        do throws(StoreError) { try upload.finish() } catch { throw APIError(error) }
        facts.withLock { $0[upload.buildID] = .some(nil) }
        arrived(upload.buildID)
        return facts(upload.buildID) ?? found
    }
}

/// An image on its way into the catalog.
package final class ImageSink: BodySink {
    let upload: ImageUpload

    init(_ upload: ImageUpload) { self.upload = upload }

    package func append(_ bytes: UnsafeRawBufferPointer) throws(APIError) {
        do throws(StoreError) { try upload.append(bytes) } catch { throw APIError(error) }
    }

    package func cancel() { upload.cancel() }
}
