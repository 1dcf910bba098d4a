// SPDX-License-Identifier: Apache-2.0
// Reads the few x86-64 instructions that follow a prologue; not a disassembler.

/// One instruction, as far as it moves addresses in the frame around.
struct FrameInstruction {
    enum Operand {
        case none
        case register(UInt8)
        /// A base register plus a displacement.
        case memory(base: UInt8, Int64)
        /// Memory that cannot be in the frame, or that is not understood.
        case elsewhere
    }

    enum Effect {
        /// The register becomes the operand's address.
        case address
        /// The register becomes the operand's value.
        case copy
        /// A constant is added to the register.
        case plus(Int64)
        case other
    }

    var operand: Operand = .none
    /// Whether the operand in memory is written.
    var stores = false
    /// Whether eight bytes are moved.
    var isFullWord = false
    /// The general register that changes.
    var writes: UInt8?
    var effect: Effect = .other
}

/// A place in machine code; every instruction that it does not know ends it.
struct CodeReader {
    private let code: ArraySlice<UInt8>
    /// How many bytes were read.
    private(set) var offset = 0

    init(_ code: ArraySlice<UInt8>) { self.code = code }

    private mutating func byte() -> UInt8? {
        guard offset < code.count else { return nil }
        defer { offset += 1 }
        return code[code.startIndex + offset]
    }

    private mutating func signed(bytes: Int) -> Int64? {
        var value: UInt64 = 0
        for index in 0..<bytes {
            guard let byte = byte() else { return nil }
            value |= UInt64(byte) << (8 * UInt64(index))
        }
        let shift = UInt64(64 - 8 * bytes)
        return Int64(bitPattern: value << shift) >> Int64(shift)
    }

    /// The next instruction; `nil` at the end, at a jump or call, and at any other that is unknown.
    mutating func next() -> FrameInstruction? {
        guard var opcode = byte() else { return nil }
        var hasPrefix = false
        while [0x66, 0xF2, 0xF3].contains(opcode) {
            hasPrefix = true
            guard let next = byte() else { return nil }
            opcode = next
        }
        var rex: UInt8 = 0
        if opcode & 0xF0 == 0x40 {
            rex = opcode
            guard let next = byte() else { return nil }
            opcode = next
        }
        if opcode == 0x0F { return vector(rex) }
        guard !hasPrefix || opcode == 0x90 else { return nil }
        return integer(opcode, rex)
    }

    private mutating func integer(_ opcode: UInt8, _ rex: UInt8) -> FrameInstruction? {
        let wide = rex & 8 != 0
        let low = opcode & 7 | (rex & 1) << 3
        switch opcode {
        case 0x50...0x57: return FrameInstruction()  // push
        case 0x58...0x5F: return FrameInstruction(writes: low)  // pop
        case 0x90: return FrameInstruction()
        case 0xB8...0xBF:  // mov register, constant
            guard signed(bytes: wide ? 8 : 4) != nil else { return nil }
            return FrameInstruction(writes: low)
        case 0x89:  // mov to memory or register
            guard let (register, operand) = operands(rex) else { return nil }
            if case .register(let target) = operand {
                return FrameInstruction(
                    operand: .register(register), writes: target, effect: wide ? .copy : .other)
            }
            return FrameInstruction(operand: operand, stores: true, isFullWord: wide)
        case 0x8B, 0x63:  // mov from memory or register, with sign extension or without
            guard let (register, operand) = operands(rex) else { return nil }
            return FrameInstruction(
                operand: operand, writes: register,
                effect: wide && opcode == 0x8B && operand.isRegister ? .copy : .other)
        case 0x8D:  // lea
            guard let (register, operand) = operands(rex) else { return nil }
            return FrameInstruction(
                operand: operand, writes: register, effect: wide ? .address : .other)
        case 0x85, 0x84, 0x39, 0x3B, 0x38, 0x3A:  // test, cmp
            guard let (_, operand) = operands(rex) else { return nil }
            return FrameInstruction(operand: operand)
        case 0x01, 0x29, 0x31, 0x09, 0x21:  // arithmetic to memory or register
            guard let (_, operand) = operands(rex) else { return nil }
            if case .register(let target) = operand { return FrameInstruction(writes: target) }
            return FrameInstruction(operand: operand, stores: true)
        case 0x03, 0x2B, 0x33, 0x0B, 0x23:  // arithmetic to register
            guard let (register, operand) = operands(rex) else { return nil }
            return FrameInstruction(operand: operand, writes: register)
        case 0x83, 0x81: return arithmetic(opcode, rex)
        case 0xC6, 0xC7:  // mov memory or register, constant
            guard let (_, operand) = operands(rex),
                signed(bytes: opcode == 0xC6 ? 1 : 4) != nil
            else { return nil }
            if case .register(let target) = operand { return FrameInstruction(writes: target) }
            return FrameInstruction(operand: operand, stores: true)
        case 0x88:  // mov byte to memory
            guard let (_, operand) = operands(rex) else { return nil }
            if case .register(let target) = operand { return FrameInstruction(writes: target) }
            return FrameInstruction(operand: operand, stores: true)
        default: return nil
        }
    }

    /// Arithmetic with a constant.
    private mutating func arithmetic(_ opcode: UInt8, _ rex: UInt8) -> FrameInstruction? {
        guard let (kind, operand) = operands(rex & 0xFB),
            let constant = signed(bytes: opcode == 0x83 ? 1 : 4)
        else { return nil }
        guard case .register(let target) = operand else {
            return FrameInstruction(operand: operand, stores: kind != 7)
        }
        if kind == 7 { return FrameInstruction() }  // cmp
        let isWide = rex & 8 != 0
        switch kind {
        case 0 where isWide: return FrameInstruction(writes: target, effect: .plus(constant))
        case 5 where isWide: return FrameInstruction(writes: target, effect: .plus(0 &- constant))
        default: return FrameInstruction(writes: target)
        }
    }

    /// Moves of vector registers, extensions, and long no-operations.
    private mutating func vector(_ rex: UInt8) -> FrameInstruction? {
        guard let opcode = byte() else { return nil }
        switch opcode {
        case 0x11, 0x29, 0x7F, 0xD6:  // to memory
            guard let (_, operand) = operands(rex) else { return nil }
            return FrameInstruction(operand: operand.isRegister ? .none : operand, stores: true)
        case 0x10, 0x28, 0x6F, 0x57, 0xEF, 0x54, 0x14, 0x16, 0x6C:  // to a vector register
            guard let (_, operand) = operands(rex) else { return nil }
            return FrameInstruction(operand: operand)
        case 0x1F:  // no-operation
            guard operands(rex) != nil else { return nil }
            return FrameInstruction()
        case 0xB6, 0xB7, 0xBE, 0xBF:  // mov with extension
            guard let (register, operand) = operands(rex) else { return nil }
            return FrameInstruction(operand: operand, writes: register)
        default: return nil
        }
    }

    /// The register and the other operand of an instruction.
    private mutating func operands(_ rex: UInt8) -> (UInt8, FrameInstruction.Operand)? {
        guard let mode = byte() else { return nil }
        let register = mode >> 3 & 7 | (rex & 4) << 1
        var base = mode & 7
        if mode >> 6 == 3 { return (register, .register(base | (rex & 1) << 3)) }
        var isElsewhere = false
        if base == 4 {
            guard let scaled = byte() else { return nil }
            base = scaled & 7
            // An index makes the address unknown, unless there is none.
            let index = scaled >> 3 & 7 | (rex & 2) << 2
            isElsewhere = index != 4
        }
        var displacement: Int64 = 0
        switch mode >> 6 {
        case 0 where base == 5:
            // Relative to the next instruction, or absolute.
            guard signed(bytes: 4) != nil else { return nil }
            return (register, .elsewhere)
        case 0: break
        case 1:
            guard let value = signed(bytes: 1) else { return nil }
            displacement = value
        default:
            guard let value = signed(bytes: 4) else { return nil }
            displacement = value
        }
        if isElsewhere { return (register, .elsewhere) }
        return (register, .memory(base: base | (rex & 1) << 3, displacement))
    }
}

extension FrameInstruction.Operand {
    var isRegister: Bool {
        if case .register = self { return true }
        return false
    }
}
