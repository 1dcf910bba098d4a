// SPDX-License-Identifier: Apache-2.0
// Runs the line program of a unit: which instruction belongs to which source line.

/// One row of a line table: from its address on, code belongs to its line.
struct LineRow {
    var address: UInt64
    /// 0 for code that belongs to no line.
    var line: UInt32
    var column: UInt16
    /// The number of the file in the unit's table.
    var file: UInt16
    var flags: Flags

    struct Flags: OptionSet {
        var rawValue: UInt8
        /// A statement begins here.
        static let isStatement = Flags(rawValue: 1)
        /// The function's frame is set up here.
        static let prologueEnd = Flags(rawValue: 2)
        /// The row is the address behind the last instruction, and belongs to no line.
        static let endSequence = Flags(rawValue: 4)
    }

    var isStatement: Bool { flags.contains(.isStatement) }
    var endsSequence: Bool { flags.contains(.endSequence) }
}

/// A line program, versions 2 to 5, of an untrusted file.
///
/// Not libdw's: that one sorts the rows of all sequences into one list, in which the functions that
/// the linker threw away, left at 0, lie among those that it kept; and it has no bound on the rows.
/// Source: DWARF 4 and DWARF 5, section 6.2.
struct LineProgram {
    private var reader: DwarfBytes
    private let version: UInt16
    private let minimumLength: UInt64
    private let operationsPerInstruction: UInt64
    private let defaultIsStatement: Bool
    private let lineBase: Int64
    private let lineRange: UInt64
    private let opcodeLengths: [UInt8]
    private var state: State

    /// The registers of the state machine.
    private struct State {
        var address: UInt64 = 0
        var operation: UInt64 = 0
        var file: UInt64 = 1
        var line: UInt64 = 1
        var column: UInt64 = 0
        var flags: LineRow.Flags
    }

    /// The program of the header at an offset of `.debug_line`; `nil` when it is malformed.
    init?(at offset: UInt64, in line: UnsafeRawBufferPointer?) {
        guard let line, offset < UInt64(line.count) else { return nil }
        reader = DwarfBytes(UnsafeRawBufferPointer(rebasing: line[Int(offset)...]))
        var length = UInt64(reader.u32())
        let is64 = length == 0xFFFF_FFFF
        if is64 { length = reader.u64() }
        reader.limit(to: length)
        version = reader.u16()
        guard (2...5).contains(version) else { return nil }
        if version == 5 {
            guard reader.u8() == 8 else { return nil }  // size of an address
            _ = reader.u8()  // size of a segment selector
        }
        let headerLength = is64 ? reader.u64() : UInt64(reader.u32())
        var program = reader
        program.skip(headerLength)
        minimumLength = UInt64(reader.u8())
        operationsPerInstruction = version >= 4 ? max(1, UInt64(reader.u8())) : 1
        defaultIsStatement = reader.u8() != 0
        lineBase = Int64(Int8(bitPattern: reader.u8()))
        lineRange = UInt64(reader.u8())
        var lengths: [UInt8] = [0]
        let opcodeBase = reader.u8()
        guard lineRange > 0, opcodeBase > 0 else { return nil }
        for _ in 1..<max(1, opcodeBase) { lengths.append(reader.u8()) }
        opcodeLengths = lengths
        reader = program
        state = State(flags: defaultIsStatement ? .isStatement : [])
    }

    /// Runs the program and hands over its rows, in the order of the program.
    ///
    /// - Parameter body: Gets a row, and answers whether to go on.
    mutating func run(_ body: (LineRow) -> Bool) {
        while !reader.isAtEnd {
            let opcode = reader.u8()
            let emits: Bool
            if Int(opcode) >= opcodeLengths.count {
                let adjusted = UInt64(opcode) - UInt64(opcodeLengths.count)
                advance(by: adjusted / lineRange)
                state.line =
                    state.line
                    &+ UInt64(
                        bitPattern: lineBase &+ Int64(adjusted % lineRange))
                emits = true
            } else if opcode == 0 {
                emits = extended()
            } else {
                emits = standard(opcode)
            }
            guard emits else { continue }
            guard body(row) else { return }
            state.flags.remove(.prologueEnd)
            if state.flags.contains(.endSequence) {
                state = State(flags: defaultIsStatement ? .isStatement : [])
            }
        }
    }

    private var row: LineRow {
        LineRow(
            address: state.address, line: UInt32(clamping: state.line),
            column: UInt16(clamping: state.column), file: UInt16(clamping: state.file),
            flags: state.flags)
    }

    private mutating func advance(by operations: UInt64) {
        if operationsPerInstruction == 1 {
            state.address &+= minimumLength &* operations
            return
        }
        let total = state.operation &+ operations
        state.address &+= minimumLength &* (total / operationsPerInstruction)
        state.operation = total % operationsPerInstruction
    }

    /// Executes a standard operation; answers whether it makes a row.
    private mutating func standard(_ opcode: UInt8) -> Bool {
        switch opcode {
        case 1: return true  // DW_LNS_copy
        case 2: advance(by: reader.uleb())
        case 3: state.line = state.line &+ UInt64(bitPattern: reader.sleb())
        case 4: state.file = reader.uleb()
        case 5: state.column = reader.uleb()
        case 6: state.flags.formSymmetricDifference(.isStatement)
        case 7: break  // DW_LNS_set_basic_block
        case 8: advance(by: (255 - UInt64(opcodeLengths.count)) / lineRange)
        case 9:  // DW_LNS_fixed_advance_pc
            state.address &+= UInt64(reader.u16())
            state.operation = 0
        case 10: state.flags.insert(.prologueEnd)
        case 11: break  // DW_LNS_set_epilogue_begin
        default: for _ in 0..<opcodeLengths[Int(opcode)] { _ = reader.uleb() }
        }
        return false
    }

    /// Executes an extended operation; answers whether it makes a row.
    private mutating func extended() -> Bool {
        let length = reader.uleb()
        var operands = reader
        operands.limit(to: length)
        reader.skip(length)
        switch operands.u8() {
        case 1:  // DW_LNE_end_sequence
            state.flags.insert(.endSequence)
            return true
        case 2 where length == 9:  // DW_LNE_set_address
            state.address = operands.u64()
            state.operation = 0
        default: break
        }
        return false
    }
}
