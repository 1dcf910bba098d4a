// SPDX-License-Identifier: Apache-2.0
// Random programs that a verifier passes: every opcode, nested guards, loops and branches.

import SondeModel
import SondeProbeProgram

/// A generator of random numbers with a seed, so that a failure can be repeated.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    // Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (SplitMix64).
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

/// Makes programs over the addresses of a landscape.
struct RandomProgram {
    private var random: SeededRandom
    private let addresses: [UInt64]
    private var code: [Instruction] = []
    private var set: Set<UInt8> = []
    private var spans: Set<UInt8> = []
    private var isAccepted = false
    private var guards = 0
    private var loops = 0
    /// The register that the instruction being made sets; its operands come from before.
    private var written: UInt8?
    /// How often what is being made may run.
    private var rounds = 1

    static let strings: [[UInt8]] = [
        [], Array("A".utf8), Array("order 17".utf8), Array("ababac".utf8),
        [UInt8](repeating: 0x61, count: 300),
    ]

    /// The program of a seed.
    static func image(_ seed: UInt64, addresses: [UInt64]) -> ImageProgram {
        var maker = RandomProgram(random: SeededRandom(seed), addresses: addresses)
        return maker.make()
    }

    private init(random: SeededRandom, addresses: [UInt64]) {
        self.random = random
        self.addresses = addresses
    }

    private mutating func make() -> ImageProgram {
        var constants = addresses
        for _ in 0..<4 {
            constants.append(random.next() >> UInt64.random(in: 0...63, using: &random))
        }
        // The two words of a small string and of one that somebody else keeps.
        constants += [0x6463_6261, 0xE400_0000_0000_0000, 1 << 62, 0x4000_0000_0000_1000]
        for register in UInt8(0)..<4 {
            emit(.loadConstant, d: register, imm: number(0..<constants.count))
        }
        block(number(2..<14))
        if chance(3) { emit(.stopIfZero, a: register()) }
        if chance(20) { emit(.fault, imm: Int32(number(1..<11))) } else { accepted() }
        var image = TestProbe.image(code)
        image.constants = constants
        image.strings = Self.strings
        return image
    }

    private mutating func accepted() {
        emit(.accept)
        isAccepted = true
        block(number(2..<18))
        emit(.commit)
    }

    private mutating func block(_ count: Int32) {
        for _ in 0..<count {
            switch number(0..<30) {
            case 0: guarded()
            case 1: branch()
            case 2: looped()
            case 3..<8: spanOperation()
            case 8..<14 where isAccepted: write()
            case 14..<20: load()
            default: arithmetic()
            }
        }
    }

    private mutating func nested(_ body: (inout Self) -> Void) {
        let registers = set, others = spans
        body(&self)
        set = registers
        spans = others
    }

    private mutating func guarded() {
        guard guards < 16, code.count < 300 else { return }
        guards += 1
        let begin = code.count
        emit(.guard)
        nested { maker in
            maker.block(maker.number(1..<6))
            if maker.chance(6) { maker.emit(.fault, imm: maker.number(1..<11)) }
        }
        code[begin].imm = Int32(code.count - begin)
        emit(.endGuard)
        guards -= 1
    }

    private mutating func branch() {
        guard code.count < 300 else { return }
        let begin = code.count
        emit(Bool.random(using: &random) ? .jumpIfZero : .jumpIfNotZero, a: register())
        nested { maker in maker.block(maker.number(1..<5)) }
        let middle = code.count
        emit(.jump)
        code[begin].imm = Int32(code.count - begin - 1)
        nested { maker in maker.block(maker.number(1..<4)) }
        // Something for the jump to skip.
        emit(.loadImmediate, d: 3, imm: 1)
        code[middle].imm = Int32(code.count - middle - 1)
    }

    private mutating func looped() {
        guard loops < 4, code.count < 300 else { return }
        let most = number(1..<5)
        loops += 1
        rounds *= Int(most)
        emit(.loopBegin, d: target(), a: register(), imm: most)
        nested { maker in maker.block(maker.number(1..<5)) }
        emit(.loopEnd)
        rounds /= Int(most)
        loops -= 1
    }

    private mutating func arithmetic() {
        let two: [Opcode] = [
            .add, .sub, .mul, .and, .or, .xor, .shl, .shrU, .shrS, .fadd, .fsub, .fmul, .fdiv,
            .feq, .flt, .fle, .eq, .ne, .ltS, .leS, .ltU, .leU,
        ]
        let faulting: [Opcode] = [
            .addCheckedS, .addCheckedU, .subCheckedS, .subCheckedU, .mulCheckedS, .mulCheckedU,
            .divS, .divU, .remS, .remU, .narrowS, .narrowU,
        ]
        let one: [Opcode] = [.move, .neg, .not, .fneg, .f32ToF64, .intToFloat, .uintToFloat]
        switch number(0..<9) {
        case 7: emit(.readContext, d: target(), imm: number(1..<4))
        case 0:
            emit(.loadImmediate, d: target(), imm: Int32(truncatingIfNeeded: random.next() >> 40))
        // Not the stack pointer: what lies there is the test's own.
        case 1: emit(.readRegister, d: target(), imm: chance(2) ? number(0..<7) : number(8..<17))
        case 2: emit(.readVector, d: target(), a: UInt8(number(0..<16)), b: UInt8(number(0..<2)))
        case 3:
            let op: Opcode = Bool.random(using: &random) ? .signExtend : .zeroExtend
            emit(op, d: target(), a: register(), imm: number(1..<65))
        case 4: emit(pick(one), d: target(), a: register())
        case 5 where guards > 0 || chance(6):
            let op = pick(faulting)
            emit(op, d: target(), a: register(), b: register(), imm: number(1..<64))
        case 6: emit(.addImmediate, d: target(), a: register(), imm: number(-300..<300))
        default: emit(pick(two), d: target(), a: register(), b: register())
        }
    }

    private mutating func load() {
        let ops: [Opcode] = [
            .load8U, .load8S, .load16U, .load16S, .load32U, .load32S, .load64,
        ]
        // Most addresses are of the landscape, at the pages' edges too.
        if !chance(8) || guards == 0 {
            emit(.loadConstant, d: 0, imm: number(0..<addresses.count))
            set.insert(0)
        }
        guard guards > 0 || chance(2) else { return }
        emit(pick(ops), d: target(), a: chance(8) ? register() : 0, imm: number(-20..<200))
    }

    private mutating func spanOperation() {
        let comparing: [Opcode] = [
            .spanEqual, .spanLess, .spanHasPrefix, .spanHasSuffix, .spanContains,
        ]
        switch number(0..<7) {
        case 0:
            emit(.spanConstant, d: newSpan(), imm: number(0..<Self.strings.count))
        case 1:
            emit(.loadConstant, d: 1, imm: number(0..<addresses.count))
            emit(.loadImmediate, d: 2, imm: number(0..<400))
            set.formUnion([1, 2])
            emit(.spanMemory, d: newSpan(), a: 1, b: 2, imm: number(0..<300))
        case 2 where guards > 0 || chance(8):
            emit(.loadConstant, d: 1, imm: number(0..<addresses.count))
            set.insert(1)
            emit(.spanCString, d: newSpan(), a: 1, imm: number(0..<600))
        case 3 where guards > 0 || chance(8):
            // Words of a native string that stands in the landscape, of a small one, or of none.
            emit(.loadConstant, d: 1, imm: number(0..<addresses.count + 8))
            emit(.loadConstant, d: 2, imm: number(0..<addresses.count + 8))
            if Bool.random(using: &random) {
                emit(.loadImmediate, d: 1, imm: number(0..<300))
                emit(.loadImmediate, d: 3, imm: 15)
                emit(.loadImmediate, d: 4, imm: 60)
                emit(.shl, d: 3, a: 3, b: 4)
                emit(.or, d: 1, a: 1, b: 3)
                set.formUnion([3, 4])
            }
            set.formUnion([1, 2])
            emit(.spanSwiftString, d: newSpan(), a: 1, b: 2)
        default:
            guard let a = spans.sorted().randomElement(using: &random),
                let b = spans.sorted().randomElement(using: &random)
            else { return }
            if chance(3) {
                emit(chance(2) ? .spanLength : .spanIsEmpty, d: target(), a: a)
            } else if rounds <= 8, code.count < 200, guards > 0 || chance(3) {
                emit(pick(comparing), d: target(), a: a, b: b)
            }
        }
    }

    private mutating func write() {
        switch number(0..<7) {
        case 0: emit(.write8, a: register())
        case 1: emit(.write16, a: register())
        case 2: emit(.write32, a: register())
        case 3: emit(.write64, a: register())
        case 4 where guards > 0 || chance(8):
            emit(.loadConstant, d: 1, imm: number(0..<addresses.count))
            emit(.loadImmediate, d: 2, imm: number(0..<600))
            set.formUnion([1, 2])
            emit(.writeMemory, a: 1, b: 2, imm: number(0..<500))
        default:
            guard guards > 0 || chance(8), let span = spans.sorted().randomElement(using: &random)
            else { return }
            emit(.writeSpan, a: span, imm: number(0..<400))
        }
    }

    // MARK: - Parts

    private mutating func emit(
        _ op: Opcode, d: UInt8 = 0, a: UInt8 = 0, b: UInt8 = 0, imm: Int32 = 0
    ) {
        code.append(Instruction(op, d: d, a: a, b: b, imm: imm))
        if op == .loadConstant || op == .loadImmediate { set.insert(d) }
        if let written { set.insert(written) }
        written = nil
    }

    private mutating func target() -> UInt8 {
        let register = UInt8(number(0..<32))
        written = register
        return register
    }

    private mutating func register() -> UInt8 {
        set.sorted().randomElement(using: &random) ?? 0
    }

    private mutating func newSpan() -> UInt8 {
        let span = UInt8(number(0..<8))
        spans.insert(span)
        return span
    }

    private mutating func pick(_ ops: [Opcode]) -> Opcode {
        ops.randomElement(using: &random) ?? .move
    }

    private mutating func chance(_ of: Int32) -> Bool { number(0..<Int(of)) == 0 }

    private mutating func number(_ range: Range<Int>) -> Int32 {
        Int32(Int.random(in: range, using: &random))
    }
}
