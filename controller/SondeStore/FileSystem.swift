// SPDX-License-Identifier: Apache-2.0
// The few calls on files and folders that the stores need, without a framework in between.

internal import Glibc

/// Calls on files and folders.
enum FileSystem {
    /// The names in a folder, without `.` and `..`; none when it cannot be read.
    static func entries(of folder: String) -> [String] {
        guard let stream = opendir(folder) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            // Safety: the entry is valid until the next readdir, and its name ends with a zero.
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names
    }

    /// What the system knows of a file; `nil` when it cannot be found.
    static func status(_ path: String) -> stat? {
        var status = stat()
        return stat(path, &status) == 0 ? status : nil
    }

    /// Whether there is a file or a folder.
    static func exists(_ path: String) -> Bool { status(path) != nil }

    /// Removes a file, or a folder with all that is in it; what cannot be removed stays.
    static func remove(_ path: String) {
        guard unlink(path) != 0, errno == EISDIR || errno == EPERM else { return }
        for entry in entries(of: path) { remove("\(path)/\(entry)") }
        rmdir(path)
    }

    /// Writes a folder's entries to the disk, so that a new name in it survives a loss of power.
    static func flushFolder(_ path: String) throws(StoreError) {
        let file = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard file >= 0 else { throw StoreError.file("open folder", path, errno: errno) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw StoreError.file("write folder", path, errno: errno) }
    }

    /// The last component of a foreign path, reduced to characters that are harmless in a file's
    /// name; `nil` when nothing is left.
    static func safeName(_ path: String) -> String? {
        let last = path.utf8.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? []
        let name = last.prefix(100).map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"), UInt8(ascii: "+"):
                byte
            default: UInt8(ascii: "_")
            }
        }
        let text = String(decoding: name.drop { $0 == UInt8(ascii: ".") }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }
}
