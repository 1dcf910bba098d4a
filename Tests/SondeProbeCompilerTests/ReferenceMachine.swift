// SPDX-License-Identifier: Apache-2.0
// The probe machine, written to be obviously right: what a program should do, in Swift.

import SondeProbeProgram

/// The thread that a probe interrupts: its registers and its memory.
struct Subject {
    /// By DWARF number.
    var registers = [UInt64](repeating: 0, count: 17)
    var vectors = [[UInt64]](repeating: [0, 0], count: 16)
    /// The thread's number, its task, and its trace id's words.
    var context: [UInt64] = [0, 0, 0, 0]
    /// Readable memory by start address.
    var memory: [UInt64: [UInt8]] = [:]
    /// Reads the memory of a process that was stopped, instead.
    var reader: ((UInt64, Int) -> [UInt8]?)?

    func read(_ address: UInt64, _ count: Int) -> [UInt8]? {
        if let reader { return reader(address, count) }
        for (start, bytes) in memory where address >= start {
            let offset = address - start
            if offset <= UInt64(bytes.count), UInt64(bytes.count) - offset >= UInt64(count) {
                return Array(bytes[Int(offset)..<Int(offset) + count])
            }
        }
        return nil
    }

    /// Puts little-endian words into memory.
    mutating func put(_ words: [UInt64], at address: UInt64) {
        memory[address] = words.flatMap { Subject.bytes($0) }
    }

    static func bytes(_ word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }

    /// The two words of a Swift string: small ones hold their bytes, others point to them.
    mutating func string(_ text: String, at address: UInt64 = 0) -> [UInt64] {
        let bytes = Array(text.utf8)
        if bytes.count <= 15 {
            var words: [UInt64] = [0, 0]
            for (index, byte) in bytes.enumerated() {
                words[index / 8] |= UInt64(byte) << UInt64(8 * (index % 8))
            }
            words[1] |= UInt64(0xE0 + bytes.count) << 56
            return words
        }
        memory[address] = bytes
        return [0xF000 << 48 | UInt64(bytes.count), (address - 32)]
    }
}

/// Runs a program.
struct ReferenceMachine {
    enum Outcome: Equatable {
        case committed([UInt8])
        case conditionFalse
        case conditionError(FaultKind)
        case lost(FaultKind)
    }

    struct Fault: Error {
        var kind: FaultKind
        var detail: UInt64
    }

    let program: ImageProgram
    let subject: Subject
    private var registers = [UInt64](repeating: 0xDEAD, count: 32)
    private var spans = [[UInt8]](repeating: [], count: 8)
    private var guards: [(target: Int, cursor: Int, loops: Int)] = []
    private var loops: [(start: Int, counter: Int, count: UInt64)] = []
    private var record: [UInt8] = []
    private var accepted = false
    private(set) var steps = 0

    init(_ program: ImageProgram, _ subject: Subject) {
        self.program = program
        self.subject = subject
    }

    mutating func run(site: Int = 0) -> Outcome {
        var counter = Int(program.sites[site].entry)
        while true {
            steps += 1
            let instruction = program.code[counter]
            do throws(Fault) {
                switch instruction.op {
                case .stopIfZero:
                    if registers[Int(instruction.a)] == 0 { return .conditionFalse }
                    counter += 1
                case .accept:
                    accepted = true
                    counter += 1
                case .commit: return .committed(record)
                case .fault:
                    throw Fault(
                        kind: FaultKind(rawValue: UInt8(instruction.imm)) ?? .unavailable,
                        detail: 0)
                default:
                    counter = try step(instruction, counter)
                }
            } catch {
                guard let last = guards.popLast() else {
                    return accepted ? .lost(error.kind) : .conditionError(error.kind)
                }
                counter = last.target
                loops.removeLast(loops.count - last.loops)
                if accepted {
                    record.removeLast(record.count - last.cursor)
                    record.append(error.kind.rawValue)
                    record += Subject.bytes(error.detail)
                }
            }
        }
    }

    private mutating func step(_ i: Instruction, _ counter: Int) throws(Fault) -> Int {
        let a = registers[Int(i.a) % 32], b = registers[Int(i.b) % 32], d = Int(i.d)
        switch i.op {
        case .jump: return counter + 1 + Int(i.imm)
        case .jumpIfZero: return a == 0 ? counter + 1 + Int(i.imm) : counter + 1
        case .jumpIfNotZero: return a != 0 ? counter + 1 + Int(i.imm) : counter + 1
        case .loopBegin:
            let count = min(a, UInt64(i.imm))
            registers[d] = 0
            if count == 0 { return endOfLoop(counter) + 1 }
            loops.append((counter + 1, d, count))
        case .loopEnd:
            let loop = loops[loops.count - 1]
            registers[loop.counter] += 1
            if registers[loop.counter] < loop.count { return loop.start }
            loops.removeLast()
        case .guard:
            let cursor = record.count
            if accepted { record.append(0) }
            guards.append((counter + Int(i.imm) + 1, cursor, loops.count))
        case .endGuard: guards.removeLast()
        case .write8, .write16, .write32, .write64:
            let count = [.write8: 1, .write16: 2, .write32: 4][i.op] ?? 8
            record += Subject.bytes(a).prefix(count)
        case .writeSpan:
            let text = spans[Int(i.a)]
            record += Subject.bytes(UInt64(text.count)).prefix(4)
            let captured = text.prefix(Int(i.imm))
            record += Subject.bytes(UInt64(captured.count)).prefix(4) + captured
        case .writeMemory: record += try load(a, Int(min(b, UInt64(i.imm))))
        case .spanConstant, .spanSwiftString, .spanMemory, .spanCString:
            spans[d] = try span(i, a, b)
        case .spanEqual: registers[d] = spans[Int(i.a)] == spans[Int(i.b)] ? 1 : 0
        case .spanLess:
            registers[d] =
                spans[Int(i.a)].lexicographicallyPrecedes(spans[Int(i.b)]) ? 1 : 0
        case .spanHasPrefix:
            registers[d] = spans[Int(i.a)].starts(with: spans[Int(i.b)]) ? 1 : 0
        case .spanHasSuffix:
            registers[d] =
                spans[Int(i.a)].reversed().starts(with: spans[Int(i.b)].reversed()) ? 1 : 0
        case .spanContains:
            registers[d] = spans[Int(i.a)].contains(spans[Int(i.b)]) ? 1 : 0
        case .spanLength: registers[d] = UInt64(spans[Int(i.a)].count)
        case .spanIsEmpty: registers[d] = spans[Int(i.a)].isEmpty ? 1 : 0
        default: registers[d] = try value(i, a, b)
        }
        return counter + 1
    }

    private func endOfLoop(_ start: Int) -> Int {
        var depth = 0
        for index in start..<program.code.count {
            if program.code[index].op == .loopBegin { depth += 1 }
            if program.code[index].op == .loopEnd { depth -= 1 }
            if depth == 0 { return index }
        }
        return start
    }

    private func load(_ address: UInt64, _ count: Int) throws(Fault) -> [UInt8] {
        guard let bytes = subject.read(address, count) else {
            throw Fault(kind: .unreadable, detail: address)
        }
        return bytes
    }

    private func span(_ i: Instruction, _ a: UInt64, _ b: UInt64) throws(Fault) -> [UInt8] {
        switch i.op {
        case .spanConstant: return program.strings[Int(i.imm)]
        case .spanSwiftString:
            let top = b >> 56
            if top & 0x20 != 0, top & 0x80 != 0 {
                let bytes = Subject.bytes(a) + Subject.bytes(b)
                return Array(bytes.prefix(Int(top & 0xF)))
            }
            return try load((b & 0x0FFF_FFFF_FFFF_FFFF) + 32, Int(a & 0xFFFF_FFFF_FFFF))
        case .spanMemory: return try load(a, Int(b))
        default:
            var bytes: [UInt8] = []
            while bytes.count < Int(i.imm) {
                let byte = try load(a + UInt64(bytes.count), 1)[0]
                if byte == 0 { break }
                bytes.append(byte)
            }
            return bytes
        }
    }

    private func value(_ i: Instruction, _ a: UInt64, _ b: UInt64) throws(Fault) -> UInt64 {
        switch i.op {
        case .loadImmediate: return UInt64(bitPattern: Int64(i.imm))
        case .loadConstant: return program.constants[Int(i.imm)]
        case .move: return a
        case .readRegister: return subject.registers[Int(i.imm)]
        case .readContext: return subject.context[Int(i.imm)]
        case .readVector: return subject.vectors[Int(i.a)][Int(i.b)]
        case .load8U, .load16U, .load32U, .load64, .load8S, .load16S, .load32S:
            let sizes: [Opcode: Int] = [
                .load8U: 1, .load8S: 1, .load16U: 2, .load16S: 2, .load32U: 4, .load32S: 4,
            ]
            let count = sizes[i.op] ?? 8
            var word: UInt64 = 0
            for byte in try load(a &+ UInt64(bitPattern: Int64(i.imm)), count).reversed() {
                word = word << 8 | UInt64(byte)
            }
            let isSigned = [.load8S, .load16S, .load32S].contains(i.op)
            return isSigned ? Self.extended(word, count * 8) : word
        case .feq, .flt, .fle, .fadd, .fsub, .fmul, .fdiv, .fneg, .f32ToF64, .intToFloat,
            .uintToFloat:
            return floating(i.op, a, b)
        default: return try integer(i, a, b)
        }
    }

    private static func extended(_ word: UInt64, _ bits: Int) -> UInt64 {
        let unused = UInt64(64 - bits)
        return UInt64(bitPattern: Int64(bitPattern: word << unused) >> Int64(unused))
    }

    private func floating(_ op: Opcode, _ a: UInt64, _ b: UInt64) -> UInt64 {
        let x = Double(bitPattern: a), y = Double(bitPattern: b)
        switch op {
        case .fadd: return (x + y).bitPattern
        case .fsub: return (x - y).bitPattern
        case .fmul: return (x * y).bitPattern
        case .fdiv: return (x / y).bitPattern
        case .fneg: return (-x).bitPattern
        case .f32ToF64: return Double(Float(bitPattern: UInt32(truncatingIfNeeded: a))).bitPattern
        case .intToFloat: return Double(Int64(bitPattern: a)).bitPattern
        case .uintToFloat: return Double(a).bitPattern
        case .feq: return x == y ? 1 : 0
        case .flt: return x < y ? 1 : 0
        default: return x <= y ? 1 : 0
        }
    }

    private func integer(_ i: Instruction, _ a: UInt64, _ b: UInt64) throws(Fault) -> UInt64 {
        let x = Int64(bitPattern: a), y = Int64(bitPattern: b)
        switch i.op {
        case .add: return a &+ b
        case .sub: return a &- b
        case .mul: return a &* b
        case .addCheckedS: return try checked(x.addingReportingOverflow(y))
        case .subCheckedS: return try checked(x.subtractingReportingOverflow(y))
        case .mulCheckedS: return try checked(x.multipliedReportingOverflow(by: y))
        case .addCheckedU: return try checked(a.addingReportingOverflow(b))
        case .subCheckedU: return try checked(a.subtractingReportingOverflow(b))
        case .mulCheckedU: return try checked(a.multipliedReportingOverflow(by: b))
        case .divS, .remS, .divU, .remU:
            guard b != 0 else { throw Fault(kind: .divisionByZero, detail: 0) }
            switch i.op {
            case .divS: return try checked(x.dividedReportingOverflow(by: y))
            case .remS: return try checked(x.remainderReportingOverflow(dividingBy: y))
            case .divU: return a / b
            default: return a % b
            }
        case .and: return a & b
        case .or: return a | b
        case .xor: return a ^ b
        case .shl: return b < 64 ? a << b : 0
        case .shrU: return b < 64 ? a >> b : 0
        case .shrS: return UInt64(bitPattern: x >> Int64(min(b, 63)))
        case .neg: return 0 &- a
        case .not: return ~a
        case .addImmediate: return a &+ UInt64(bitPattern: Int64(i.imm))
        case .narrowS, .signExtend:
            let narrow = Self.extended(a, Int(i.imm))
            if i.op == .narrowS, narrow != a { throw Fault(kind: .overflow, detail: 0) }
            return narrow
        case .narrowU, .zeroExtend:
            let narrow = i.imm < 64 ? a & ((1 << UInt64(i.imm)) - 1) : a
            if i.op == .narrowU, narrow != a { throw Fault(kind: .overflow, detail: 0) }
            return narrow
        case .eq: return a == b ? 1 : 0
        case .ne: return a != b ? 1 : 0
        case .ltS: return x < y ? 1 : 0
        case .leS: return x <= y ? 1 : 0
        case .ltU: return a < b ? 1 : 0
        case .leU: return a <= b ? 1 : 0
        default: preconditionFailure("BUG: \(i.op) reached the arithmetic")
        }
    }

    private func checked<T: FixedWidthInteger>(
        _ result: (partialValue: T, overflow: Bool)
    ) throws(Fault) -> UInt64 {
        if result.overflow { throw Fault(kind: .overflow, detail: 0) }
        return UInt64(truncatingIfNeeded: result.partialValue)
    }
}
