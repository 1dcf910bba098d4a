// SPDX-License-Identifier: Apache-2.0
// Small computations on registers.

import SondeProbeProgram

extension Assembler {
    /// Replaces a number by whether it is zero.
    mutating func isZero(_ register: Register) {
        let zero = push()
        number(0, into: zero)
        emit(.eq, d: register, a: register, b: zero)
        top -= 1
    }

    /// Replaces false by true and true by false.
    mutating func invert(_ register: Register) {
        let one = push()
        number(1, into: one)
        emit(.xor, d: register, a: register, b: one)
        top -= 1
    }

    /// Keeps some bits of a register as a number.
    mutating func bits(_ register: Register, first: UInt8, count: UInt8, signed: Bool) {
        if first > 0 {
            let shift = push()
            number(UInt64(first), into: shift)
            emit(.shrU, d: register, a: register, b: shift)
            top -= 1
        }
        guard count < 64 else { return }
        emit(signed ? .signExtend : .zeroExtend, d: register, a: register, Int32(max(1, count)))
    }

    /// Replaces an index by an address: `base + index * stride`.
    mutating func scale(_ index: Register, by stride: UInt64, addedTo base: Register) {
        if stride != 1 {
            let factor = push()
            number(stride, into: factor)
            emit(.mul, d: index, a: index, b: factor)
            top -= 1
        }
        emit(.add, d: index, a: index, b: base)
    }

    /// Faults unless a number fits into fewer bits.
    mutating func narrow(_ register: Register, to type: ScalarType) {
        switch type {
        case .signed(let bits) where bits < 64:
            emit(.narrowS, d: register, a: register, Int32(bits))
        case .unsigned(let bits) where bits < 64:
            emit(.narrowU, d: register, a: register, Int32(bits))
        default: break
        }
    }
}
