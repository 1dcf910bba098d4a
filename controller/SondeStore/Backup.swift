// SPDX-License-Identifier: Apache-2.0
// Copies a data folder while it is in use.

internal import Glibc
internal import SondeModel
internal import Synchronization

/// What a backup copied.
package struct Backup: Hashable, Sendable {
    /// The databases.
    package var databases = 0
    /// The bytes of all copies.
    package var bytes: Int64 = 0
}

extension SQLiteProfileStore {
    /// Copies the whole data folder into a new folder, which can then be served as it is.
    ///
    /// Profiles, logs and the control database go on meanwhile: each database is copied as it was
    /// at one moment, with everything that was acknowledged before the backup began. Days are
    /// copied before the stacks that they name, and stacks only ever grow: a copied profile never
    /// names a stack that was not copied.
    ///
    /// - Parameters:
    ///   - target: A folder that does not exist, or is empty; created for this user only.
    ///   - isStopped: Whether nobody waits for it any more; what was copied is left behind then.
    /// - Throws: ``StoreError``.
    /// - Returns: What was copied.
    package func backUp(
        to target: String, isStopped: @Sendable () -> Bool = { false }
    ) throws(StoreError) -> Backup {
        guard target.hasPrefix("/"), FileSystem.entries(of: target).isEmpty else {
            throw StoreError(
                .rejected,
                "cannot back up to \(target): want the absolute path of a folder that is empty or "
                    + "does not exist")
        }
        // No days and no stacks go meanwhile.
        return try maintenance.withLock { (_) throws(StoreError) in
            var result = Backup()
            try DataFolder.create(target)
            for part in [
                "control.db", SourceStore.file, "logs", "profiles",
                "profiles/\(StackFormat.folder)",
            ] {
                for name in Self.databases(dataFolder.path(part)) {
                    guard !isStopped() else {
                        throw StoreError(
                            .cancelled, "cannot back up to \(target): who asked is gone")
                    }
                    let path = part == name ? part : "\(part)/\(name)"
                    if part != name { try DataFolder.create("\(target)/\(part)") }
                    try Self.copy(dataFolder.path(path), to: "\(target)/\(path)")
                    result.databases += 1
                    result.bytes += Int64(FileSystem.status("\(target)/\(path)")?.st_size ?? 0)
                }
            }
            result.bytes += try FileSystem.copyFolder(
                dataFolder.path("images"), to: "\(target)/images")
            try FileSystem.flushFolder(target)
            return result
        }
    }

    /// The databases of a folder in order, or a file itself.
    private static func databases(_ path: String) -> [String] {
        guard let status = FileSystem.status(path) else { return [] }
        if status.st_mode & S_IFMT == S_IFREG {
            return path.split(separator: "/").last.map { [String($0)] } ?? []
        }
        return FileSystem.entries(of: path).filter { $0.hasSuffix(".db") }.sorted()
    }

    private static func copy(_ source: String, to target: String) throws(StoreError) {
        let database = try Database(reading: source)
        let copy = try database.statement("VACUUM INTO ?")
        defer { copy.reset() }
        try copy.bind(target, at: 1)
        try copy.run()
    }
}

extension FileSystem {
    /// Copies a folder with all that is in it, as hard links where both lie on one file system; the
    /// files of images are never changed once they are there.
    ///
    /// - Parameters:
    ///   - source: The folder; nothing is copied when it does not exist.
    ///   - target: The new folder.
    /// - Throws: ``StoreError``.
    /// - Returns: The bytes of all files.
    static func copyFolder(_ source: String, to target: String) throws(StoreError) -> Int64 {
        guard exists(source) else { return 0 }
        try DataFolder.create(target)
        var bytes: Int64 = 0
        for name in entries(of: source).sorted() {
            let (from, to) = ("\(source)/\(name)", "\(target)/\(name)")
            guard let status = status(from) else { continue }
            if status.st_mode & S_IFMT == S_IFDIR {
                bytes += try copyFolder(from, to: to)
            } else if status.st_mode & S_IFMT == S_IFREG {
                if link(from, to) != 0 { try copyFile(from, to: to) }
                bytes += Int64(status.st_size)
            }
        }
        return bytes
    }

    private static func copyFile(_ source: String, to target: String) throws(StoreError) {
        let input = open(source, O_RDONLY | O_CLOEXEC)
        guard input >= 0 else { throw StoreError.file("read", source, errno: errno) }
        defer { close(input) }
        let output = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard output >= 0 else { throw StoreError.file("write", target, errno: errno) }
        defer { close(output) }
        while true {
            let count = sendfile(output, input, nil, 1 << 20)
            guard count >= 0 else { throw StoreError.file("write", target, errno: errno) }
            if count == 0 { break }
        }
        guard fsync(output) == 0 else { throw StoreError.file("write", target, errno: errno) }
    }
}
