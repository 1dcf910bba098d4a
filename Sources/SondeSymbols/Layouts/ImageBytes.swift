// SPDX-License-Identifier: Apache-2.0
// An image's bytes by the addresses they are loaded at, and what its pointers point to.

internal import CElfutils
internal import Glibc

/// Reads an image's data by address, as the program would find it after loading.
///
/// Nothing outside the file is read, whatever its headers say. Not thread safe.
final class ImageBytes {
    /// What a pointer in the image's data points to.
    enum Target {
        case address(UInt64)
        /// A symbol of another image, which the loader looks up.
        case symbol(String)
    }

    let image: ElfImage
    /// The file with the full symbol table, which may be that of the debug info.
    private let symbols: ElfImage
    // Safety: the mapping belongs to `image`, which lives as long as this object.
    private let file: UnsafeRawBufferPointer
    private let segments: [ElfImage.Segment]
    private lazy var relocations = readRelocations()

    /// How many relocations and symbols of an image are looked at.
    static let maxEntries = 4 << 20

    /// The bytes of a file, and the symbols of the first of several files that has all of them.
    init(_ image: ElfImage, symbolsOf others: [ElfImage] = []) {
        self.image = image
        symbols = ([image] + others).first(where: \.hasSymbolTable) ?? image
        var size = 0
        let start = elf_rawfile(image.handle, &size)
        file = UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : size)
        // A file with only debug info keeps the headers of segments whose bytes it lacks.
        segments = image.mapsCode ? image.segments.filter { $0.fileSize > 0 } : []
    }

    /// The bytes at an address; `nil` when the file does not hold all of them.
    func bytes(at address: UInt64, _ count: Int) -> UnsafeRawBufferPointer? {
        for segment in segments where address >= segment.address {
            let distance = address - segment.address
            guard distance < segment.fileSize, segment.fileSize - distance >= UInt64(count) else {
                continue
            }
            let (offset, overflow) = segment.offset.addingReportingOverflow(distance)
            guard !overflow, offset <= UInt64(file.count),
                UInt64(file.count) - offset >= UInt64(count)
            else { continue }
            return UnsafeRawBufferPointer(rebasing: file[Int(offset)..<Int(offset) + count])
        }
        return nil
    }

    /// A little-endian integer at an address.
    func integer<Integer: FixedWidthInteger>(at address: UInt64, _: Integer.Type) -> Integer? {
        guard let bytes = bytes(at: address, MemoryLayout<Integer>.size) else { return nil }
        return Integer(littleEndian: bytes.loadUnaligned(as: Integer.self))
    }

    /// The address that a 32-bit distance at an address leads to; `nil` for the distance 0.
    func relative(at address: UInt64) -> UInt64? {
        guard let distance = integer(at: address, Int32.self), distance != 0 else { return nil }
        return address &+ UInt64(bitPattern: Int64(distance))
    }

    /// The text at an address, up to its zero byte; `nil` for one of more than 4096 bytes.
    func text(at address: UInt64) -> String? {
        guard let bytes = mangledName(at: address, hasReferences: false) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The mangled name at an address; the bytes of symbolic references in it may be zero.
    func mangledName(at address: UInt64, hasReferences: Bool = true) -> [UInt8]? {
        var name: [UInt8] = []
        var place = address
        var kept = 0
        while name.count <= SwiftTypeParser.maxLength {
            guard let byte = integer(at: place, UInt8.self) else { return nil }
            place &+= 1
            if kept > 0 {
                kept -= 1
            } else if byte == 0 {
                return name
            } else if hasReferences, byte < 0x20 {
                kept = byte < 0x18 ? 4 : 8
            }
            name.append(byte)
        }
        return nil
    }

    /// What the pointer at an address points to after loading.
    func target(ofPointerAt address: UInt64) -> Target? {
        if let target = relocations[address] { return target }
        guard let value = integer(at: address, UInt64.self), value != 0 else { return nil }
        return .address(value)
    }

    private func readRelocations() -> [UInt64: Target] {
        var targets: [UInt64: Target] = [:]
        var budget = Self.maxEntries
        for section in image.sections where section.type == SHT_RELA {
            guard section.flags & UInt64(SHF_ALLOC) != 0,
                let scn = elf_getscn(image.handle, section.index),
                let data = elf_getdata(scn, nil)
            else { continue }
            let count = data.pointee.d_size / MemoryLayout<Elf64_Rela>.size
            for index in 0..<min(count, budget) {
                var entry = GElf_Rela()
                guard gelf_getrela(data, Int32(clamping: index), &entry) != nil else { break }
                if let target = target(of: entry, symbols: section.link) {
                    targets[entry.r_offset] = target
                }
            }
            budget -= min(count, budget)
        }
        return targets
    }

    private func target(of entry: GElf_Rela, symbols: Int) -> Target? {
        let kind = UInt32(truncatingIfNeeded: entry.r_info)
        switch Int32(bitPattern: kind) {
        case R_X86_64_RELATIVE: return .address(UInt64(bitPattern: entry.r_addend))
        case R_X86_64_GLOB_DAT, R_X86_64_64:
            guard let scn = elf_getscn(image.handle, symbols), let data = elf_getdata(scn, nil)
            else { return nil }
            var symbol = GElf_Sym()
            let index = Int32(clamping: entry.r_info >> 32)
            guard gelf_getsym(data, index, &symbol) != nil else { return nil }
            if symbol.st_shndx != UInt16(SHN_UNDEF) {
                return .address(symbol.st_value &+ UInt64(bitPattern: entry.r_addend))
            }
            var header = GElf_Shdr()
            guard gelf_getshdr(scn, &header) != nil else { return nil }
            return name(Int(symbol.st_name), in: Int(header.sh_link)).map(Target.symbol)
        default: return nil
        }
    }

    private func name(_ offset: Int, in section: Int) -> String? {
        guard let text = elf_strptr(image.handle, section, offset) else { return nil }
        guard strnlen(text, SymbolName.maxLength + 1) <= SymbolName.maxLength else { return nil }
        return String(cString: text)
    }

    /// Calls `body` with each symbol of data whose name ends as asked.
    func forEachDataSymbol(
        endingIn suffixes: [String], _ body: (_ name: String, _ address: UInt64) -> Void
    ) {
        let tables = symbols.sections.filter { $0.size > 0 }
        let table =
            tables.first { $0.type == SHT_SYMTAB } ?? tables.first { $0.type == SHT_DYNSYM }
        guard let table, let scn = elf_getscn(symbols.handle, table.index),
            let data = elf_getdata(scn, nil)
        else { return }
        let ends = suffixes.map { Array($0.utf8) }
        let count = min(
            data.pointee.d_size / MemoryLayout<Elf64_Sym>.size, Self.maxEntries)
        for index in 0..<count {
            var symbol = GElf_Sym()
            guard gelf_getsym(data, Int32(clamping: index), &symbol) != nil else { return }
            guard symbol.st_shndx != UInt16(SHN_UNDEF), symbol.st_value != 0,
                let text = elf_strptr(symbols.handle, table.link, Int(symbol.st_name)),
                text[0] == CChar(bitPattern: UInt8(ascii: "$"))
            else { continue }
            let length = strnlen(text, SymbolName.maxLength + 1)
            guard length <= SymbolName.maxLength else { continue }
            let name = UnsafeRawBufferPointer(start: text, count: length)
            guard
                ends.contains(where: {
                    $0.count <= length && name.suffix($0.count).elementsEqual($0)
                })
            else { continue }
            body(String(decoding: name, as: UTF8.self), symbol.st_value)
        }
    }

    /// Whether the loader lets nobody write to an address while the program runs.
    func isConstant(_ address: UInt64) -> Bool {
        let section = image.sections.first {
            address >= $0.address && address - $0.address < $0.size
                && $0.flags & UInt64(SHF_ALLOC) != 0
        }
        guard let section, section.type != SHT_NOBITS else { return false }
        return section.flags & UInt64(SHF_WRITE) == 0 || section.name == ".data.rel.ro"
            || section.name == ".rodata"
    }
}
