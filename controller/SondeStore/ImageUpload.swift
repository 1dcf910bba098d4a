// SPDX-License-Identifier: Apache-2.0
// One ELF file on its way in.

internal import Glibc
package import SondeModel
internal import Synchronization

/// One file on its way into an ``ImageStore``.
///
/// Whatever is not finished is removed with this object, or when the store is opened next.
package final class ImageUpload: Sendable {
    struct Paths {
        /// A folder of this upload's own.
        var incoming: String
        /// The file's name in it.
        var name: String
        /// The build id's folder.
        var folder: String
        /// Where the incoming folder goes when it is complete.
        var place: String
    }

    private struct State {
        var file: Int32
        var bytes: Int64 = 0
        var isDone = false
    }

    /// What it will be kept under.
    package let buildID: BuildID
    /// What it is to its build id.
    package let role: ImageStore.Role
    private let limit: Int64
    private let paths: Paths
    private let state: Mutex<State>

    /// Where the bytes that came so far are: a caller may look at the file before it finishes it.
    package var temporaryPath: String { "\(paths.incoming)/\(paths.name)" }

    init(
        buildID: BuildID, role: ImageStore.Role, limit: Int64, paths: Paths
    ) throws(StoreError) {
        self.buildID = buildID
        self.role = role
        self.limit = limit
        self.paths = paths
        let path = "\(paths.incoming)/\(paths.name)"
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            let reason = errno
            FileSystem.remove(paths.incoming)
            throw StoreError.file("write image", path, errno: reason)
        }
        state = Mutex(State(file: file))
    }

    deinit { cancel() }

    /// Appends the next bytes.
    ///
    /// - Throws: ``StoreError``: `tooLarge`, `diskFull`,
    ///   `notFound` when the upload was finished or cancelled already.
    package func append(_ bytes: some Sequence<UInt8>) throws(StoreError) {
        let bytes = ContiguousArray(bytes)
        try state.withLock { state throws(StoreError) in
            guard state.file >= 0 else { throw Self.ended(buildID) }
            guard state.bytes + Int64(bytes.count) <= limit else {
                throw Self.tooLarge(buildID, state.bytes + Int64(bytes.count), limit: limit)
            }
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes { bytes in
                    // Safety: `written` is less than the count, so the address lies inside.
                    write(state.file, bytes.baseAddress.map { $0 + written }, bytes.count - written)
                }
                if count < 0, errno == EINTR { continue }
                guard count > 0 else {
                    throw StoreError.file("write image", temporaryPath, errno: errno)
                }
                written += count
            }
            state.bytes += Int64(bytes.count)
        }
    }

    /// Makes the file appear under its build id.
    ///
    /// When it returns, the file survives a loss of power.
    ///
    /// - Throws: ``StoreError``: `alreadyExists` when another upload was faster, `rejected` when no
    ///   byte came.
    package func finish() throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            guard state.file >= 0 else { throw Self.ended(buildID) }
            guard state.bytes > 0 else {
                throw StoreError(
                    .rejected, "cannot store image \(buildID): got 0 bytes; want an ELF file")
            }
            guard fsync(state.file) == 0 else {
                throw StoreError.file("write image", temporaryPath, errno: errno)
            }
            try FileSystem.flushFolder(paths.incoming)
            guard mkdir(paths.folder, 0o700) == 0 || errno == EEXIST else {
                throw StoreError.file("create folder", paths.folder, errno: errno)
            }
            // Renaming a folder onto one that is not empty fails: the first upload wins.
            guard rename(paths.incoming, paths.place) == 0 else {
                if errno == EEXIST || errno == ENOTEMPTY {
                    throw ImageStore.alreadyThere(buildID, role)
                }
                throw StoreError.file("store image", paths.place, errno: errno)
            }
            close(state.file)
            state.file = -1
            state.isDone = true
            try FileSystem.flushFolder(paths.folder)
            try FileSystem.flushFolder("\(paths.folder)/..")
        }
    }

    /// Gives the upload up and removes what came of it; harmless when it is finished.
    package func cancel() {
        state.withLock { state in
            guard !state.isDone else { return }
            if state.file >= 0 { close(state.file) }
            state.file = -1
            state.isDone = true
            FileSystem.remove(paths.incoming)
        }
    }

    static func tooLarge(_ buildID: BuildID, _ bytes: Int64, limit: Int64) -> StoreError {
        StoreError(
            .tooLarge,
            "cannot store image \(buildID): got \(bytes) bytes; want at most \(limit)")
    }

    private static func ended(_ buildID: BuildID) -> StoreError {
        StoreError(
            .notFound, "cannot store image \(buildID): the upload has ended; want a new one")
    }
}
