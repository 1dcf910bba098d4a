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

    /// Facts from their parts.
    package init(buildID: BuildID?, hasDebugInfo: Bool, hasSymbols: Bool) {
        self.buildID = buildID
        self.hasDebugInfo = hasDebugInfo
        self.hasSymbols = hasSymbols
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

    /// Whether there is an image of a build id.
    package func contains(_ buildID: BuildID) -> Bool { facts.withLock { $0[buildID] != nil } }

    /// What the files of a build id hold together; `nil` when there are none.
    package func facts(_ buildID: BuildID) -> ImageFacts? {
        guard let known = facts.withLock({ $0[buildID] }) else { return nil }
        if let known { return known }
        var sum = ImageFacts(buildID: buildID, hasDebugInfo: false, hasSymbols: false)
        for file in store.files(buildID) {
            guard let found = try? inspect(file.path) else { continue }
            sum.hasDebugInfo = sum.hasDebugInfo || found.hasDebugInfo
            sum.hasSymbols = sum.hasSymbols || found.hasSymbols
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
        // A stripped image may be there already: then debug info is still welcome beside it.
        let isBeside = facts(buildID).map { !$0.hasDebugInfo } ?? false
        do throws(StoreError) {
            return ImageSink(
                try store.beginUpload(
                    buildID, role: isBeside ? .debug : .image, name: name, expectedBytes: bytes))
        } catch {
            throw APIError(error)
        }
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
        if upload.role == .debug, !found.hasDebugInfo {
            throw APIError(
                .alreadyExists,
                "cannot take the image: one of build id \(upload.buildID) is there already; want one with debug info"
            )
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
