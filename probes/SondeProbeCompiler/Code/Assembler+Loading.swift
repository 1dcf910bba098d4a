// SPDX-License-Identifier: Apache-2.0
// Loads integers from wherever a value's bytes are, put together from pieces if need be.

import SondeProbeProgram

extension Assembler {
    /// Loads an integer of 1...8 bytes, extended to 64 bits.
    ///
    /// The caller has made sure that no byte is missing; a missing one would load as 0.
    mutating func load(
        _ place: BytePlace, at offset: UInt64 = 0, bytes: Int, signed: Bool = false,
        into target: Register
    ) {
        let bytes = max(1, min(8, bytes))
        let parts = place.slice(from: offset, size: UInt64(bytes)).pieces
        let foreign = place.foreignMask(at: offset, bytes: bytes)
        if parts.count == 1, let part = parts.first {
            load(part.source, bytes: bytes, signed: signed && foreign == 0, into: target)
        } else {
            assemble(parts, into: target)
            if signed, foreign == 0 { extend(target, bytes: bytes, signed: true) }
        }
        guard foreign != 0 else { return }
        let mask = push()
        number(~foreign, into: mask)
        emit(.and, d: target, a: target, b: mask)
        top -= 1
        if signed { extend(target, bytes: bytes, signed: true) }
    }

    /// Puts an integer together from pieces, without sign.
    private mutating func assemble(_ parts: [BytePlace.Piece], into target: Register) {
        let sum = push()
        number(0, into: sum)
        var shift: UInt64 = 0
        for part in parts where shift < 64 {
            let size = Int(min(part.size, 8))
            let piece = push()
            load(part.source, bytes: size, signed: false, into: piece)
            if shift > 0 {
                let count = push()
                number(shift, into: count)
                emit(.shl, d: piece, a: piece, b: count)
                top -= 1
            }
            emit(.or, d: sum, a: sum, b: piece)
            top -= 1
            shift += UInt64(size) * 8
        }
        emit(.move, d: target, a: sum)
        top -= 1
    }

    /// Loads 1...8 bytes from one source, extended to 64 bits.
    private mutating func load(
        _ source: BytePlace.Source, bytes: Int, signed: Bool, into target: Register
    ) {
        switch source {
        case .general(_, let from) where from > 7, .computed(_, let from) where from > 7,
            .vector(_, let from) where from > 15:
            // Broken debug info: a register has no such byte.
            number(0, into: target)
        case .memory(let base, let offset):
            loadMemory(base, offset, bytes: bytes, signed: signed, into: target)
        case .general(let number, let from):
            emit(.readRegister, d: target, Int32(number))
            cut(target, from: from, bytes: bytes, signed: signed)
        case .vector(let number, let from):
            emit(.readVector, d: target, a: number, b: from >= 8 ? 1 : 0)
            cut(target, from: from % 8, bytes: bytes, signed: signed)
        case .computed(let register, let from):
            if register != target { emit(.move, d: target, a: register) }
            cut(target, from: from, bytes: bytes, signed: signed)
        case .bytes(let known):
            var value: UInt64 = 0
            for byte in known.prefix(bytes).reversed() { value = value << 8 | UInt64(byte) }
            if signed, bytes < 8 {
                let unused = UInt64(64 - bytes * 8)
                value = UInt64(bitPattern: Int64(bitPattern: value << unused) >> unused)
            }
            number(value, into: target)
        case .missing:
            number(0, into: target)
        }
    }

    private mutating func loadMemory(
        _ base: Register, _ offset: Int64, bytes: Int, signed: Bool, into target: Register
    ) {
        var base = base, start = offset
        let mark = top
        if Int32(exactly: offset) == nil || Int32(exactly: offset &+ 8) == nil {
            let far = push()
            add(offset, to: base, into: far)
            base = far
            start = 0
        }
        let near = Int32(truncatingIfNeeded: start)
        switch bytes {
        case 1: emit(signed ? .load8S : .load8U, d: target, a: base, near)
        case 2: emit(signed ? .load16S : .load16U, d: target, a: base, near)
        case 4: emit(signed ? .load32S : .load32U, d: target, a: base, near)
        case 8: emit(.load64, d: target, a: base, near)
        default:
            // 3, 5, 6 and 7 bytes: as two loads, or three.
            let low = bytes > 4 ? 4 : 2
            let first = push(), second = push(), shift = push()
            emit(low == 4 ? .load32U : .load16U, d: first, a: base, near)
            loadMemory(
                base, Int64(near) + Int64(low), bytes: bytes - low, signed: signed, into: second)
            number(UInt64(low * 8), into: shift)
            emit(.shl, d: second, a: second, b: shift)
            emit(.or, d: target, a: first, b: second)
        }
        top = mark
    }

    /// Keeps some bytes of a register.
    private mutating func cut(_ target: Register, from: UInt64, bytes: Int, signed: Bool) {
        if from > 0 {
            let shift = push()
            number(from * 8, into: shift)
            emit(.shrU, d: target, a: target, b: shift)
            top -= 1
        }
        if UInt64(bytes) + from < 8 || (signed && bytes < 8) {
            extend(target, bytes: bytes, signed: signed)
        }
    }

    /// Extends the low bytes of a register to all of it.
    mutating func extend(_ target: Register, bytes: Int, signed: Bool) {
        guard bytes < 8 else { return }
        emit(signed ? .signExtend : .zeroExtend, d: target, a: target, Int32(bytes * 8))
    }
}
