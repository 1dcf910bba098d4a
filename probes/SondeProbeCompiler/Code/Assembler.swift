// SPDX-License-Identifier: Apache-2.0
// Collects the instructions of one site: registers in order of need, jumps forward to labels.

import SondeModel
import SondeProbeProgram

/// A register of the machine, by number.
typealias Register = UInt8

/// The tables that all sites of an image share.
struct ProgramTables {
    var constants: [UInt64] = []
    var relocations: [UInt32] = []
    var strings: [[UInt8]] = []
    private var plain: [UInt64: Int32] = [:]
    private var relocated: [UInt64: Int32] = [:]
    private var texts: [[UInt8]: Int32] = [:]

    /// The index of a number in the table of constants.
    mutating func constant(_ value: UInt64) -> Int32 {
        if let index = plain[value] { return index }
        let index = Int32(constants.count)
        constants.append(value)
        plain[value] = index
        return index
    }

    /// The index of an address of the image, to which the load address is added at install.
    mutating func address(_ address: ImageAddress) -> Int32 {
        if let index = relocated[address.rawValue] { return index }
        let index = Int32(constants.count)
        relocations.append(UInt32(constants.count))
        constants.append(address.rawValue)
        relocated[address.rawValue] = index
        return index
    }

    /// The index of a byte string.
    mutating func string(_ bytes: [UInt8]) -> Int32 {
        if let index = texts[bytes] { return index }
        let index = Int32(strings.count)
        strings.append(bytes)
        texts[bytes] = index
        return index
    }
}

/// Collects the instructions of one site.
///
/// Registers are a stack: a value lies in the register that was the lowest free one when its
/// computation began, and what it needed meanwhile lies above. Nothing is spilled: an expression
/// that needs more is refused by whoever sees ``isTooDeep``.
struct Assembler {
    /// A place to jump to, further down.
    struct Label {
        var jumps: [Int] = []
    }

    var tables: ProgramTables
    var code: [Instruction] = []
    /// The lowest free register.
    var top: Int = 0
    /// The lowest free span register.
    var spanTop: Int = 0
    /// Whether more registers were needed than there are.
    private(set) var isTooDeep = false
    /// Whether something was emitted that can fault at a hit.
    var canFault = false

    static let registers = 32, spans = 8

    init(tables: ProgramTables) { self.tables = tables }

    /// The register of a place in the stack; the last one when there are not so many.
    func register(_ index: Int) -> Register { Register(max(0, min(index, Self.registers - 1))) }

    /// Takes the lowest free register.
    mutating func push() -> Register {
        top += 1
        if top > Self.registers { isTooDeep = true }
        return register(top - 1)
    }

    /// Takes the lowest free span register.
    mutating func pushSpan() -> Register {
        spanTop += 1
        if spanTop > Self.spans { isTooDeep = true }
        return Register(min(spanTop - 1, Self.spans - 1))
    }

    /// Moves a value to the register `mark` and gives back all above it.
    mutating func settle(_ value: Register, at mark: Int) -> Register {
        let target = register(mark)
        if value != target { emit(.move, d: target, a: value) }
        top = mark
        return push()
    }

    mutating func emit(
        _ op: Opcode, d: Register = 0, a: Register = 0, b: Register = 0, _ imm: Int32 = 0
    ) {
        if Self.mayFault(op) { canFault = true }
        code.append(Instruction(op, d: d, a: a, b: b, imm: imm))
    }

    /// Puts a number into a register.
    mutating func number(_ value: UInt64, into register: Register) {
        if let small = Int32(exactly: Int64(bitPattern: value)) {
            emit(.loadImmediate, d: register, small)
        } else {
            emit(.loadConstant, d: register, tables.constant(value))
        }
    }

    /// Puts the process's address of an image's address into a register.
    mutating func address(_ address: ImageAddress, into register: Register) {
        emit(.loadConstant, d: register, tables.address(address))
    }

    /// Adds a constant to a register.
    mutating func add(_ value: Int64, to source: Register, into register: Register) {
        if let small = Int32(exactly: value) {
            if small == 0 {
                if source != register { emit(.move, d: register, a: source) }
            } else {
                emit(.addImmediate, d: register, a: source, small)
            }
            return
        }
        let other = push()
        number(UInt64(bitPattern: value), into: other)
        emit(.add, d: register, a: source, b: other)
        top -= 1
    }

    // MARK: - Jumps

    mutating func jump(to label: inout Label) {
        label.jumps.append(code.count)
        emit(.jump)
    }

    mutating func jump(ifZero register: Register, to label: inout Label) {
        label.jumps.append(code.count)
        emit(.jumpIfZero, a: register)
    }

    mutating func jump(ifNotZero register: Register, to label: inout Label) {
        label.jumps.append(code.count)
        emit(.jumpIfNotZero, a: register)
    }

    /// Starts a guard: a fault before its end jumps to the label.
    mutating func beginGuard(_ label: inout Label) {
        label.jumps.append(code.count)
        emit(.guard)
    }

    /// Ends the innermost guard.
    mutating func endGuard() { emit(.endGuard) }

    /// Lets all jumps to a label lead here.
    ///
    /// Distances count from the next instruction. One that would skip nothing is not allowed, so
    /// that jump becomes an instruction without effect.
    mutating func bind(_ label: Label) {
        for place in label.jumps {
            let distance = code.count - place - 1
            if distance > 0 {
                code[place].imm = Int32(distance)
            } else if code[place].op == .jump {
                code[place] = Instruction(.loadImmediate, d: push())
                top -= 1
            } else {
                code[place] = Instruction(.move, d: code[place].a, a: code[place].a)
            }
        }
    }

    /// Raises a fault.
    mutating func fault(_ kind: FaultKind) { emit(.fault, Int32(kind.rawValue)) }

    private static func mayFault(_ op: Opcode) -> Bool {
        switch op {
        case .load8U, .load8S, .load16U, .load16S, .load32U, .load32S, .load64, .addCheckedS,
            .addCheckedU, .subCheckedS, .subCheckedU, .mulCheckedS, .mulCheckedU, .divS, .divU,
            .remS, .remU, .narrowS, .narrowU, .spanSwiftString, .spanMemory, .spanCString,
            .spanEqual, .spanLess, .spanHasPrefix, .spanHasSuffix,
            .spanContains, .writeSpan, .writeMemory, .fault:
            true
        default: false
        }
    }
}
