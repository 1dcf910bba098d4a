// SPDX-License-Identifier: Apache-2.0
// Reads source files from configured folders, and nothing from outside of them.

internal import Glibc

/// Reads source files from configured folders.
///
/// Which file is wanted is said by debug info, which may come from anybody: a file is read only when
/// it is a regular one that lies, links followed, inside a configured folder, has an extension of
/// source code, and no component of its path there begins with a dot.
package struct SourceFolders: Sendable {
    /// A file that was found.
    package struct Found: Hashable, Sendable {
        /// Its path below the folder.
        package var path: String
        /// What it holds.
        package var bytes: [UInt8]
        /// When it was changed last, in seconds since 1970.
        package var modified: Int64
    }

    /// The folders, in the order in which they are looked through.
    package let roots: [String]
    /// Whether files below hidden folders count too, such as those of `.build/checkouts`.
    private let allowsHidden: Bool

    /// The most bytes of a source file.
    package static let fileLimit = 8 << 20
    /// The most components of a recorded path.
    private static let depthLimit = 64

    /// What source files are called.
    package static let extensions: Set<String> = [
        "swift", "c", "h", "cc", "cpp", "cxx", "c++", "hh", "hpp", "hxx", "inc", "inl", "ipp",
        "tcc", "m", "mm", "rs", "go", "zig", "s", "asm", "d", "f", "f90", "gyb", "def",
    ]

    /// Source files below some folders.
    ///
    /// - Parameters:
    ///   - roots: The folders, in the order in which they are looked through.
    ///   - allowsHidden: Whether files below hidden folders count too.
    package init(roots: [String], allowsHidden: Bool = false) {
        self.roots = roots
        self.allowsHidden = allowsHidden
    }

    /// Reads the file that a recorded path names.
    ///
    /// The end of the path that is found below a folder counts, the longest first: of
    /// `/build/app/Sources/App/Cart.swift` a folder may hold `app/Sources/App/Cart.swift`,
    /// `Sources/App/Cart.swift`, and so on.
    ///
    /// - Parameter recorded: A path as the compiler recorded it.
    /// - Returns: `nil` when no folder has it.
    package func file(_ recorded: String) -> Found? {
        let parts = recorded.split(separator: "/").filter { $0 != "." }.map(String.init)
        guard let name = parts.last, parts.count <= Self.depthLimit, Self.isSource(name),
            !parts.contains(where: { $0 == ".." || $0.utf8.contains(0) })
        else { return nil }
        for start in parts.indices {
            let end = parts[start...]
            guard allowsHidden || !end.contains(where: { $0.hasPrefix(".") }) else { continue }
            let path = end.joined(separator: "/")
            for root in roots {
                if let found = read(path, below: root) { return found }
            }
        }
        return nil
    }

    /// Whether a file's name, or the end of its path, is that of source code.
    package static func isSource(_ name: String) -> Bool {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return false }
        return extensions.contains(name[name.index(after: dot)...].lowercased())
    }

    private func read(_ path: String, below root: String) -> Found? {
        guard let folder = Self.resolved(root) else { return nil }
        // O_NONBLOCK: a pipe of that name must not be waited for.
        let file = open("\(folder)/\(path)", O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= Self.fileLimit,
            // Asked of the open file, so that nobody can exchange a link in between.
            let place = Self.target(of: "/proc/self/fd/\(file)"),
            place.hasPrefix(folder == "/" ? "/" : folder + "/"), isPlain(place, below: folder)
        else { return nil }
        return Self.contents(of: file, atMost: Int(status.st_size)).map {
            Found(path: path, bytes: $0, modified: Int64(status.st_mtim.tv_sec))
        }
    }

    /// Whether a file's own place is one that may be read too: a link may lead to another name.
    private func isPlain(_ place: String, below folder: String) -> Bool {
        let parts = place.dropFirst(folder.count).split(separator: "/")
        return (allowsHidden || !parts.contains { $0.hasPrefix(".") })
            && parts.last.map { Self.isSource(String($0)) } == true
    }

    private static func contents(of file: Int32, atMost size: Int) -> [UInt8]? {
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let rest = UnsafeMutableBufferPointer(rebasing: buffer[count...])
                // Safety: as many bytes are written at most as the rest of the buffer has.
                let got = Glibc.read(file, rest.baseAddress, rest.count)
                guard got > 0 else {
                    isWhole = got == 0
                    return
                }
                count += got
            }
        }
        return isWhole ? bytes : nil
    }

    private static func resolved(_ path: String) -> String? {
        guard let found = realpath(path, nil) else { return nil }
        defer { free(found) }
        return String(cString: found)
    }

    private static func target(of link: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            // Safety: as many bytes are written at most as the buffer has.
            bytes.withMemoryRebound(to: CChar.self) { characters in
                characters.baseAddress.map { readlink(link, $0, characters.count) } ?? -1
            }
        }
        guard count > 0, count < buffer.count else { return nil }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}
