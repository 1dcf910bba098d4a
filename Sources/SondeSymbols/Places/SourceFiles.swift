// SPDX-License-Identifier: Apache-2.0
// The source files of an image, found by the end of their path or by a name that is nearly right.

internal import CElfutils
internal import SondeModel

/// The source files of an image.
struct SourceFiles {
    /// Where the rows of a file are: in which line table, and with which number.
    struct Use: Hashable {
        /// The table's offset in `.debug_line`.
        var table: UInt64
        var file: UInt16
    }

    /// The paths as the compiler recorded them, without `.` and `..`.
    private(set) var paths: [String] = []
    private(set) var uses: [[Use]] = []
    /// The MD5s of each file's text: mostly none or one, more where units saw different texts.
    private(set) var digests: [[SourceDigest]] = []
    private var indexOf: [String: Int] = [:]
    private var named: [Substring: [Int]] = [:]
    /// The offset of each line table.
    private(set) var tables: [UInt64] = []

    /// Reads the headers of all line tables.
    init(_ dwarf: DwarfInfo, limits: SymbolLimits) {
        var budget = limits.sourceFiles
        var seen: Set<UInt64> = []
        for unit in dwarf.units {
            guard let table = unit.sectionOffset(Int(DW_AT_stmt_list)),
                seen.insert(table).inserted
            else { continue }
            tables.append(table)
            let files = dwarf.files(of: unit)
            for (index, path) in files.paths.enumerated() {
                budget -= 1
                guard budget > 0 else { return }
                guard let number = UInt16(exactly: index), number < .max else { break }
                let digest = index < files.digests.count ? files.digests[index] : nil
                add(path, Use(table: table, file: number), digest)
            }
        }
    }

    private mutating func add(_ recorded: String, _ use: Use, _ digest: SourceDigest?) {
        let path = Self.normalized(recorded)
        let name = path.split(separator: "/").last ?? ""
        // Compilers call code without a source `<compiler-generated>`, `<stdin>` and the like.
        guard !name.isEmpty, !name.hasPrefix("<") else { return }
        if let index = indexOf[path] {
            uses[index].append(use)
            if let digest, !digests[index].contains(digest), digests[index].count < 16 {
                digests[index].append(digest)
            }
            return
        }
        indexOf[path] = paths.count
        named[name, default: []].append(paths.count)
        paths.append(path)
        uses.append([use])
        digests.append(digest.map { [$0] } ?? [])
    }

    /// A path without empty components, `.`, and `..` as far as it can be resolved.
    static func normalized(_ path: String) -> String {
        guard path.contains("/.") || path.contains("//") || path.hasPrefix("./") else {
            return path
        }
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !path.hasPrefix("/") {
                parts.append(part)
            }
        }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// The index of a recorded path.
    func index(of path: String) -> Int? { indexOf[path] }

    /// The files whose path ends with these components, by path.
    func matching(_ path: String) -> [Int] {
        let wanted = Self.normalized(path)
        let parts = wanted.split(separator: "/")
        guard let name = parts.last else { return [] }
        return (named[name] ?? []).filter { index in
            if wanted.hasPrefix("/") { return paths[index] == wanted }
            return paths[index].split(separator: "/").suffix(parts.count) == parts[...]
        }.sorted { paths[$0] < paths[$1] }
    }

    /// The files whose names are most like the wanted one, best first.
    func nearest(to path: String, count: Int) -> [String] {
        let wanted = path.split(separator: "/").last ?? ""
        var ranked: [(distance: Int, path: String)] = []
        // Names of many thousands of files take long to compare, and nobody reads on that far.
        for (name, files) in named.prefix(1 << 16) {
            let distance = EditDistance.between(wanted, name, ignoringCase: true)
            guard distance <= max(2, wanted.utf8.count / 2) else { continue }
            for file in files { ranked.append((distance, paths[file])) }
        }
        ranked.sort { ($0.distance, $0.path) < ($1.distance, $1.path) }
        return ranked.prefix(max(0, count)).map(\.path)
    }
}
