// SPDX-License-Identifier: Apache-2.0
// The folder that holds all of a controller's data, and the lock that makes one process its owner.

internal import Glibc

/// The controller's data folder, created when missing and locked for this process.
///
///     <folder>/lock                    who owns the folder
///     <folder>/control.db              tokens, settings, audit log
///     <folder>/sources.db              uploaded source files, by build id
///     <folder>/profiles/2026-01-31.db  the profiles that began on that day (UTC)
///     <folder>/profiles/stacks/N.db    the stacks that the days of about a month share
///     <folder>/logs/2026-01-31.db      the log lines of that day (UTC)
///     <folder>/images/<build id>/      uploaded ELF files
///
/// The lock goes away with the process, however it ends.
package final class DataFolder: Sendable {
    /// The folder's path.
    package let path: String
    private let lock: Int32

    /// Opens a data folder.
    ///
    /// - Parameter path: The folder; it and the folders above it are created when missing, for
    ///   this user only.
    /// - Throws: ``StoreError`` of code `cannotOpen` when the folder cannot be created, written or
    ///   locked; it names the folder, and the process that holds the lock.
    package init(_ path: String) throws(StoreError) {
        guard !path.isEmpty else {
            throw StoreError(.cannotOpen, "cannot open data folder: got no path; want one")
        }
        self.path = path
        try Self.create(path)
        lock = try Self.lock(path)
    }

    deinit {
        // A child that this process forked a moment ago may still hold the same open file: the lock
        // is given back by name, not by closing the last copy of it.
        _ = flock(lock, LOCK_UN)
        close(lock)
    }

    /// A path inside the folder.
    func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Creates a folder inside the folder, unless it is there.
    func createFolder(_ name: String) throws(StoreError) { try Self.create(path(name)) }

    /// Creates a folder and those above it, for this user only.
    static func create(_ path: String) throws(StoreError) {
        var partial = path.hasPrefix("/") ? "/" : ""
        for component in path.split(separator: "/") {
            partial += component + "/"
            guard mkdir(partial, 0o700) != 0, errno != EEXIST else { continue }
            throw StoreError.file("create data folder", path, errno: errno, .cannotOpen)
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            throw StoreError.file("open data folder", path, errno: errno, .cannotOpen)
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw StoreError(
                .cannotOpen, "cannot open data folder \(path): got a file; want a folder")
        }
        guard access(path, R_OK | W_OK | X_OK) == 0 else {
            throw StoreError.file("write to data folder", path, errno: errno, .cannotOpen)
        }
    }

    private static func lock(_ path: String) throws(StoreError) -> Int32 {
        let file = open("\(path)/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else {
            throw StoreError.file("write to data folder", path, errno: errno, .cannotOpen)
        }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            defer { close(file) }
            guard reason == EWOULDBLOCK else {
                throw StoreError.file("lock data folder", path, errno: reason, .cannotOpen)
            }
            let owner = Self.owner(file)
            throw StoreError(
                .cannotOpen,
                "cannot open data folder \(path): process \(owner) holds its lock; "
                    + "want a folder of one's own, or that process to end")
        }
        // Who holds the lock is only for people: failing to write it down harms nothing.
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(file, 0)
        _ = text.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        return file
    }

    private static func owner(_ file: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 20)
        let length = buffer.withUnsafeMutableBytes { pread(file, $0.baseAddress, $0.count, 0) }
        let digits = buffer.prefix(max(0, length)).prefix { (48...57).contains($0) }
        return digits.isEmpty ? "of unknown number" : String(decoding: digits, as: UTF8.self)
    }
}
