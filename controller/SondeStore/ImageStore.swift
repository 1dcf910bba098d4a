// SPDX-License-Identifier: Apache-2.0
// Uploaded ELF files by build id.

internal import Glibc
package import SondeModel
internal import Synchronization

/// Keeps ELF files by build id.
///
/// A file comes in through an ``ImageUpload``, piece by piece, and appears under its build id when
/// it is complete and on disk. For one build id there may be two files: the image that runs, and
/// a file that holds its debug information. Files are as they came; this store does not read them.
///
/// All calls may come from any thread at the same time.
package final class ImageStore: Sendable {
    /// What a file is to its build id.
    package enum Role: String, CaseIterable, Hashable, Sendable {
        /// The image that runs; it may hold its debug information too.
        case image
        /// A file beside it that holds debug information only.
        case debug
    }

    /// The most bytes of one file, unless said otherwise.
    package static let defaultMaximumFileBytes: Int64 = 4 << 30

    /// The most bytes of one file.
    package let maximumFileBytes: Int64
    /// Kept, because its lock ends with it.
    private let dataFolder: DataFolder
    private let root: String
    private let uploads = Mutex(0)

    /// Opens the images of a data folder.
    ///
    /// Uploads that a former process did not finish are removed.
    ///
    /// - Parameters:
    ///   - folder: The data folder.
    ///   - maximumFileBytes: The most bytes of one file.
    /// - Throws: ``StoreError`` when the folder cannot be created or written.
    package init(
        _ folder: DataFolder, maximumFileBytes: Int64 = ImageStore.defaultMaximumFileBytes
    ) throws(StoreError) {
        dataFolder = folder
        root = folder.path("images")
        self.maximumFileBytes = maximumFileBytes
        try folder.createFolder("images")
        try folder.createFolder("images/incoming")
        for entry in FileSystem.entries(of: "\(root)/incoming") {
            FileSystem.remove("\(root)/incoming/\(entry)")
        }
    }

    /// Begins to take a file in.
    ///
    /// - Parameters:
    ///   - buildID: What it will be kept under.
    ///   - role: What it is to its build id.
    ///   - name: What people call the file, such as `bookmaker`.
    ///   - expectedBytes: How many bytes will come, if known: too many are refused at once.
    /// - Returns: The upload, to append to and to finish.
    /// - Throws: ``StoreError``: `alreadyExists`, `tooLarge`, `diskFull`.
    package func beginUpload(
        _ buildID: BuildID, role: Role, name: String, expectedBytes: Int64? = nil
    ) throws(StoreError) -> ImageUpload {
        let place = Self.place(buildID, role, in: root)
        guard !FileSystem.exists(place) else { throw Self.alreadyThere(buildID, role) }
        if let expectedBytes, expectedBytes > maximumFileBytes {
            throw ImageUpload.tooLarge(buildID, expectedBytes, limit: maximumFileBytes)
        }
        let number = uploads.withLock { number in
            number += 1
            return number
        }
        let incoming = "\(root)/incoming/\(number)"
        guard mkdir(incoming, 0o700) == 0 else {
            throw StoreError.file("write image into", incoming, errno: errno)
        }
        return try ImageUpload(
            buildID: buildID, role: role, limit: maximumFileBytes,
            paths: .init(
                incoming: incoming, name: FileSystem.safeName(name) ?? "image",
                folder: "\(root)/\(buildID)", place: place))
    }

    /// The files of a build id.
    package func files(_ buildID: BuildID) -> [StoredImage] {
        Role.allCases.compactMap { role in
            let place = Self.place(buildID, role, in: root)
            guard let name = FileSystem.entries(of: place).first,
                let status = FileSystem.status("\(place)/\(name)")
            else { return nil }
            return StoredImage(
                buildID: buildID, role: role, name: name, path: "\(place)/\(name)",
                bytes: Int64(status.st_size),
                received: Timestamp(
                    unixNanoseconds: Int64(status.st_mtim.tv_sec) &* 1_000_000_000
                        &+ Int64(status.st_mtim.tv_nsec)))
        }
    }

    /// Whether there is any file of a build id.
    package func contains(_ buildID: BuildID) -> Bool { !files(buildID).isEmpty }

    /// All files, in order of build id.
    package func list() -> [StoredImage] {
        FileSystem.entries(of: root).sorted().compactMap { BuildID(hex: $0) }.flatMap { files($0) }
    }

    /// The bytes of all files.
    package func totalBytes() -> Int64 { list().reduce(0) { $0 + $1.bytes } }

    /// Removes the files of a build id.
    ///
    /// - Throws: ``StoreError``; `notFound` when there are none.
    package func remove(_ buildID: BuildID) throws(StoreError) {
        guard contains(buildID) else {
            throw StoreError(
                .notFound, "cannot remove image: got the build id \(buildID); want one that is kept"
            )
        }
        FileSystem.remove("\(root)/\(buildID)")
    }

    static func alreadyThere(_ buildID: BuildID, _ role: Role) -> StoreError {
        StoreError(
            .alreadyExists,
            "cannot store image: the \(role.rawValue) file of build id \(buildID) is there "
                + "already; want one that is not")
    }

    private static func place(_ buildID: BuildID, _ role: Role, in root: String) -> String {
        "\(root)/\(buildID)/\(role.rawValue)"
    }
}

/// One file that an ``ImageStore`` keeps.
package struct StoredImage: Hashable, Sendable {
    /// What it is kept under.
    package var buildID: BuildID
    /// What it is to its build id.
    package var role: ImageStore.Role
    /// What people call it.
    package var name: String
    /// Where it is.
    package var path: String
    /// Its size.
    package var bytes: Int64
    /// When it was received.
    package var received: Timestamp
}
