// SPDX-License-Identifier: Apache-2.0
// Finds out which case of an enum a value is.

import SondeProbeProgram
import SondeSymbols

extension Assembler {
    /// The case index that stands for bytes that mean no case.
    static let unknownCase: UInt64 = 0xFFFF

    /// Puts the index of a value's case into a register.
    mutating func caseIndex(_ place: BytePlace, _ rule: TagRule, into target: Register) {
        let mark = top
        let index = push()
        if !shortCaseIndex(place, rule, into: index) {
            var done = Label()
            for step in rule.steps { caseStep(step, place, into: index, done: &done) }
            number(rule.otherwise.map(UInt64.init(clamping:)) ?? Self.unknownCase, into: index)
            bind(done)
        }
        emit(.move, d: target, a: index)
        top = mark
    }

    /// One comparison for the usual rule of two cases.
    private mutating func shortCaseIndex(
        _ place: BytePlace, _ rule: TagRule, into index: Register
    ) -> Bool {
        guard rule.steps.count == 1, let step = rule.steps.first, step.choices.count == 1,
            let choice = step.choices.first, let otherwise = rule.otherwise,
            choice.numbers.lowerBound == choice.numbers.upperBound,
            let special = choice.firstCase, Set([special, otherwise]) == [0, 1]
        else { return false }
        number(of: step, place, into: index)
        let constant = push()
        number(choice.numbers.lowerBound, into: constant)
        emit(special == 1 ? .eq : .ne, d: index, a: index, b: constant)
        top -= 1
        return true
    }

    private mutating func caseStep(
        _ step: TagRule.Step, _ place: BytePlace, into index: Register, done: inout Label
    ) {
        let value = push()
        number(of: step, place, into: value)
        for choice in step.choices {
            var next = Label()
            let low = choice.numbers.lowerBound, high = choice.numbers.upperBound
            let bound = push(), test = push()
            if low == high {
                number(low, into: bound)
                emit(.eq, d: test, a: value, b: bound)
                jump(ifZero: test, to: &next)
            } else {
                if low > 0 {
                    number(low, into: bound)
                    emit(.leU, d: test, a: bound, b: value)
                    jump(ifZero: test, to: &next)
                }
                if high < .max {
                    number(high, into: bound)
                    emit(.leU, d: test, a: value, b: bound)
                    jump(ifZero: test, to: &next)
                }
            }
            if let first = choice.firstCase {
                if choice.isOneCase || low == high {
                    number(UInt64(clamping: first), into: index)
                } else {
                    number(UInt64(clamping: first) &- low, into: bound)
                    emit(.add, d: index, a: value, b: bound)
                }
            } else {
                number(Self.unknownCase, into: index)
            }
            jump(to: &done)
            bind(next)
            top -= 2
        }
        top -= 1
    }

    /// Collects the bits that a step looks at.
    private mutating func number(
        of step: TagRule.Step, _ place: BytePlace, into target: Register
    ) {
        // The tag's own bits are what is wanted here.
        var whole = place
        whole.foreign = []
        let mark = top
        let sum = push()
        for (position, part) in step.parts.enumerated() {
            let piece = position == 0 ? sum : push()
            load(whole, at: part.byteOffset, bytes: Int(part.bytes), into: piece)
            shift(piece, by: part.firstBit, .shrU)
            let isWhole = part.firstBit == 0 && Int(part.bitCount) == Int(part.bytes) * 8
            if !isWhole, part.bitCount < 64 {
                let mask = push()
                number((1 << UInt64(part.bitCount)) &- 1, into: mask)
                emit(.and, d: piece, a: piece, b: mask)
                top -= 1
            }
            shift(piece, by: part.position, .shl)
            if position > 0 {
                emit(.or, d: sum, a: sum, b: piece)
                top -= 1
            }
        }
        if step.parts.isEmpty { number(0, into: sum) }
        emit(.move, d: target, a: sum)
        top = mark
    }

    private mutating func shift(_ register: Register, by count: UInt8, _ op: Opcode) {
        guard count > 0 else { return }
        let amount = push()
        number(UInt64(count), into: amount)
        emit(op, d: register, a: register, b: amount)
        top -= 1
    }
}
