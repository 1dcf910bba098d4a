// SPDX-License-Identifier: Apache-2.0
// Compiles values of libraries' types that stand for something else than their fields: `Date`,
// `UUID`, `Duration`, `Data`, and weak references.

import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    /// Writes some words as they are.
    mutating func write(_ place: BytePlace, words: UInt64) {
        let register = asm.push()
        for word in 0..<words {
            asm.load(place, at: word &* 8, bytes: 8, into: register)
            asm.emit(.write64, a: register)
        }
        asm.top -= 1
    }

    /// Writes the bytes of a `Data`, as many as of a string.
    mutating func captureData(_ place: BytePlace) -> Int {
        let bytes = dataBytes(place)
        asm.emit(.writeSpan, a: bytes, Int32(clamping: limits.stringBytes))
        return shapes.index(of: .data)
    }

    /// The bytes of a `Data`, as a span.
    ///
    /// Its second word says by its two highest bits how they are kept: 0 in the value itself, 1 and 2
    /// in an object, 3 none at all.
    mutating func dataBytes(_ place: BytePlace) -> Register {
        let target = asm.pushSpan()
        let mark = asm.top
        let first = asm.push(), second = asm.push(), form = asm.push(), test = asm.push()
        var end = Assembler.Label(), notInline = Assembler.Label(), notEmpty = Assembler.Label()
        asm.load(place, bytes: 8, into: first)
        asm.load(place, at: 8, bytes: 8, into: second)
        asm.number(62, into: test)
        asm.emit(.shrU, d: form, a: second, b: test)
        asm.jump(ifNotZero: form, to: &notInline)
        // 14 bytes and their count in the next: a small string in all but the mark.
        asm.number(0xA0 << 56, into: test)
        moveInlineCount(second, test)
        asm.emit(.spanSwiftString, d: target, a: first, b: second)
        asm.jump(to: &end)
        asm.bind(notInline)
        asm.number(3, into: test)
        asm.emit(.eq, d: test, a: form, b: test)
        asm.jump(ifZero: test, to: &notEmpty)
        asm.emit(.spanConstant, d: target, asm.tables.string([]))
        asm.jump(to: &end)
        asm.bind(notEmpty)
        storedBytes(first, second, form, into: target)
        asm.bind(end)
        asm.top = mark
        return target
    }

    /// Moves the count of inline bytes, at most 14, to where a small string has it.
    private mutating func moveInlineCount(_ word: Register, _ mark: Register) {
        let count = asm.push(), other = asm.push()
        asm.number(8, into: other)
        asm.emit(.shl, d: count, a: word, b: other)
        asm.number(0xF << 56, into: other)
        asm.emit(.and, d: count, a: count, b: other)
        asm.emit(.or, d: count, a: count, b: mark)
        asm.emit(.zeroExtend, d: word, a: word, 48)
        asm.emit(.or, d: word, a: word, b: count)
        asm.top -= 2
    }

    /// The bytes of a `Data` in an object; a large one has its bounds in another.
    private mutating func storedBytes(
        _ first: Register, _ second: Register, _ form: Register, into target: Register
    ) {
        let lower = asm.push(), upper = asm.push(), test = asm.push()
        var large = Assembler.Label(), known = Assembler.Label()
        asm.number(2, into: test)
        asm.emit(.eq, d: test, a: form, b: test)
        asm.jump(ifNotZero: test, to: &large)
        asm.emit(.signExtend, d: lower, a: first, 32)
        asm.number(32, into: test)
        asm.emit(.shrS, d: upper, a: first, b: test)
        asm.jump(to: &known)
        asm.bind(large)
        asm.emit(.load64, d: lower, a: first, Int32(DataStorage.lowerBound))
        asm.emit(.load64, d: upper, a: first, Int32(DataStorage.upperBound))
        asm.bind(known)
        asm.emit(.zeroExtend, d: second, a: second, 62)
        asm.emit(.load64, d: test, a: second, Int32(DataStorage.offset))
        asm.emit(.sub, d: upper, a: upper, b: lower)
        asm.emit(.sub, d: lower, a: lower, b: test)
        asm.emit(.load64, d: test, a: second, Int32(DataStorage.bytes))
        asm.emit(.add, d: test, a: test, b: lower)
        asm.emit(.spanMemory, d: target, a: test, b: upper, Int32(MachineBounds.comparedBytes))
    }

    /// How many bytes a `Data` has.
    mutating func dataMember(
        _ name: String, _ span: SourceSpan, of place: BytePlace, _ layout: TypeLayout
    ) throws(SiteFailure) -> Operand {
        guard name == "count" || name == "isEmpty" else {
            throw .unknownMember(
                name, type: layout.name, members: ["count", "isEmpty"], span)
        }
        try requireBytes(of: place, layout.size, span)
        let bytes = dataBytes(place)
        asm.spanTop -= 1
        let result = asm.push()
        asm.emit(name == "count" ? .spanLength : .spanIsEmpty, d: result, a: bytes)
        return .scalar(name == "count" ? .int : .boolean, result)
    }

    // MARK: - Weak references

    /// The object of a weak reference, or nothing when it is going or gone.
    mutating func weakObject(
        _ place: BytePlace, _ object: TypeID
    ) -> (presence: Register, payload: Operand) {
        let presence = asm.push(), address = asm.push()
        let table = asm.push(), other = asm.push()
        asm.load(place, bytes: 8, into: table)
        asm.number(~SideTable.marks, into: other)
        asm.emit(.and, d: table, a: table, b: other)
        asm.emit(.move, d: address, a: table)
        asm.emit(.move, d: presence, a: table)
        var none = Assembler.Label()
        asm.jump(ifZero: table, to: &none)
        asm.emit(.load64, d: address, a: table, Int32(SideTable.object))
        asm.emit(.load64, d: presence, a: table, Int32(SideTable.counts))
        asm.number(SideTable.goneBit, into: other)
        asm.emit(.shrU, d: presence, a: presence, b: other)
        asm.number(1, into: other)
        asm.emit(.and, d: presence, a: presence, b: other)
        asm.invert(presence)
        asm.bind(none)
        asm.top -= 2
        let piece = BytePlace.Piece(size: 8, source: .computed(address, from: 0))
        return (
            presence,
            .place(BytePlace(pieces: [piece], origin: place.origin), layouts[object])
        )
    }

    /// Writes a weak reference as an optional object.
    mutating func captureWeak(
        _ place: BytePlace, _ object: TypeID, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let (presence, operand) = weakObject(place, object)
        var end = Assembler.Label()
        asm.emit(.write8, a: presence)
        asm.jump(ifZero: presence, to: &end)
        let part = try capture(operand, position.inside(0))
        asm.bind(end)
        return shapes.index(of: .optional(part))
    }

    // MARK: - Text behind objects

    /// The two words of the string that an object leads to.
    mutating func objectText(
        _ place: BytePlace, _ path: [UInt64]
    ) -> (first: Register, second: Register) {
        let address = asm.push(), second = asm.push()
        asm.load(place, bytes: 8, into: address)
        for offset in path.dropLast() {
            asm.emit(.load64, d: address, a: address, Int32(clamping: offset))
        }
        let last = path.last ?? 0
        asm.emit(.load64, d: second, a: address, Int32(clamping: last &+ 8))
        asm.emit(.load64, d: address, a: address, Int32(clamping: last))
        return (address, second)
    }

    /// Whether a UUID is the one that a text says.
    mutating func uuidEqual(
        _ place: BytePlace, _ text: String, _ span: SourceSpan, into result: Register
    ) throws(SiteFailure) {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }.compactMap { digit -> UInt64? in
            UInt64(String(decoding: [digit], as: UTF8.self), radix: 16)
        }
        guard digits.count == 32, text.utf8.count == 36 else {
            throw .mistake(
                .wrongType, found: "`\(text)` beside a UUID",
                want: "one as `6F9619FF-8B86-D011-B42D-00CF4FC964FF`", span)
        }
        var words: [UInt64] = [0, 0]
        for (index, digit) in digits.enumerated() {
            words[index / 16] |= digit << UInt64(index % 16 / 2 * 8 + (index % 2 == 0 ? 4 : 0))
        }
        let word = asm.push(), wanted = asm.push()
        asm.number(1, into: result)
        for (index, value) in words.enumerated() {
            asm.load(place, at: UInt64(index) &* 8, bytes: 8, into: word)
            asm.number(value, into: wanted)
            asm.emit(.eq, d: word, a: word, b: wanted)
            asm.emit(.and, d: result, a: result, b: word)
        }
        asm.top -= 2
    }
}
