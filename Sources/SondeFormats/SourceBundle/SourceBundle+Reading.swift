// SPDX-License-Identifier: Apache-2.0
// Reads a tar archive of source files, from untrusted hands.

extension SourceBundle {
    /// Reads an archive.
    ///
    /// Nothing is written anywhere, and links are never followed: an entry that is no regular file is
    /// left out and counted. Source: POSIX.1-2017, `pax`, "ustar Interchange Format" and "pax Header
    /// Block"; GNU tar's manual, "Basic Tar Format".
    ///
    /// - Parameters:
    ///   - bytes: The archive.
    ///   - limits: What is taken of it.
    ///   - isWanted: Whether a path's file is wanted; what is not is left out and counted.
    /// - Throws: ``SourceBundleError``: not a tar archive, cut off, a path that leads out of its
    ///   folder, a file that comes twice, too many or too large files.
    package init(
        tar bytes: [UInt8], limits: Limits = Limits(), isWanted: (String) -> Bool
    ) throws(SourceBundleError) {
        var reader = TarReader(bytes)
        var files: [File] = []
        var seen: Set<String> = []
        var leftOut = 0
        while let entry = try reader.next() {
            // A folder's entry says nothing that the paths do not say.
            if entry.kind == .folder { continue }
            let path = try Self.path(entry.path, limits: limits)
            guard entry.kind == .file, !path.isEmpty, isWanted(path) else {
                leftOut += 1
                continue
            }
            guard entry.content.count <= limits.fileBytes else {
                throw SourceBundleError(
                    "\(entry.content.count) bytes of \(SourceBundleError.quoted(path))",
                    want: "at most \(limits.fileBytes) of each file")
            }
            guard seen.insert(path).inserted else {
                throw SourceBundleError(
                    "\(SourceBundleError.quoted(path)) twice", want: "each file once")
            }
            guard files.count < limits.files else {
                throw SourceBundleError(
                    "more than \(limits.files) files", want: "at most \(limits.files)")
            }
            files.append(
                File(path: path, bytes: Array(entry.content), modified: entry.modified))
        }
        self.init(files, leftOut: leftOut)
    }
}

/// Walks through the entries of a tar archive.
struct TarReader {
    enum Kind { case file, folder, other }

    struct Entry {
        var kind: Kind
        var path: String
        var modified: Int64
        var content: ArraySlice<UInt8>
    }

    private let bytes: [UInt8]
    private var position = 0
    private static let block = 512
    /// The most bytes of what describes the entry that follows.
    private static let descriptionLimit = 64 << 10

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// What the entries before a file say about it.
    private struct Description {
        var path: String?
        var size: Int?
        var modified: Int64?
    }

    /// The next entry; `nil` behind the last.
    mutating func next() throws(SourceBundleError) -> Entry? {
        var description = Description()
        while true {
            guard let header = block() else { throw cutOff }
            if header.allSatisfy({ $0 == 0 }) { return nil }
            let fields = try TarHeader(header, at: position)
            position += Self.block
            let size = description.size ?? fields.size
            guard size <= bytes.count - position else { throw cutOff }
            let content = bytes[position..<position + size]
            // The last block may lack its padding only when the archive ends there: cut off, too.
            let padded = (size + Self.block - 1) / Self.block * Self.block
            position += min(padded, bytes.count - position)
            switch fields.type {
            case UInt8(ascii: "x"), UInt8(ascii: "L"):
                guard size <= Self.descriptionLimit else {
                    throw SourceBundleError(
                        "a description of \(size) bytes", want: "at most \(Self.descriptionLimit)")
                }
                if fields.type == UInt8(ascii: "L") {
                    description.path = String(decoding: content.prefix { $0 != 0 }, as: UTF8.self)
                } else {
                    try read(content, into: &description)
                }
            case UInt8(ascii: "g"), UInt8(ascii: "K"): continue
            default:
                return Entry(
                    kind: fields.kind, path: description.path ?? fields.path,
                    modified: description.modified ?? fields.modified, content: content)
            }
        }
    }

    private func block() -> ArraySlice<UInt8>? {
        bytes.count - position >= Self.block ? bytes[position..<position + Self.block] : nil
    }

    private var cutOff: SourceBundleError {
        SourceBundleError(
            "an archive of \(bytes.count) bytes that is cut off",
            want: "all of it, with the zeros at its end")
    }

    /// Reads the records of a pax header: `LENGTH NAME=VALUE\n`.
    private func read(
        _ records: ArraySlice<UInt8>, into description: inout Description
    ) throws(SourceBundleError) {
        var rest = records
        while !rest.isEmpty {
            let digits = rest.prefix { $0 != UInt8(ascii: " ") }
            guard let length = Int(String(decoding: digits, as: UTF8.self)),
                length > digits.count + 1, length <= rest.count,
                rest[rest.startIndex + length - 1] == UInt8(ascii: "\n")
            else {
                throw SourceBundleError("a broken pax header", want: "LENGTH NAME=VALUE lines")
            }
            let record = rest[(rest.startIndex + digits.count + 1)..<rest.startIndex + length - 1]
            rest = rest[(rest.startIndex + length)...]
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let value = String(decoding: record[(equals + 1)...], as: UTF8.self)
            switch String(decoding: record[..<equals], as: UTF8.self) {
            case "path": description.path = value
            case "size":
                guard let size = Int(value), size >= 0 else {
                    throw SourceBundleError(
                        "the size \(SourceBundleError.quoted(value))", want: "a number")
                }
                description.size = size
            case "mtime":
                description.modified = Int64(value.prefix { $0 != "." })
            default: break
            }
        }
    }
}

/// One header block of a tar archive.
struct TarHeader {
    var path: String
    var size: Int
    var modified: Int64
    var type: UInt8

    var kind: TarReader.Kind {
        switch type {
        case 0 where path.hasSuffix("/"), UInt8(ascii: "5"): .folder
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
        default: .other
        }
    }

    init(_ block: ArraySlice<UInt8>, at position: Int) throws(SourceBundleError) {
        let start = block.startIndex
        func field(_ offset: Int, _ count: Int) -> ArraySlice<UInt8> {
            block[(start + offset)..<(start + offset + count)]
        }
        // The checksum's own field counts as spaces.
        let sum = block.reduce(0) { $0 + Int($1) } - field(148, 8).reduce(0) { $0 + Int($1) } + 256
        guard let size = Self.number(field(124, 12)), let wanted = Self.number(field(148, 8)),
            wanted == Int64(sum), let size = Int(exactly: size), size >= 0
        else {
            throw SourceBundleError(
                "no entry of a tar archive at byte \(position)",
                want: "a tar archive, as it is or in gzip")
        }
        var path = Self.text(field(0, 100))
        if field(257, 5).elementsEqual("ustar".utf8), block[start + 262] == 0 {
            let prefix = Self.text(field(345, 155))
            if !prefix.isEmpty { path = prefix + "/" + path }
        }
        self.path = path
        self.size = size
        modified = Self.number(field(136, 12)) ?? 0
        type = block[start + 156]
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// A number in octal digits, or in GNU's base 256 with the topmost bit set.
    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first else { return nil }
        if first == 0x80 {
            guard field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
            let value = field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return Int64(exactly: value)
        }
        let digits = field.drop { $0 == UInt8(ascii: " ") }
            .prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        var value: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(digit), value < 1 << 58 else {
                return nil
            }
            value = value << 3 | Int64(digit - UInt8(ascii: "0"))
        }
        return value
    }
}
