// SPDX-License-Identifier: Apache-2.0
// Finds the source files that are worth sending: those that a program's line table names, or all of a folder.

internal import Glibc
internal import SondeFormats
internal import SondeModel
internal import SondeStore
internal import SondeSymbols

/// The source files of a build, found below a folder.
struct SourceGathering {
    /// What is sent.
    var files: [SourceBundle.File] = []
    /// Files that the line table names and that are not below the folder, as it names them.
    var missing: [String] = []
    /// Paths of files whose text is not the one that was compiled, or may not be.
    var doubtful: [String] = []
    /// The program's build id; `nil` when none was asked.
    var buildID: BuildID?
    /// When the program was made, in milliseconds since 1970.
    var builtMilliseconds: Int64?

    /// The most files of a folder, and the most bytes of their texts.
    private static let limits = (files: 50_000, bytes: 256 << 20)

    /// The files that a program's line table names.
    ///
    /// - Parameters:
    ///   - binary: A program with debug info.
    ///   - folder: Where they lie: of a recorded path the longest end that is found there.
    ///   - prefix: The beginning of recorded paths that the folder stands for; other files are left
    ///     out then.
    /// - Throws: ``CommandFailure`` when there is no debug info or no build id.
    init(binary: String, below folder: String, prefix: String?) throws(CommandFailure) {
        let image: ProbeImage
        do throws(SymbolError) { image = try ProbeImage(path: binary) } catch {
            throw CommandFailure(error.description.forTerminal)
        }
        guard let buildID = image.buildID else {
            throw CommandFailure(
                "cannot send the source of \(binary.forTerminal): it has no build id; want one, which"
                    + " the linker option --build-id makes")
        }
        self.buildID = buildID
        var status = stat()
        let built = stat(binary, &status) == 0 ? Int64(status.st_mtim.tv_sec) : nil
        builtMilliseconds = built.map { $0 &* 1000 }
        let folders = SourceFolders(roots: [folder], allowsHidden: true)
        var seen: Set<String> = []
        for recorded in image.allFiles.sorted() where SourceFolders.isSource(recorded) {
            guard let found = Self.find(recorded, in: folders, prefix: prefix) else {
                missing.append(recorded)
                continue
            }
            guard seen.insert(found.path).inserted else { continue }
            let digests = image.digests(of: recorded)
            let digest = SourceDigest(MessageDigest.md5(found.bytes) ?? [])
            let isOther = digest.map { !digests.isEmpty && !digests.contains($0) } ?? false
            let isNewer = digests.isEmpty && built.map { found.modified > $0 } == true
            if isOther || isNewer { doubtful.append(found.path) }
            files.append(
                .init(path: found.path, bytes: found.bytes, modified: found.modified))
        }
    }

    private static func find(
        _ recorded: String, in folders: SourceFolders, prefix: String?
    ) -> SourceFolders.Found? {
        guard let prefix else { return folders.file(recorded) }
        guard recorded.hasPrefix(prefix) else { return nil }
        let rest = recorded.dropFirst(prefix.count).drop { $0 == "/" }
        // Only the file itself: another of the same name elsewhere is another file.
        return folders.file(String(rest)).flatMap { $0.path == rest ? $0 : nil }
    }

    /// All source files below a folder, but for hidden ones; symbolic links are not followed.
    ///
    /// - Throws: ``CommandFailure`` when it cannot be read, or has too much.
    init(below folder: String) throws(CommandFailure) {
        let folders = SourceFolders(roots: [folder])
        var pending = [""]
        var bytes = 0
        while let next = pending.popLast() {
            for name in try Self.names(in: next.isEmpty ? folder : "\(folder)/\(next)") {
                guard !name.hasPrefix(".") else { continue }
                let path = next.isEmpty ? name : "\(next)/\(name)"
                var status = stat()
                guard lstat("\(folder)/\(path)", &status) == 0 else { continue }
                if status.st_mode & S_IFMT == S_IFDIR {
                    pending.append(path)
                } else if status.st_mode & S_IFMT == S_IFREG, SourceFolders.isSource(name),
                    let found = folders.file(path), found.path == path
                {
                    bytes += found.bytes.count
                    files.append(
                        .init(path: path, bytes: found.bytes, modified: found.modified))
                    guard files.count <= Self.limits.files, bytes <= Self.limits.bytes else {
                        throw CommandFailure(
                            "cannot send the source below \(folder.forTerminal): got more than"
                                + " \(Self.limits.files) files or \(Self.limits.bytes >> 20) MiB;"
                                + " want less, or --binary to send what that needs")
                    }
                }
            }
        }
        files.sort { $0.path < $1.path }
    }

    private static func names(in folder: String) throws(CommandFailure) -> [String] {
        guard let handle = opendir(folder) else {
            throw CommandFailure(
                "cannot read \(folder.forTerminal): \(String(cString: strerror(errno)));"
                    + " want a folder that can be read")
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            // Safety: d_name is a C string inside the entry, valid until the next readdir.
            names.append(
                withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
        }
        return names
    }
}
