// SPDX-License-Identifier: Apache-2.0
// Finds the ELF symbol that an address lies in.

internal import CElfutils
internal import Glibc
internal import SondeModel

/// The functions of an image's symbol table, by address.
///
/// Names are read when they are asked for: a big program has a million of them.
struct ElfSymbols {
    private let image: ElfImage
    private let nameSection: Int
    private var entries: [Entry] = []

    private struct Entry {
        var address: UInt64
        /// The address after the function; where the next one begins when the symbol has no size.
        var end: UInt64
        var name: UInt32
        /// What is preferred of several symbols at one address: the largest.
        var rank: UInt8
    }

    /// The symbols of `.symtab`, or of `.dynsym` when the image is stripped; `nil` without either.
    init?(_ image: ElfImage) {
        self.image = image
        let tables = image.sections.filter { $0.size > 0 }
        guard
            let table = tables.first(where: { $0.type == SHT_SYMTAB })
                ?? tables.first(where: { $0.type == SHT_DYNSYM }),
            let scn = elf_getscn(image.handle, table.index), let data = elf_getdata(scn, nil)
        else { return nil }
        nameSection = table.link
        var header = GElf_Shdr()
        guard gelf_getshdr(scn, &header) != nil, header.sh_entsize > 0 else { return nil }
        let count = data.pointee.d_size / Int(clamping: header.sh_entsize)
        for index in 0..<min(count, Int(Int32.max)) {
            var symbol = GElf_Sym()
            guard gelf_getsym(data, Int32(index), &symbol) != nil else { break }
            if let entry = Self.entry(symbol) { entries.append(entry) }
        }
        sortAndClose()
    }

    private static func entry(_ symbol: GElf_Sym) -> Entry? {
        guard symbol.st_name != 0, symbol.st_shndx != SHN_UNDEF, symbol.st_value != 0 else {
            return nil
        }
        let kind = Int32(symbol.st_info & 15)
        var rank: UInt8
        switch kind {
        case STT_FUNC, STT_GNU_IFUNC: rank = functionRank
        // Assembly often leaves the kind out.
        case STT_NOTYPE: rank = 0
        default: return nil
        }
        if symbol.st_size > 0 { rank += 4 }
        switch Int32(symbol.st_info >> 4) {
        case STB_GLOBAL: rank += 2
        case STB_WEAK: rank += 1
        default: break
        }
        let (end, overflow) = symbol.st_value.addingReportingOverflow(symbol.st_size)
        return Entry(
            address: symbol.st_value, end: overflow ? .max : end, name: symbol.st_name, rank: rank)
    }

    /// Sorts by address, keeps the best of several symbols at one, and gives those without a size
    /// the room up to the next one or to the end of their section.
    private mutating func sortAndClose() {
        entries.sort { left, right in
            left.address == right.address ? left.rank > right.rank : left.address < right.address
        }
        var kept: [Entry] = []
        for entry in entries where kept.last?.address != entry.address { kept.append(entry) }
        entries = kept
        let code = image.sections.filter { $0.flags & UInt64(SHF_EXECINSTR) != 0 }
        for index in entries.indices where entries[index].end == entries[index].address {
            let address = entries[index].address
            let section = code.first { address >= $0.address && address - $0.address < $0.size }
            // A mark outside code is no function.
            guard let section else { continue }
            let next = index + 1 < entries.count ? entries[index + 1].address : .max
            entries[index].end = min(next, section.address &+ section.size)
        }
    }

    /// A function's linker name and first address.
    func symbol(at address: ImageAddress) -> (name: String, start: ImageAddress)? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].address <= address.rawValue {
                low = middle + 1
            } else {
                high = middle
            }
        }
        // A mark without a kind may lie inside a function: functions are preferred, a little back.
        let near = entries[max(0, low - 8)..<low].reversed().filter { address.rawValue < $0.end }
        let best = near.first { $0.rank >= Self.functionRank } ?? near.first
        guard let best, let name = elf_strptr(image.handle, nameSection, Int(best.name)) else {
            return nil
        }
        let length = strnlen(name, SymbolName.maxLength + 1)
        guard length > 0, length <= SymbolName.maxLength else { return nil }
        // Versions are part of the name in some tables: memcpy@@GLIBC_2.14.
        let text = String(cString: name).prefix { $0 != "@" }
        return text.isEmpty ? nil : (String(text), ImageAddress(best.address))
    }

    private static let functionRank: UInt8 = 8
}
