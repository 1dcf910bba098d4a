// SPDX-License-Identifier: Apache-2.0
// Compiles what a hit knows of its thread: the thread's number, its task, its trace id.

import SondeProbeLanguage
import SondeProbeProgram

extension SiteCompiler {
    /// A value that the thread carries; a task and a trace id may be missing.
    mutating func contextOfHit(_ value: ContextValue) -> Operand {
        switch value {
        case .task:
            let presence = asm.push(), task = asm.push()
            asm.emit(.readContext, d: task, 1)
            asm.emit(.move, d: presence, a: task)
            asm.isZero(presence)
            asm.invert(presence)
            return .optional(presence: presence, payload: .scalar(.unsigned(64), task))
        case .trace:
            let presence = asm.push(), low = asm.push(), high = asm.push()
            asm.emit(.readContext, d: low, 2)
            asm.emit(.readContext, d: high, 3)
            asm.emit(.or, d: presence, a: low, b: high)
            asm.isZero(presence)
            asm.invert(presence)
            return .optional(presence: presence, payload: .trace(low, high))
        default:
            let register = asm.push()
            asm.emit(.readContext, d: register, 0)
            return .scalar(.int, register)
        }
    }

    /// Whether a trace id is the one that 32 hexadecimal digits say.
    mutating func traceEqual(
        _ low: Register, _ high: Register, _ text: String, _ span: SourceSpan,
        into result: Register
    ) throws(SiteFailure) {
        let digits = Array(text.utf8).compactMap { UInt64(hexDigit: $0) }
        guard digits.count == 32, text.utf8.count == 32 else {
            throw .mistake(
                .wrongType, found: "`\(text)` beside a trace id",
                want: "its 32 hexadecimal digits", span)
        }
        var words: [UInt64] = [0, 0]
        for (index, digit) in digits.enumerated() {
            // The first digit is the upper half of the first byte, which is the lowest.
            let bit = UInt64(index % 16 / 2 * 8 + (index % 2 == 0 ? 4 : 0))
            words[index / 16] |= digit << bit
        }
        let wanted = asm.push(), test = asm.push()
        asm.number(words[0], into: wanted)
        asm.emit(.eq, d: result, a: low, b: wanted)
        asm.number(words[1], into: wanted)
        asm.emit(.eq, d: test, a: high, b: wanted)
        asm.emit(.and, d: result, a: result, b: test)
        asm.top -= 2
    }

    /// Writes a trace id as a string of 32 digits.
    mutating func captureTrace(_ low: Register, _ high: Register) -> Int {
        let mark = asm.top
        let length = asm.push()
        asm.number(32, into: length)
        asm.emit(.write32, a: length)
        asm.emit(.write32, a: length)
        for word in [low, high] {
            let half = asm.push(), shift = asm.push()
            asm.emit(.move, d: half, a: word)
            asm.emit(.zeroExtend, d: half, a: half, 32)
            writeDigits(half)
            asm.number(32, into: shift)
            asm.emit(.shrU, d: half, a: word, b: shift)
            writeDigits(half)
            asm.top -= 2
        }
        asm.top = mark
        return shapes.index(of: .string(quotedWhenNested: true))
    }

    /// Writes four bytes as eight digits; the register is used up.
    private mutating func writeDigits(_ bytes: Register) {
        let other = asm.push(), constant = asm.push()
        // Each byte into 16 bits of its own.
        for (count, mask) in [(16, 0x0000_FFFF_0000_FFFF), (8, 0x00FF_00FF_00FF_00FF)]
            as [(UInt64, UInt64)]
        {
            asm.number(count, into: constant)
            asm.emit(.shl, d: other, a: bytes, b: constant)
            asm.emit(.or, d: bytes, a: bytes, b: other)
            asm.number(mask, into: constant)
            asm.emit(.and, d: bytes, a: bytes, b: constant)
        }
        // The upper half of each byte first, the lower half behind it.
        asm.number(4, into: constant)
        asm.emit(.shrU, d: other, a: bytes, b: constant)
        asm.number(8, into: constant)
        asm.emit(.shl, d: bytes, a: bytes, b: constant)
        asm.emit(.or, d: bytes, a: bytes, b: other)
        asm.number(0x0F0F_0F0F_0F0F_0F0F, into: constant)
        asm.emit(.and, d: bytes, a: bytes, b: constant)
        // 10 and more plus 6 carries into bit 4: there "a" is 39 further on than "0" + 10.
        asm.number(0x0606_0606_0606_0606, into: constant)
        asm.emit(.add, d: other, a: bytes, b: constant)
        asm.number(4, into: constant)
        asm.emit(.shrU, d: other, a: other, b: constant)
        asm.number(0x0101_0101_0101_0101, into: constant)
        asm.emit(.and, d: other, a: other, b: constant)
        asm.number(39, into: constant)
        asm.emit(.mul, d: other, a: other, b: constant)
        asm.emit(.add, d: bytes, a: bytes, b: other)
        asm.number(0x3030_3030_3030_3030, into: constant)
        asm.emit(.add, d: bytes, a: bytes, b: constant)
        asm.emit(.write64, a: bytes)
        asm.top -= 2
    }
}

extension UInt64 {
    /// The value of a hexadecimal digit.
    fileprivate init?(hexDigit byte: UInt8) {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self.init(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self.init(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self.init(byte - UInt8(ascii: "A") + 10)
        default: return nil
        }
    }
}
