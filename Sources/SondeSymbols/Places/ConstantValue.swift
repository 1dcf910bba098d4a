// SPDX-License-Identifier: Apache-2.0
// The constant that stands in for a variable's location.

internal import CElfutils

extension DwarfEntry {
    /// The bytes of a constant that stands in for the entry's location.
    func constantValue(sizeBytes: UInt64) -> [UInt8]? {
        guard var attribute = attribute(Int(DW_AT_const_value)), sizeBytes <= 4096 else {
            return nil
        }
        let form = Int(attribute.form)
        switch form {
        case DW_FORM_block, DW_FORM_block1, DW_FORM_block2, DW_FORM_block4, DW_FORM_data16,
            DW_FORM_exprloc:
            var block = Dwarf_Block()
            guard dwarf_formblock(&attribute, &block) == 0, let data = block.data,
                (1...4096).contains(block.length), block.length >= sizeBytes
            else { return nil }
            // Safety: libdw checked that the block lies inside the section, which stays mapped.
            return Array(UnsafeBufferPointer(start: data, count: Int(block.length)))
        case DW_FORM_string, DW_FORM_strp, DW_FORM_line_strp, DW_FORM_strx, DW_FORM_strx1,
            DW_FORM_strx2, DW_FORM_strx3, DW_FORM_strx4:
            return string(Int(DW_AT_const_value)).map { Array($0.utf8) + [0] }
        default: break
        }
        var value: UInt64 = 0
        if form == DW_FORM_sdata || form == DW_FORM_implicit_const {
            var signed: Int64 = 0
            guard dwarf_formsdata(&attribute, &signed) == 0 else { return nil }
            value = UInt64(bitPattern: signed)
        } else {
            guard dwarf_formudata(&attribute, &value) == 0 else { return nil }
        }
        let sign: UInt8 = form == DW_FORM_sdata && Int64(bitPattern: value) < 0 ? 0xFF : 0
        let size = sizeBytes == 0 ? 8 : Int(sizeBytes)
        return (0..<size).map { index in
            index < 8 ? UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))) : sign
        }
    }
}
