// SPDX-License-Identifier: Apache-2.0
// Reads the file names in the header of a unit's line table.

/// The source files of a compilation unit, by the numbers that `DW_AT_decl_file` uses.
///
/// libdw would run the whole line program to answer this; the header alone is a thousandth of it.
/// Source: DWARF 4 and DWARF 5, section 6.2.4.
struct DwarfFileTable {
    private(set) var paths: [String] = []
    /// The MD5 of each file's text, by the same numbers; empty when the table has none.
    private(set) var digests: [SourceDigest?] = []

    /// The sections that a header refers to.
    struct Sections {
        var line: UnsafeRawBufferPointer?
        var strings: UnsafeRawBufferPointer?
        var lineStrings: UnsafeRawBufferPointer?
    }

    private static let maxFiles = 1 << 16

    /// A table of no files.
    init() {}

    /// The table of the header at an offset of `.debug_line`; empty when it is malformed.
    init(at offset: UInt64, in sections: Sections, directory: String) {
        guard let line = sections.line, offset < UInt64(line.count) else { return }
        var reader = DwarfBytes(UnsafeRawBufferPointer(rebasing: line[Int(offset)...]))
        var length = UInt64(reader.u32())
        let is64 = length == 0xFFFF_FFFF
        if is64 { length = reader.u64() }
        reader.limit(to: length)
        let version = reader.u16()
        guard (2...5).contains(version) else { return }
        if version == 5 {
            _ = reader.u8()  // size of an address
            _ = reader.u8()  // size of a segment selector
        }
        reader.limit(to: is64 ? reader.u64() : UInt64(reader.u32()))
        // minimum instruction length, operations per instruction, default_is_stmt, line base, range
        reader.skip(version >= 4 ? 5 : 4)
        reader.skip(UInt64(max(1, reader.u8())) - 1)  // lengths of the standard opcodes
        let base = directory.isEmpty ? "" : directory + "/"
        if version == 5 {
            readFiles5(&reader, sections, is64: is64, base: base)
        } else {
            readFiles4(&reader, base: base)
        }
    }

    /// The path of a file number, or empty.
    subscript(number: UInt64) -> String {
        number < UInt64(paths.count) ? paths[Int(number)] : ""
    }

    private mutating func readFiles4(_ reader: inout DwarfBytes, base: String) {
        var directories = [""]
        while let name = reader.string(), !name.isEmpty, directories.count < Self.maxFiles {
            directories.append(name)
        }
        // Files are numbered from 1.
        paths.append("")
        while let name = reader.string(), !name.isEmpty, paths.count < Self.maxFiles {
            let directory = reader.uleb()
            _ = reader.uleb()  // time
            _ = reader.uleb()  // size
            let prefix = directory < UInt64(directories.count) ? directories[Int(directory)] : ""
            paths.append(Self.joined(base, prefix, name))
        }
    }

    private mutating func readFiles5(
        _ reader: inout DwarfBytes, _ sections: Sections, is64: Bool, base: String
    ) {
        let directories = Self.entries5(&reader, sections, is64: is64).map(\.name)
        let entries = Self.entries5(&reader, sections, is64: is64)
        for entry in entries {
            let directory = entry.directory
            let prefix = directory < UInt64(directories.count) ? directories[Int(directory)] : ""
            // Directory 0 is the compilation's own, mostly absolute.
            paths.append(Self.joined(base, prefix, entry.name))
        }
        if entries.contains(where: { $0.digest != nil }) { digests = entries.map(\.digest) }
    }

    private static func joined(_ base: String, _ directory: String, _ name: String) -> String {
        if name.hasPrefix("/") || name.hasPrefix("<") { return name }
        if directory.isEmpty { return base + name }
        return (directory.hasPrefix("/") ? "" : base) + directory + "/" + name
    }

    /// An entry of one of version 5's two tables.
    private struct Entry {
        var name = ""
        var directory: UInt64 = 0
        var digest: SourceDigest?
    }

    private static func entries5(
        _ reader: inout DwarfBytes, _ sections: Sections, is64: Bool
    ) -> [Entry] {
        let formatCount = reader.u8()
        var formats: [(content: UInt64, form: UInt64)] = []
        for _ in 0..<formatCount { formats.append((reader.uleb(), reader.uleb())) }
        let count = reader.uleb()
        guard !formats.isEmpty else { return [] }
        var entries: [Entry] = []
        while UInt64(entries.count) < count, entries.count < maxFiles, !reader.isAtEnd {
            var entry = Entry()
            for (content, form) in formats {
                if content == 5, form == 0x1E {  // DW_LNCT_MD5 as DW_FORM_data16
                    entry.digest = reader.bytes(16).flatMap { SourceDigest($0) }
                    continue
                }
                let (text, number) = value(form, &reader, sections, is64: is64)
                if content == 1 { entry.name = text }
                if content == 2 { entry.directory = number }
            }
            entries.append(entry)
        }
        return entries
    }

    private static func value(
        _ form: UInt64, _ reader: inout DwarfBytes, _ sections: Sections, is64: Bool
    ) -> (text: String, number: UInt64) {
        func text(in section: UnsafeRawBufferPointer?, at offset: UInt64) -> String {
            guard let section, offset < UInt64(section.count) else { return "" }
            var strings = DwarfBytes(UnsafeRawBufferPointer(rebasing: section[Int(offset)...]))
            return strings.string() ?? ""
        }
        switch form {
        case 0x08: return (reader.string() ?? "", 0)  // DW_FORM_string
        case 0x0E:  // DW_FORM_strp
            return (text(in: sections.strings, at: is64 ? reader.u64() : UInt64(reader.u32())), 0)
        case 0x1F:  // DW_FORM_line_strp
            return (
                text(in: sections.lineStrings, at: is64 ? reader.u64() : UInt64(reader.u32())), 0
            )
        case 0x0B: return ("", UInt64(reader.u8()))  // DW_FORM_data1
        case 0x05: return ("", UInt64(reader.u16()))  // DW_FORM_data2
        case 0x06: return ("", UInt64(reader.u32()))  // DW_FORM_data4
        case 0x07: return ("", reader.u64())  // DW_FORM_data8
        case 0x0F: return ("", reader.uleb())  // DW_FORM_udata
        case 0x1E: reader.skip(16)  // DW_FORM_data16
        case 0x09: reader.skip(reader.uleb())  // DW_FORM_block
        default: reader.fail()
        }
        return ("", 0)
    }
}

/// A place in untrusted bytes; reading beyond the end yields zeros and stays there.
struct DwarfBytes {
    // Safety: the section's bytes live as long as the image, which outlives every reader; each
    // access is checked against `end`.
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var end: Int
    /// Whether more was read than there is.
    private(set) var ranOver = false

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        end = bytes.count
    }

    var isAtEnd: Bool { position >= end }

    /// Makes the bytes end `length` after the place.
    mutating func limit(to length: UInt64) {
        end = position + Int(min(length, UInt64(end - position)))
    }

    mutating func fail() {
        position = end
        ranOver = true
    }

    mutating func skip(_ count: UInt64) { position += Int(min(count, UInt64(end - position))) }

    private mutating func fixed(_ size: Int) -> UInt64 {
        guard end - position >= size else {
            fail()
            return 0
        }
        defer { position += size }
        var value: UInt64 = 0
        for index in (0..<size).reversed() { value = value << 8 | UInt64(bytes[position + index]) }
        return value
    }

    /// The next bytes, or `nil` when there are not so many.
    mutating func bytes(_ count: UInt64) -> UnsafeRawBufferPointer? {
        guard count <= UInt64(end - position) else {
            fail()
            return nil
        }
        defer { position += Int(count) }
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(count)])
    }

    mutating func u8() -> UInt8 { UInt8(fixed(1)) }
    mutating func u16() -> UInt16 { UInt16(fixed(2)) }
    mutating func u32() -> UInt32 { UInt32(fixed(4)) }
    mutating func u64() -> UInt64 { fixed(8) }

    mutating func uleb() -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            if shift < 64 { value |= UInt64(byte & 0x7F) << shift }
            if byte < 0x80 { return value }
            shift += 7
        }
        ranOver = true
        return value
    }

    mutating func sleb() -> Int64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
            let byte = bytes[position]
            position += 1
            if shift < 64 { value |= UInt64(byte & 0x7F) << shift }
            shift += 7
            if byte < 0x80 {
                if byte & 0x40 != 0, shift < 64 { value |= UInt64.max << shift }
                return Int64(bitPattern: value)
            }
        }
        ranOver = true
        return Int64(bitPattern: value)
    }

    /// The bytes up to a zero, or `nil` when there is none within 4 KiB.
    mutating func string() -> String? {
        let start = position
        while position < end, position - start < 4096 {
            if bytes[position] == 0 {
                defer { position += 1 }
                return String(decoding: bytes[start..<position], as: UTF8.self)
            }
            position += 1
        }
        fail()
        return nil
    }
}
