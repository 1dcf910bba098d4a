// SPDX-License-Identifier: Apache-2.0
// Decodes the operations of a DWARF expression.

internal import CElfutils

/// One operation of a DWARF expression, with its operands.
struct LocationOperation {
    var atom: Int
    /// The first operand; a signed one is extended to 64 bits.
    var number: UInt64 = 0
    /// The second operand.
    var number2: UInt64 = 0
    /// The bytes that belong to it: an implicit value, or the expression of an entry value.
    var bytes: [UInt8] = []

    /// An operation that libdw decoded, of call frame information.
    init(_ operation: Dwarf_Op) {
        atom = Int(operation.atom)
        number = operation.number
        number2 = operation.number2
    }

    private init(atom: Int) { self.atom = atom }

    /// The most operations of an expression, and the most bytes of an operand.
    private static let maxOperations = 1024
    private static let maxBytes: UInt64 = 4096

    /// The operations of an expression; `nil` when it is malformed, unknown or too long.
    ///
    /// Not libdw's, which reads outside of forged sections. Source: DWARF 5, section 7.7.1.
    static func decode(_ bytes: UnsafeRawBufferPointer, is64: Bool) -> [LocationOperation]? {
        var reader = DwarfBytes(bytes)
        var operations: [LocationOperation] = []
        while !reader.isAtEnd {
            guard operations.count < maxOperations else { return nil }
            var operation = LocationOperation(atom: Int(reader.u8()))
            guard operation.readOperands(&reader, is64: is64), !reader.ranOver else { return nil }
            operations.append(operation)
        }
        return operations
    }

    private mutating func readOperands(_ reader: inout DwarfBytes, is64: Bool) -> Bool {
        switch atom {
        case DW_OP_deref, DW_OP_dup...DW_OP_over, DW_OP_swap...DW_OP_plus, DW_OP_shl...DW_OP_xor,
            DW_OP_eq...DW_OP_ne, DW_OP_lit0...DW_OP_reg31, DW_OP_nop, DW_OP_call_frame_cfa,
            DW_OP_form_tls_address, DW_OP_push_object_address, DW_OP_stack_value,
            DW_OP_GNU_push_tls_address:
            break
        case DW_OP_addr, DW_OP_const8u, DW_OP_const8s: number = reader.u64()
        case DW_OP_const1u, DW_OP_pick, DW_OP_deref_size, DW_OP_xderef_size:
            number = UInt64(reader.u8())
        case DW_OP_const1s: number = UInt64(bitPattern: Int64(Int8(bitPattern: reader.u8())))
        case DW_OP_const2u: number = UInt64(reader.u16())
        case DW_OP_const2s, DW_OP_skip, DW_OP_bra:
            number = UInt64(bitPattern: Int64(Int16(bitPattern: reader.u16())))
        case DW_OP_const4u: number = UInt64(reader.u32())
        case DW_OP_const4s: number = UInt64(bitPattern: Int64(Int32(bitPattern: reader.u32())))
        case DW_OP_constu, DW_OP_plus_uconst, DW_OP_regx, DW_OP_piece, DW_OP_addrx, DW_OP_constx,
            DW_OP_convert, DW_OP_reinterpret, DW_OP_GNU_convert, DW_OP_GNU_reinterpret,
            DW_OP_GNU_addr_index, DW_OP_GNU_const_index:
            number = reader.uleb()
        case DW_OP_consts, DW_OP_fbreg, DW_OP_breg0...DW_OP_breg31:
            number = UInt64(bitPattern: reader.sleb())
        case DW_OP_bregx:
            number = reader.uleb()
            number2 = UInt64(bitPattern: reader.sleb())
        case DW_OP_bit_piece, DW_OP_regval_type, DW_OP_GNU_regval_type:
            number = reader.uleb()
            number2 = reader.uleb()
        case DW_OP_deref_type, DW_OP_GNU_deref_type:
            number = UInt64(reader.u8())
            number2 = reader.uleb()
        case DW_OP_implicit_pointer, DW_OP_GNU_implicit_pointer:
            number = is64 ? reader.u64() : UInt64(reader.u32())
            number2 = UInt64(bitPattern: reader.sleb())
        case DW_OP_GNU_parameter_ref: number = UInt64(reader.u32())
        case DW_OP_implicit_value, DW_OP_entry_value, DW_OP_GNU_entry_value:
            return readBytes(&reader, reader.uleb())
        default: return false
        }
        return true
    }

    private mutating func readBytes(_ reader: inout DwarfBytes, _ count: UInt64) -> Bool {
        guard count <= Self.maxBytes else { return false }
        number = count
        for _ in 0..<count { bytes.append(reader.u8()) }
        return true
    }
}
