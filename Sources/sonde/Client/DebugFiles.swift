// SPDX-License-Identifier: Apache-2.0
// Finds the ELF files that are worth sending, in what a command line names.

internal import Glibc
internal import SondeModel
internal import SondeSymbols

/// The ELF files that a command line names.
struct DebugFiles {
    /// One file to send.
    struct File {
        var path: String
        var buildID: String
        var sizeBytes: Int64
        var hasDebugInfo: Bool
    }

    /// Files to send, those with debug info first: a stripped twin then need not be sent.
    var files: [File] = []
    /// What was named and cannot be sent, a sentence each.
    var problems: [String] = []

    /// Finds files.
    ///
    /// - Parameter paths: Files, each of which must be sendable, and folders, in which everything
    ///   that is not is passed over. Symbolic links below a folder are not followed.
    /// - Returns: The files, and what is wrong with those that were named.
    static func find(_ paths: [String]) -> DebugFiles {
        var found = DebugFiles()
        for path in paths {
            var status = stat()
            guard stat(path, &status) == 0 else {
                found.problems.append(
                    "cannot open \(path.forTerminal): \(String(cString: strerror(errno)));"
                        + " want an ELF file or a folder")
                continue
            }
            if status.st_mode & S_IFMT == S_IFDIR {
                found.searchFolder(path)
            } else {
                found.take(path, isNamed: true)
            }
        }
        found.files = found.files.filter(\.hasDebugInfo) + found.files.filter { !$0.hasDebugInfo }
        return found
    }

    private mutating func searchFolder(_ folder: String) {
        var pending = [folder]
        while let next = pending.popLast() {
            guard let handle = opendir(next) else {
                problems.append(
                    "cannot read \(next.forTerminal): \(String(cString: strerror(errno)));"
                        + " want a folder that can be read")
                continue
            }
            defer { closedir(handle) }
            var names: [String] = []
            while let entry = readdir(handle) {
                // Safety: d_name is a C string inside the entry, valid until the next readdir.
                let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                }
                if name != ".", name != ".." { names.append(next + "/" + name) }
            }
            for path in names.sorted() {
                var status = stat()
                guard lstat(path, &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    pending.append(path)
                } else if status.st_mode & S_IFMT == S_IFREG, Self.isELF(path) {
                    take(path, isNamed: false)
                }
            }
        }
    }

    private mutating func take(_ path: String, isNamed: Bool) {
        do throws(SymbolError) {
            let image = try ElfImage(path: path)
            guard let buildID = image.buildID else {
                if isNamed {
                    problems.append(
                        "cannot send \(path.forTerminal): it has no build id; want one, which the"
                            + " linker option --build-id makes")
                }
                return
            }
            var status = stat()
            let size = stat(path, &status) == 0 ? Int64(status.st_size) : 0
            files.append(
                File(
                    path: path, buildID: buildID.description, sizeBytes: size,
                    hasDebugInfo: image.hasDebugInfo))
        } catch {
            // In a folder there are object files and half-written things: they are nobody's mistake.
            if isNamed { problems.append(error.description.forTerminal) }
        }
    }

    private static func isELF(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var magic: [UInt8] = [0, 0, 0, 0]
        return read(descriptor, &magic, 4) == 4
            && magic == [0x7F, UInt8(ascii: "E"), UInt8(ascii: "L"), UInt8(ascii: "F")]
    }
}
