// SPDX-License-Identifier: Apache-2.0
// An image's DWARF: finds the functions and inlined calls at an address, and their names.

internal import CElfutils
internal import SondeModel

/// What DWARF says about a function.
struct DwarfFunction {
    /// The linker's name, or empty.
    var linkageName = ""
    /// The name in the source, without scopes.
    var name = ""
    /// The file in which it is declared, or empty.
    var file = ""
    /// The line on which it begins, or 0.
    var line: Int32 = 0
}

/// The DWARF of one image, versions 2 to 5 side by side.
///
/// Units are indexed when an address in them is asked for first, and indexes are dropped again when
/// they outgrow ``SymbolLimits/rangesInMemory``. Not thread safe.
final class DwarfInfo {
    private let image: ElfImage
    let limits: SymbolLimits
    // Safety: owned by this object from init to deinit; `image` outlives it.
    let handle: OpaquePointer
    private(set) var units: [DwarfEntry] = []
    private var starts: [UInt64] = []
    private var ranges: [(start: UInt64, end: UInt64, unit: Int32)] = []
    private var scopesOfUnit: [Int32: DwarfScopes] = [:]
    private var functionAt: [UInt64: DwarfFunction] = [:]
    private var filesOfUnit: [UInt64: DwarfFileTable] = [:]
    private var sizeInMemory = 0
    private var bytesOfSection: [String: UnsafeRawBufferPointer?] = [:]
    private(set) lazy var lineSections = DwarfFileTable.Sections(
        line: bytes(".debug_line"), strings: bytes(".debug_str"),
        lineStrings: bytes(".debug_line_str"))

    /// The debug info of an image, or `nil` when it has none that can be read.
    init?(_ image: ElfImage, limits: SymbolLimits) {
        guard image.hasDebugInfo, let handle = dwarf_begin_elf(image.handle, DWARF_C_READ, nil)
        else {
            return nil
        }
        self.image = image
        self.limits = limits
        self.handle = handle
        readUnits()
    }

    deinit { dwarf_end(handle) }

    /// The bytes of a section, expanded; they live as long as this object.
    func section(_ name: String) -> UnsafeRawBufferPointer? {
        if let known = bytesOfSection[name] { return known }
        let found = bytes(name)
        bytesOfSection[name] = .some(found)
        return found
    }

    private func bytes(_ name: String) -> UnsafeRawBufferPointer? {
        // Old compressed sections are renamed; libdw expanded both kinds in place.
        let section =
            image.sections.first { $0.name == name }
            ?? image.sections.first { $0.name == ".z" + name.dropFirst() }
        return section.flatMap(image.bytes(of:))
    }

    private func readUnits() {
        var unit: OpaquePointer?
        var budget = limits.rangesPerUnit
        while units.count < limits.units, budget > 0 {
            var next: OpaquePointer?
            var entry = Dwarf_Die()
            var kind: UInt8 = 0
            // The last argument would make libdw open the split files that the image names.
            guard dwarf_get_units(handle, unit, &next, nil, &kind, &entry, nil) == 0 else { break }
            unit = next
            guard Int(kind) == DW_UT_compile || Int(kind) == DW_UT_partial else { continue }
            let index = Int32(units.count)
            units.append(DwarfEntry(entry))
            DwarfEntry(entry).forEachRange { start, end in
                budget -= 1
                if start != 0, start < end { ranges.append((start, end, index)) }
                return budget > 0
            }
        }
        ranges.sort { $0.start < $1.start }
        starts = ranges.map(\.start)
    }

    /// The functions at an address, outermost first; empty when no unit knows it.
    func functions(at address: ImageAddress) -> [DwarfFunction] {
        guard let unit = unit(at: address.rawValue) else { return [] }
        let found = scopes(of: unit).scopes(at: address.rawValue)
        return found.compactMap { function(at: $0.entry) }
    }

    /// The index of the unit that knows an address.
    func unit(at address: UInt64) -> Int32? {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= address { low = middle + 1 } else { high = middle }
        }
        // Ranges of units do not overlap in a sane image; an odd one may span a few others.
        for index in stride(from: low - 1, through: max(0, low - 8), by: -1)
        where address < ranges[index].end {
            return ranges[index].unit
        }
        return nil
    }

    /// The functions and inlined calls of a unit.
    func scopes(of unit: Int32) -> DwarfScopes {
        if let scopes = scopesOfUnit[unit] { return scopes }
        let scopes = DwarfScopes(unit: units[Int(unit)], limits: limits)
        if sizeInMemory + scopes.size > limits.rangesInMemory {
            scopesOfUnit = [:]
            functionAt = [:]
            sizeInMemory = 0
        }
        sizeInMemory += scopes.size
        scopesOfUnit[unit] = scopes
        return scopes
    }

    /// The entry at an offset of `.debug_info`.
    func entry(at offset: UInt64) -> DwarfEntry? {
        var die = Dwarf_Die()
        return dwarf_offdie(handle, offset, &die) != nil ? DwarfEntry(die) : nil
    }

    /// What is said of the function at an offset of `.debug_info`.
    func function(at offset: UInt64) -> DwarfFunction? {
        if let function = functionAt[offset] { return function }
        guard let start = self.entry(at: offset) else { return nil }
        var function = DwarfFunction()
        var file: (number: UInt64, unit: DwarfEntry?)?
        var entry: DwarfEntry? = start
        // An inlined call refers to the function's abstract copy, and that one to its declaration;
        // the chain is cut because a malformed one may be a ring.
        for _ in 0..<8 {
            guard let current = entry else { break }
            if function.linkageName.isEmpty {
                function.linkageName =
                    current.string(Int(DW_AT_linkage_name))
                    ?? current.string(Int(DW_AT_MIPS_linkage_name)) ?? ""
            }
            if function.name.isEmpty { function.name = current.string(Int(DW_AT_name)) ?? "" }
            if function.line == 0 {
                function.line = Int32(clamping: current.number(Int(DW_AT_decl_line)) ?? 0)
            }
            if file == nil, let number = current.number(Int(DW_AT_decl_file)) {
                file = (number, current.unit)
            }
            entry =
                current.reference(Int(DW_AT_abstract_origin))
                ?? current.reference(Int(DW_AT_specification))
        }
        if let file, let unit = file.unit { function.file = files(of: unit)[file.number] }
        if function.file.hasPrefix("<") { function.file = "" }
        if functionAt.count >= 1 << 20 { functionAt = [:] }
        functionAt[offset] = function
        return function
    }

    /// The source files of a unit.
    func files(of unit: DwarfEntry) -> DwarfFileTable {
        if let table = filesOfUnit[unit.offset] { return table }
        var table = DwarfFileTable()
        if let offset = unit.sectionOffset(Int(DW_AT_stmt_list)) {
            table = DwarfFileTable(
                at: offset, in: lineSections, directory: unit.string(Int(DW_AT_comp_dir)) ?? "")
        }
        if filesOfUnit.count >= 4096 { filesOfUnit = [:] }
        filesOfUnit[unit.offset] = table
        return table
    }
}
