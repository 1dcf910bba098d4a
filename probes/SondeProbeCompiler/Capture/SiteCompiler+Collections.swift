// SPDX-License-Identifier: Apache-2.0
// Compiles the capture of collections: their count, and their first elements in a counted loop.

import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    /// How many elements an array may show, by how many arrays it lies in.
    var mostElements: Int {
        var count = limits.elements
        for _ in 0..<loops { count /= 10 }
        return max(1, count)
    }

    mutating func array(
        _ place: BytePlace, _ layout: TypeLayout, _ element: TypeID,
        _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let object = asm.push(), count = asm.push()
        asm.load(place, bytes: 8, into: object)
        asm.load(
            .memory(base: object, offset: Int64(ArrayObject.count), origin: ""), bytes: 8,
            into: count)
        asm.emit(.write64, a: count)
        let inner = layouts[element]
        let first = ArrayObject.firstElement(alignment: inner.alignment)
        let memory = BytePlace.memory(
            base: object, offset: Int64(clamping: first), origin: place.origin)
        return try elements(inner, at: memory, count, layout.name, position)
    }

    mutating func cArray(
        _ place: BytePlace, _ layout: TypeLayout, _ element: TypeID, _ count: UInt64,
        _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let inner = layouts[element]
        guard case .memory(let base, let offset)? = place.pieces.first?.source,
            place.pieces.count == 1
        else { return shapes.index(of: .unavailable(reason: "an array in registers")) }
        if inner.isCharacter {
            return try captureString(.place(place, layout), position)
        }
        let number = asm.push()
        asm.number(count, into: number)
        asm.emit(.write64, a: number)
        let memory = BytePlace.memory(base: base, offset: offset, origin: place.origin)
        return try elements(inner, at: memory, number, layout.name, position)
    }

    /// Writes how many elements are captured, and them.
    private mutating func elements(
        _ inner: TypeLayout, at memory: BytePlace, _ count: Register, _ name: String,
        _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let isTooDeep = position.depth >= limits.depth || loops >= 3
        let most = isTooDeep ? 0 : mostElements
        let captured = asm.push(), test = asm.push()
        var fits = Assembler.Label()
        asm.number(UInt64(most), into: captured)
        asm.emit(.ltU, d: test, a: captured, b: count)
        asm.jump(ifNotZero: test, to: &fits)
        asm.emit(.move, d: captured, a: count)
        asm.bind(fits)
        asm.emit(.write32, a: captured)
        asm.top -= 1
        if isTooDeep {
            let nothing = shapes.index(of: .unavailable(reason: "not captured"))
            return shapes.index(of: .array(element: nothing, typeName: name))
        }
        let counter = asm.push()
        asm.emit(.loopBegin, d: counter, a: captured, Int32(most))
        loops += 1
        let address = asm.push()
        asm.emit(.move, d: address, a: counter)
        var offset: Int64 = 0
        if case .memory(let base, let start)? = memory.pieces.first?.source {
            offset = start
            asm.scale(address, by: inner.stride, addedTo: base)
        }
        let element = BytePlace.memory(base: address, offset: offset, origin: memory.origin)
        let shape = try capture(element, inner, position.field(0))
        loops -= 1
        asm.emit(.loopEnd)
        return shapes.index(of: .array(element: shape, typeName: name))
    }
}
