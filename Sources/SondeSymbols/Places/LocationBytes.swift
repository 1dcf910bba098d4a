// SPDX-License-Identifier: Apache-2.0
// Finds the expression that holds at an instruction: the only one, or that of a location list.

internal import CElfutils

/// What location lists of a unit refer to.
private struct UnitBases {
    var version: UInt16 = 0
    var is64 = false
    /// What the addresses of a list are relative to.
    var address: UInt64 = 0
    var lists: UInt64 = 0
    var addresses: UInt64 = 0
    /// The unit's first byte in `.debug_info`.
    var start: UInt64 = 0
}

/// Finds the expressions of attributes in an untrusted image.
///
/// Not libdw's, which reads outside of forged location lists.
/// Source: DWARF 4, section 2.6.2; DWARF 5, sections 2.6.2 and 7.7.3.
struct LocationBytes {
    private let dwarf: DwarfInfo

    init(_ dwarf: DwarfInfo) { self.dwarf = dwarf }

    /// What an attribute says at an instruction.
    enum Found {
        case operations([LocationOperation])
        /// The list has nothing for the instruction.
        case nothing
        case malformed
    }

    /// The expression of an attribute at an instruction.
    ///
    /// The budget is how many entries of lists may still be read.
    func find(_ attribute: Dwarf_Attribute, at address: UInt64, _ budget: inout Int) -> Found {
        var attribute = attribute
        switch Int(attribute.form) {
        case DW_FORM_exprloc, DW_FORM_block, DW_FORM_block1, DW_FORM_block2, DW_FORM_block4:
            var block = Dwarf_Block()
            guard dwarf_formblock(&attribute, &block) == 0, let data = block.data,
                block.length <= 1 << 20, let bases = bases(attribute.cu)
            else { return .malformed }
            // Safety: libdw checked that the block lies inside the section, which stays mapped.
            let bytes = UnsafeRawBufferPointer(start: data, count: Int(block.length))
            guard let operations = LocationOperation.decode(bytes, is64: bases.is64) else {
                return .malformed
            }
            return .operations(operations)
        case DW_FORM_sec_offset, DW_FORM_data4, DW_FORM_data8, DW_FORM_loclistx:
            guard let bases = bases(attribute.cu), let place = list(attribute, bases) else {
                return .malformed
            }
            return bases.version >= 5
                ? find5(at: place, bases, address, &budget)
                : find4(at: place, bases, address, &budget)
        default: return .malformed
        }
    }

    /// An address of the unit's table of addresses.
    func address(at index: UInt64, _ attribute: Dwarf_Attribute) -> UInt64? {
        bases(attribute.cu).flatMap { address(at: index, $0) }
    }

    /// The entry at an offset in the attribute's unit.
    func entry(at offset: UInt64, _ attribute: Dwarf_Attribute) -> DwarfEntry? {
        guard let bases = bases(attribute.cu) else { return nil }
        return dwarf.entry(at: bases.start &+ offset)
    }

    private func bases(_ unit: OpaquePointer?) -> UnitBases? {
        guard let unit else { return nil }
        var bases = UnitBases()
        var entry = Dwarf_Die()
        var offsetSize: UInt8 = 0
        guard dwarf_cu_info(unit, &bases.version, nil, &entry, nil, nil, nil, &offsetSize) == 0
        else { return nil }
        bases.is64 = offsetSize == 8
        var low: Dwarf_Addr = 0
        if dwarf_lowpc(&entry, &low) == 0 { bases.address = low }
        bases.start = dwarf_dieoffset(&entry) &- dwarf_cuoffset(&entry)
        let top = DwarfEntry(entry)
        // Without the attribute, the tables follow the section's header.
        bases.lists = top.sectionOffset(Int(DW_AT_loclists_base)) ?? (bases.is64 ? 20 : 12)
        bases.addresses =
            top.sectionOffset(Int(DW_AT_addr_base))
            ?? top.sectionOffset(Int(DW_AT_GNU_addr_base)) ?? (bases.is64 ? 16 : 8)
        return bases
    }

    /// The offset of an attribute's list in its section.
    private func list(_ attribute: Dwarf_Attribute, _ bases: UnitBases) -> UInt64? {
        guard let info = dwarf.section(".debug_info"), let start = info.baseAddress,
            let value = attribute.valp
        else { return nil }
        let place = UnsafeRawPointer(value) - start
        guard place >= 0, place < info.count else { return nil }
        // Safety: the place was checked to lie in the section.
        var reader = DwarfBytes(UnsafeRawBufferPointer(rebasing: info[place...]))
        switch Int(attribute.form) {
        case DW_FORM_data4: return UInt64(reader.u32())
        case DW_FORM_data8: return reader.u64()
        case DW_FORM_sec_offset: return bases.is64 ? reader.u64() : UInt64(reader.u32())
        default: break
        }
        let (distance, overflow) = reader.uleb().multipliedReportingOverflow(
            by: bases.is64 ? 8 : 4)
        guard !overflow, var table = bytes(".debug_loclists", at: bases.lists &+ distance) else {
            return nil
        }
        return bases.lists &+ (bases.is64 ? table.u64() : UInt64(table.u32()))
    }

    private func bytes(_ section: String, at offset: UInt64) -> DwarfBytes? {
        guard let bytes = dwarf.section(section), offset < UInt64(bytes.count) else { return nil }
        return DwarfBytes(UnsafeRawBufferPointer(rebasing: bytes[Int(offset)...]))
    }

    private func address(at index: UInt64, _ bases: UnitBases) -> UInt64? {
        guard index < 1 << 32 else { return nil }
        var table = bytes(".debug_addr", at: bases.addresses &+ index * 8)
        return table?.u64()
    }

    private func operations(
        _ reader: inout DwarfBytes, length: UInt64, _ bases: UnitBases
    ) -> Found {
        guard let bytes = reader.bytes(length),
            let operations = LocationOperation.decode(bytes, is64: bases.is64)
        else { return .malformed }
        return .operations(operations)
    }

    private func find4(
        at place: UInt64, _ bases: UnitBases, _ address: UInt64, _ budget: inout Int
    ) -> Found {
        guard var list = bytes(".debug_loc", at: place) else { return .malformed }
        var base = bases.address
        while !list.isAtEnd, budget > 0 {
            budget -= 1
            let (start, end) = (list.u64(), list.u64())
            if start == 0, end == 0 { return .nothing }
            if start == .max {
                base = end
                continue
            }
            let length = UInt64(list.u16())
            if address >= base &+ start, address < base &+ end {
                return operations(&list, length: length, bases)
            }
            list.skip(length)
        }
        return .malformed
    }

    private func find5(
        at place: UInt64, _ bases: UnitBases, _ address: UInt64, _ budget: inout Int
    ) -> Found {
        guard var list = bytes(".debug_loclists", at: place) else { return .malformed }
        var base = bases.address
        var otherwise: Found = .nothing
        while !list.isAtEnd, budget > 0 {
            budget -= 1
            var (start, end): (UInt64?, UInt64?) = (nil, nil)
            let kind = Int(list.u8())
            switch kind {
            case DW_LLE_end_of_list: return otherwise
            case DW_LLE_base_addressx:
                guard let new = self.address(at: list.uleb(), bases) else { return .malformed }
                base = new
                continue
            case DW_LLE_base_address:
                base = list.u64()
                continue
            case DW_LLE_startx_endx:
                start = self.address(at: list.uleb(), bases)
                end = self.address(at: list.uleb(), bases)
            case DW_LLE_startx_length:
                start = self.address(at: list.uleb(), bases)
                let length = list.uleb()
                end = start.map { $0 &+ length }
            case DW_LLE_offset_pair:
                start = base &+ list.uleb()
                end = base &+ list.uleb()
            case DW_LLE_start_end: (start, end) = (list.u64(), list.u64())
            case DW_LLE_start_length:
                start = list.u64()
                let length = list.uleb()
                end = start.map { $0 &+ length }
            case DW_LLE_default_location: break
            default: return .malformed
            }
            let length = list.uleb()
            if kind == DW_LLE_default_location {
                otherwise = operations(&list, length: length, bases)
                continue
            }
            guard let start, let end else { return .malformed }
            if address >= start, address < end {
                return operations(&list, length: length, bases)
            }
            list.skip(length)
        }
        return .malformed
    }
}
