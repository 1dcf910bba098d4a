// SPDX-License-Identifier: Apache-2.0
// Compiles the capture of dictionaries and sets: a walk over the bits of the buckets that are used.

import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    /// How many words of 64 buckets are looked through for the next entry, by how many collections
    /// the table lies in; a table that is emptier shows fewer entries than it could.
    private var mostWords: Int32 { loops == 0 ? 32 : 4 }

    /// What the walk over a table keeps between two entries.
    private struct Walk {
        /// The address of the next word of bits, and how many words are left.
        var next: Register
        var left: Register
        /// The bits of the current word that were not taken yet, and its first bucket's number.
        var word: Register
        var bucket: Register
        /// The bits of a word that are buckets.
        var mask: Register
        var keys: Register
        var values: Register
    }

    /// A dictionary, or a set without values.
    mutating func table(
        _ place: BytePlace, _ layout: TypeLayout, _ key: TypeID, _ value: TypeID?,
        _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        // What of the registers is left has to do for a key and a value.
        let isTooDeep = position.depth >= limits.depth || loops >= 3 || asm.top > 14
        let object = asm.push(), count = asm.push()
        asm.load(place, bytes: 8, into: object)
        asm.emit(.load64, d: count, a: object, Int32(HashTable.count))
        asm.emit(.write64, a: count)
        guard !isTooDeep else {
            asm.number(0, into: count)
            asm.emit(.write32, a: count)
            let nothing = shapes.index(of: .unavailable(reason: "not captured"))
            return shapes.index(
                of: .table(
                    key: nothing, value: value == nil ? nil : nothing, typeName: layout.name))
        }
        limit(count, to: mostElements)
        asm.emit(.write32, a: count)
        let walk = begin(object, hasValues: value != nil)
        let counter = asm.push()
        asm.emit(.loopBegin, d: counter, a: count, Int32(mostElements))
        let isThere = findEntry(walk)
        asm.emit(.write8, a: isThere)
        var end = Assembler.Label()
        asm.jump(ifZero: isThere, to: &end)
        let number = isThere
        takeEntry(walk, into: number)
        loops += 1
        let first = try element(
            layouts[key], of: walk.keys, number, place.origin, position.field(0))
        var second: Int?
        if let value {
            second = try element(
                layouts[value], of: walk.values, number, place.origin, position.field(1))
        }
        loops -= 1
        asm.bind(end)
        asm.emit(.loopEnd)
        return shapes.index(of: .table(key: first, value: second, typeName: layout.name))
    }

    /// Makes a register's number no more than a constant.
    private mutating func limit(_ count: Register, to most: Int) {
        let test = asm.push()
        var fits = Assembler.Label()
        asm.number(UInt64(most), into: test)
        asm.emit(.leU, d: test, a: count, b: test)
        asm.jump(ifNotZero: test, to: &fits)
        asm.number(UInt64(most), into: count)
        asm.bind(fits)
        asm.top -= 1
    }

    /// Reads where a table's parts are, and stands in front of its first word; the table's register
    /// is used up.
    private mutating func begin(_ table: Register, hasValues: Bool) -> Walk {
        let walk = Walk(
            next: table, left: asm.push(), word: asm.push(), bucket: asm.push(),
            mask: asm.push(), keys: asm.push(), values: asm.push())
        asm.emit(.load64, d: walk.keys, a: table, Int32(HashTable.keys))
        if hasValues { asm.emit(.load64, d: walk.values, a: table, Int32(HashTable.values)) }
        let scale = asm.push(), other = asm.push()
        // 2 ^ scale buckets: with 64 and more of them each bit of a word is one, and the shift gives
        // 0, of which one less is all ones.
        asm.emit(.load8U, d: scale, a: table, Int32(HashTable.scale))
        asm.number(1, into: walk.mask)
        asm.emit(.shl, d: scale, a: walk.mask, b: scale)
        asm.emit(.shl, d: walk.mask, a: walk.mask, b: scale)
        asm.emit(.addImmediate, d: walk.mask, a: walk.mask, -1)
        asm.emit(.addImmediate, d: scale, a: scale, 63)
        asm.number(6, into: other)
        asm.emit(.shrU, d: walk.left, a: scale, b: other)
        asm.top -= 2
        asm.add(
            Int64(HashTable.usedBuckets(hasValues: hasValues)), to: table, into: walk.next)
        asm.number(0, into: walk.word)
        asm.number(UInt64(bitPattern: -64), into: walk.bucket)
        return walk
    }

    /// Goes on to the next word with a bit; whether there is one.
    private mutating func findEntry(_ walk: Walk) -> Register {
        let isThere = asm.push(), counter = asm.push()
        asm.emit(.loopBegin, d: counter, a: walk.left, mostWords)
        var found = Assembler.Label()
        asm.jump(ifNotZero: walk.word, to: &found)
        asm.jump(ifZero: walk.left, to: &found)
        asm.emit(.load64, d: walk.word, a: walk.next)
        asm.emit(.and, d: walk.word, a: walk.word, b: walk.mask)
        asm.emit(.addImmediate, d: walk.next, a: walk.next, 8)
        asm.emit(.addImmediate, d: walk.left, a: walk.left, -1)
        asm.emit(.addImmediate, d: walk.bucket, a: walk.bucket, 64)
        asm.bind(found)
        asm.emit(.loopEnd)
        asm.emit(.move, d: isThere, a: walk.word)
        asm.isZero(isThere)
        asm.invert(isThere)
        asm.top -= 1
        return isThere
    }

    /// Takes the lowest bit off the word: its bucket's number.
    private mutating func takeEntry(_ walk: Walk, into number: Register) {
        let other = asm.push()
        asm.emit(.neg, d: number, a: walk.word)
        asm.emit(.and, d: number, a: walk.word, b: number)
        asm.emit(.xor, d: walk.word, a: walk.word, b: number)
        // The exponent of a power of two is the position of its bit; a double's begins at bit 52
        // and counts from -1023.
        asm.emit(.uintToFloat, d: number, a: number)
        asm.number(52, into: other)
        asm.emit(.shrU, d: number, a: number, b: other)
        asm.emit(.addImmediate, d: number, a: number, -1023)
        asm.emit(.add, d: number, a: number, b: walk.bucket)
        asm.top -= 1
    }

    /// Captures the key or the value of a bucket.
    private mutating func element(
        _ layout: TypeLayout, of base: Register, _ number: Register, _ origin: String,
        _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let mark = asm.top
        defer { asm.top = mark }
        let address = asm.push()
        asm.emit(.move, d: address, a: number)
        asm.scale(address, by: layout.stride, addedTo: base)
        return try capture(
            .memory(base: address, offset: 0, origin: origin), layout, position)
    }
}
