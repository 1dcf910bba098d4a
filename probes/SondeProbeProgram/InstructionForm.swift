// SPDX-License-Identifier: Apache-2.0
// What each opcode reads, writes and costs: one table for the verifier and the text form.

/// What the four operands of an opcode are.
struct InstructionForm {
    /// What an operand's number means.
    enum Operand {
        /// Nothing; the number is not looked at.
        case none
        /// A register that is read.
        case register
        /// A register that is written.
        case target
        /// A span that is read.
        case span
        /// A span that is written.
        case spanTarget
        /// A plain number, within bounds.
        case number(ClosedRange<UInt8>)
    }

    /// What `imm` means.
    enum Immediate {
        case none
        /// Any number.
        case any
        /// A number within bounds.
        case number(ClosedRange<Int32>)
        /// An index of a constant or a string.
        case constant
        case string
        /// A distance to an instruction further on.
        case distance
        /// A ``FaultKind``.
        case fault
    }

    var d: Operand
    var a: Operand
    var b: Operand
    var immediate: Immediate

    init(
        d: Operand = .none, a: Operand = .none, b: Operand = .none, imm: Immediate = .none
    ) {
        self.d = d
        self.a = a
        self.b = b
        immediate = imm
    }
}

extension Opcode {
    /// What the opcode's operands are.
    var form: InstructionForm {
        switch self {
        case .loadImmediate: InstructionForm(d: .target, imm: .any)
        case .loadConstant: InstructionForm(d: .target, imm: .constant)
        case .readRegister: InstructionForm(d: .target, imm: .number(0...16))
        case .readContext: InstructionForm(d: .target, imm: .number(0...3))
        case .readVector: InstructionForm(d: .target, a: .number(0...15), b: .number(0...1))
        case .load8U, .load8S, .load16U, .load16S, .load32U, .load32S, .load64, .addImmediate:
            InstructionForm(d: .target, a: .register, imm: .any)
        case .add, .sub, .mul, .addCheckedS, .addCheckedU, .subCheckedS, .subCheckedU,
            .mulCheckedS, .mulCheckedU, .divS, .divU, .remS, .remU, .and, .or, .xor, .shl, .shrU,
            .shrS, .fadd, .fsub, .fmul, .fdiv, .feq, .flt, .fle, .eq, .ne, .ltS, .leS, .ltU, .leU:
            InstructionForm(d: .target, a: .register, b: .register)
        case .move, .neg, .not, .fneg, .f32ToF64, .intToFloat, .uintToFloat:
            InstructionForm(d: .target, a: .register)
        case .narrowS, .narrowU: InstructionForm(d: .target, a: .register, imm: .number(1...63))
        case .signExtend, .zeroExtend:
            InstructionForm(d: .target, a: .register, imm: .number(1...64))
        case .jump: InstructionForm(imm: .distance)
        case .jumpIfZero, .jumpIfNotZero: InstructionForm(a: .register, imm: .distance)
        case .loopBegin:
            InstructionForm(
                d: .target, a: .register, imm: .number(1...Int32(MachineBounds.rounds)))
        case .spanConstant: InstructionForm(d: .spanTarget, imm: .string)
        case .spanSwiftString: InstructionForm(d: .spanTarget, a: .register, b: .register)
        case .spanMemory:
            InstructionForm(d: .spanTarget, a: .register, b: .register, imm: Self.size)
        case .spanCString: InstructionForm(d: .spanTarget, a: .register, imm: Self.size)
        case .spanEqual, .spanLess, .spanHasPrefix, .spanHasSuffix, .spanContains:
            InstructionForm(d: .target, a: .span, b: .span)
        case .spanLength, .spanIsEmpty: InstructionForm(d: .target, a: .span)
        case .guard: InstructionForm(imm: .distance)
        case .fault: InstructionForm(imm: .fault)
        case .loopEnd, .endGuard, .accept, .commit: InstructionForm()
        case .stopIfZero, .write8, .write16, .write32, .write64: InstructionForm(a: .register)
        case .writeSpan: InstructionForm(a: .span, imm: Self.size)
        case .writeMemory: InstructionForm(a: .register, b: .register, imm: Self.size)
        }
    }

    private static let size = InstructionForm.Immediate.number(
        0...Int32(MachineBounds.recordBytes))

    /// Whether the opcode writes into the record.
    var writes: Bool {
        switch self {
        case .write8, .write16, .write32, .write64, .writeSpan, .writeMemory: true
        default: false
        }
    }

    /// Whether nothing follows the opcode.
    var isLast: Bool { self == .commit || self == .fault }
}

extension Instruction {
    /// Bytes of the service's memory that the instruction reads at most.
    var bytesRead: Int {
        switch op {
        case .load8U, .load8S: 1
        case .load16U, .load16S: 2
        case .load32U, .load32S: 4
        case .load64: 8
        case .spanCString, .writeSpan, .writeMemory: max(0, Int(imm))
        case .spanEqual, .spanLess, .spanHasPrefix, .spanHasSuffix:
            2 &* MachineBounds.comparedBytes
        case .spanContains: MachineBounds.comparedBytes &+ MachineBounds.soughtBytes
        default: 0
        }
    }

    /// Bytes that the instruction adds to the record at most.
    var recordBytes: Int {
        switch op {
        case .write8: 1
        case .write16: 2
        case .write32: 4
        case .write64: 8
        case .writeSpan: max(0, Int(imm)) &+ 8
        case .writeMemory: max(0, Int(imm))
        default: 0
        }
    }

    /// The steps that the instruction takes at most.
    var steps: Int {
        switch op {
        case .spanCString, .writeSpan, .writeMemory, .spanEqual, .spanLess, .spanHasPrefix,
            .spanHasSuffix, .spanContains:
            1 &+ bytesRead / 16
        default: 1
        }
    }

    /// Bytes that a guard leaves in the record after a fault: what failed, and where.
    static let faultBytes = 9
}
