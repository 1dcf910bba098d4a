// SPDX-License-Identifier: Apache-2.0
// The machine written a second time, as plainly as possible: what the C one is compared with.

import CSondeProbe
import SondeProbeProgram

/// Runs a verified program slowly, reading from a landscape.
struct ReferenceMachine {
    struct Fault: Error {
        var kind: FaultKind
        var detail: UInt64 = 0
    }

    struct Span {
        /// What may be looked at: bytes that are there, or an address.
        enum Source {
            case bytes([UInt8])
            case memory(UInt64)
        }
        var source: Source
        var length: UInt64
        var readable: UInt64
    }

    private struct Guard {
        var target: Int
        var cursor: Int
        var loops: Int
    }

    private struct Loop {
        var rounds: UInt64
        var done: UInt64 = 0
        var body: Int
        var register: Int
    }

    let image: ImageProgram
    let landscape: Landscape
    let registers: [UInt64]
    let vectors: [(UInt64, UInt64)]

    private var words = [UInt64](repeating: 0, count: 32)
    private var spans = [Span](
        repeating: Span(source: .bytes([]), length: 0, readable: 0), count: 8)
    private var guards: [Guard] = []
    private var loops: [Loop] = []
    private var body: [UInt8]?
    private var pc = 0
    private(set) var steps: UInt64 = 0

    init(
        _ image: ImageProgram, _ landscape: Landscape, registers: [UInt64],
        vectors: [(UInt64, UInt64)]
    ) {
        self.image = image
        self.landscape = landscape
        self.registers = registers
        self.vectors = vectors
    }

    /// Runs to the end: the outcome, its detail and the record's body.
    mutating func run() -> (outcome: sonde_outcome, detail: UInt32, body: [UInt8]?) {
        while true {
            let code = image.code[pc]
            pc += 1
            steps += 1
            do {
                if let end = try step(code) { return end }
            } catch let fault as Fault {
                if let last = guards.popLast() {
                    loops.removeLast(loops.count - last.loops)
                    pc = last.target
                    if let written = body {
                        body = Array(written.prefix(last.cursor))
                        write(UInt64(fault.kind.rawValue), 1)
                        write(fault.kind == .unreadable ? fault.detail : 0, 8)
                    }
                } else if body != nil {
                    return (SONDE_DROPPED, UInt32(SONDE_LOST_FAULT.rawValue), nil)
                } else {
                    return (SONDE_CONDITION_ERROR, UInt32(fault.kind.rawValue), nil)
                }
            } catch {
                fatalError("no other error is thrown")
            }
        }
    }

    private mutating func step(
        _ code: Instruction
    ) throws -> (outcome: sonde_outcome, detail: UInt32, body: [UInt8]?)? {
        let d = Int(code.d), a = Int(code.a), b = Int(code.b), imm = Int(code.imm)
        switch code.op {
        case .stopIfZero:
            if words[a] == 0 { return (SONDE_CONDITION_FALSE, 0, nil) }
        case .accept: body = []
        case .commit: return (SONDE_COMMITTED, 0, body)
        case .jump: pc += imm
        case .jumpIfZero: if words[a] == 0 { pc += imm }
        case .jumpIfNotZero: if words[a] != 0 { pc += imm }
        case .loopBegin: begin(rounds: words[a], atMost: UInt64(imm), d)
        case .loopEnd:
            loops[loops.count - 1].done += 1
            if let loop = loops.last, loop.done < loop.rounds {
                words[loop.register] = loop.done
                pc = loop.body
            } else {
                loops.removeLast()
            }
        case .guard:
            guards.append(Guard(target: pc + imm, cursor: body?.count ?? 0, loops: loops.count))
            write(0, 1)
        case .endGuard: guards.removeLast()
        case .fault: throw Fault(kind: FaultKind(rawValue: UInt8(imm)) ?? .unavailable)
        case .write8: write(words[a], 1)
        case .write16: write(words[a], 2)
        case .write32: write(words[a], 4)
        case .write64: write(words[a], 8)
        case .writeSpan: try write(spans[a], UInt64(imm))
        case .writeMemory:
            steps += UInt64(imm) / 16
            let read = try bytes(words[a], Int(min(words[b], UInt64(imm))))
            body? += read
        case .spanConstant, .spanSwiftString, .spanMemory, .spanCString:
            spans[d] = try span(code)
        case .spanEqual, .spanLess, .spanHasPrefix, .spanHasSuffix:
            steps += 512
            words[d] = try compare(code.op, spans[a], spans[b]) ? 1 : 0
        case .spanContains:
            steps += (4096 + 255) / 16
            words[d] = try contains(spans[a], spans[b]) ? 1 : 0
        case .spanLength: words[d] = spans[a].length
        case .spanIsEmpty: words[d] = spans[a].length == 0 ? 1 : 0
        default: words[d] = try value(code, words[a], words[b])
        }
        return nil
    }

    private mutating func begin(rounds: UInt64, atMost: UInt64, _ register: Int) {
        words[register] = 0
        if rounds > 0 {
            loops.append(Loop(rounds: min(rounds, atMost), body: pc, register: register))
            return
        }
        var depth = 1
        while depth > 0 {
            if image.code[pc].op == .loopBegin { depth += 1 }
            if image.code[pc].op == .loopEnd { depth -= 1 }
            pc += 1
        }
    }

    // MARK: - Values

    private func value(_ code: Instruction, _ a: UInt64, _ b: UInt64) throws -> UInt64 {
        let imm = UInt64(bitPattern: Int64(code.imm))
        let x = Int64(bitPattern: a), y = Int64(bitPattern: b)
        switch code.op {
        case .loadImmediate: return imm
        case .loadConstant: return image.constants[Int(code.imm)]
        case .move: return a
        case .readRegister: return registers[Int(code.imm)]
        case .readVector:
            return code.b == 0 ? vectors[Int(code.a)].0 : vectors[Int(code.a)].1
        // Words 1...3, in a test that is in no scope.
        case .readContext: return 0
        case .load8U: return try load(a &+ imm, 1)
        case .load16U: return try load(a &+ imm, 2)
        case .load32U: return try load(a &+ imm, 4)
        case .load64: return try load(a &+ imm, 8)
        case .load8S: return extend(try load(a &+ imm, 1), 8)
        case .load16S: return extend(try load(a &+ imm, 2), 16)
        case .load32S: return extend(try load(a &+ imm, 4), 32)
        case .add: return a &+ b
        case .sub: return a &- b
        case .mul: return a &* b
        case .addImmediate: return a &+ imm
        case .addCheckedS: return try checked(x.addingReportingOverflow(y))
        case .subCheckedS: return try checked(x.subtractingReportingOverflow(y))
        case .mulCheckedS: return try checked(x.multipliedReportingOverflow(by: y))
        case .addCheckedU: return try checked(a.addingReportingOverflow(b))
        case .subCheckedU: return try checked(a.subtractingReportingOverflow(b))
        case .mulCheckedU: return try checked(a.multipliedReportingOverflow(by: b))
        case .divS, .remS, .divU, .remU: return try divide(code.op, a, b)
        case .and: return a & b
        case .or: return a | b
        case .xor: return a ^ b
        case .shl: return a << b
        case .shrU: return a >> b
        case .shrS: return UInt64(bitPattern: x >> Int64(bitPattern: min(b, 64)))
        case .neg: return 0 &- a
        case .not: return ~a
        case .narrowS, .narrowU:
            let bits = Int(code.imm)
            let kept = code.op == .narrowS ? extend(a, bits) : a & ((1 << UInt64(bits)) - 1)
            if kept != a { throw Fault(kind: .overflow) }
            return a
        case .signExtend: return extend(a, Int(code.imm))
        case .zeroExtend: return code.imm == 64 ? a : a & ((1 << imm) - 1)
        default: return number(code.op, a, b)
        }
    }

    private func number(_ op: Opcode, _ a: UInt64, _ b: UInt64) -> UInt64 {
        let x = Double(bitPattern: a), y = Double(bitPattern: b)
        switch op {
        case .fadd: return (x + y).bitPattern
        case .fsub: return (x - y).bitPattern
        case .fmul: return (x * y).bitPattern
        case .fdiv: return (x / y).bitPattern
        case .fneg: return (-x).bitPattern
        case .f32ToF64:
            return Double(Float(bitPattern: UInt32(truncatingIfNeeded: a))).bitPattern
        case .intToFloat: return Double(Int64(bitPattern: a)).bitPattern
        case .uintToFloat: return Double(a).bitPattern
        case .feq: return x == y ? 1 : 0
        case .flt: return x < y ? 1 : 0
        case .fle: return x <= y ? 1 : 0
        case .eq: return a == b ? 1 : 0
        case .ne: return a != b ? 1 : 0
        case .ltU: return a < b ? 1 : 0
        case .leU: return a <= b ? 1 : 0
        case .ltS: return Int64(bitPattern: a) < Int64(bitPattern: b) ? 1 : 0
        case .leS: return Int64(bitPattern: a) <= Int64(bitPattern: b) ? 1 : 0
        default: fatalError("\(op) is no operation on words")
        }
    }

    private func divide(_ op: Opcode, _ a: UInt64, _ b: UInt64) throws -> UInt64 {
        if b == 0 { throw Fault(kind: .divisionByZero) }
        if op == .divU { return a / b }
        if op == .remU { return a % b }
        let x = Int64(bitPattern: a), y = Int64(bitPattern: b)
        if x == .min, y == -1 { throw Fault(kind: .overflow) }
        return UInt64(bitPattern: op == .divS ? x / y : x % y)
    }

    private func checked<T: FixedWidthInteger>(_ result: (partialValue: T, overflow: Bool)) throws
        -> UInt64
    {
        if result.overflow { throw Fault(kind: .overflow) }
        return UInt64(truncatingIfNeeded: result.partialValue)
    }

    private func extend(_ value: UInt64, _ bits: Int) -> UInt64 {
        UInt64(bitPattern: Int64(bitPattern: value << UInt64(64 - bits)) >> Int64(64 - bits))
    }

    // MARK: - Memory and spans

    private func load(_ address: UInt64, _ count: Int) throws -> UInt64 {
        let found = landscape.read(address, count)
        // A load says its own address, wherever in it the unreadable byte is.
        if found.bad != nil { throw Fault(kind: .unreadable, detail: address) }
        return found.bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    private func bytes(_ address: UInt64, _ count: Int) throws -> [UInt8] {
        let found = landscape.read(address, count)
        if let bad = found.bad { throw Fault(kind: .unreadable, detail: bad) }
        return found.bytes
    }

    private func bytes(_ span: Span, _ from: UInt64, _ count: UInt64) throws -> [UInt8] {
        switch span.source {
        case .bytes(let bytes): return Array(bytes[Int(from)..<Int(from + count)])
        case .memory(let address): return try bytes(address &+ from, Int(count))
        }
    }

    private mutating func span(_ code: Instruction) throws -> Span {
        let a = words[Int(code.a)], b = words[Int(code.b)]
        switch code.op {
        case .spanConstant:
            let bytes = image.strings[Int(code.imm)]
            let count = UInt64(bytes.count)
            return Span(source: .bytes(bytes), length: count, readable: count)
        case .spanMemory:
            return Span(source: .memory(a), length: b, readable: min(b, UInt64(code.imm)))
        case .spanCString:
            steps += UInt64(code.imm) / 16
            var length: UInt64 = 0
            while length < UInt64(code.imm) {
                if try bytes(a &+ length, 1) == [0] { break }
                length += 1
            }
            return Span(source: .memory(a), length: length, readable: length)
        default:
            let form = b >> 60
            if form == 0xE || form == 0xA {
                let count = b >> 56 & 15
                let all = (0..<16).map { index in
                    UInt8(truncatingIfNeeded: (index < 8 ? a : b) >> UInt64(index % 8 * 8))
                }
                return Span(source: .bytes(all), length: count, readable: count)
            }
            guard form == 0 || form == 8, b << 4 != 0, a >> 60 & 1 == 1 else {
                throw Fault(kind: .bridgedString)
            }
            let count = a & 0xFFFF_FFFF_FFFF
            return Span(
                source: .memory((b & 0x0FFF_FFFF_FFFF_FFFF) &+ 32), length: count, readable: count)
        }
    }

    /// Compares as far as is allowed; `nil` when that does not decide it.
    private func order(_ a: Span, _ from: UInt64, _ b: Span, _ want: UInt64) throws -> Int? {
        let room = a.readable > from ? a.readable - from : 0
        let count = min(want, 4096, room, b.readable)
        var done: UInt64 = 0
        while done < count {
            let size = min(128, count - done)
            let left = try bytes(a, from + done, size), right = try bytes(b, done, size)
            for (x, y) in zip(left, right) where x != y { return x < y ? -1 : 1 }
            done += size
        }
        return count < want ? nil : 0
    }

    private func compare(_ op: Opcode, _ a: Span, _ b: Span) throws -> Bool {
        if op == .spanLess {
            guard let order = try order(a, 0, b, min(a.length, b.length)) else {
                throw Fault(kind: .tooLong)
            }
            return order < 0 || (order == 0 && a.length < b.length)
        }
        if op == .spanEqual ? a.length != b.length : a.length < b.length { return false }
        let from = op == .spanHasSuffix ? a.length - b.length : 0
        guard let order = try order(a, from, b, b.length) else { throw Fault(kind: .tooLong) }
        return order == 0
    }

    private func contains(_ a: Span, _ b: Span) throws -> Bool {
        if b.length == 0 { return true }
        if b.length > a.length { return false }
        if b.length > 255 || b.readable < b.length { throw Fault(kind: .tooLong) }
        let sought = try bytes(b, 0, b.length)
        let end = min(a.readable, 4096)
        var seen: [UInt8] = []
        var from: UInt64 = 0
        while from < end {
            let size = min(128, end - from)
            seen += try bytes(a, from, size)
            from += size
            if seen.count >= sought.count {
                for start in 0...(seen.count - sought.count)
                where Array(seen[start..<start + sought.count]) == sought {
                    return true
                }
            }
        }
        if end < a.length { throw Fault(kind: .tooLong) }
        return false
    }

    private mutating func write(_ value: UInt64, _ count: Int) {
        guard body != nil else { return }
        for index in 0..<count {
            body?.append(UInt8(truncatingIfNeeded: value >> UInt64(index * 8)))
        }
    }

    private mutating func write(_ span: Span, _ cap: UInt64) throws {
        steps += cap / 16
        let captured = min(span.readable, cap)
        let bytes = try bytes(span, 0, captured)
        write(min(span.length, UInt64(UInt32.max)), 4)
        write(captured, 4)
        body? += bytes
    }
}
