// SPDX-License-Identifier: Apache-2.0
// Compiles the capture of values that have parts: structures, objects, optionals and enums.

import SondeModel
import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    /// The most cases of an enum that are told apart.
    static let mostCases = 256

    /// Structures and tuples.
    mutating func structure(
        _ place: BytePlace, _ layout: TypeLayout, _ fields: [TypeLayout.Field],
        _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        guard position.depth < limits.depth || fields.isEmpty else {
            return cut(layout.name, address: nil)
        }
        let parts = try self.fields(fields, of: place, position)
        if case .tuple = layout.kind { return shapes.index(of: .tuple(parts)) }
        return shapes.index(of: .structure(typeName: layout.name, fields: parts))
    }

    private mutating func fields(
        _ fields: [TypeLayout.Field], of place: BytePlace, _ position: CapturePosition
    ) throws(SiteFailure) -> [ShapeField] {
        var parts: [ShapeField] = []
        for (number, field) in fields.enumerated() {
            guard partsLeft > 0 else {
                let rest = shapes.index(
                    of: .unavailable(reason: "\(fields.count - number) more, not captured"))
                parts.append(ShapeField(name: "…", shape: rest))
                break
            }
            let mark = asm.top
            // A pointer in a field has a guard of its own, so that it spoils only itself.
            let shape = try self.field(field, of: place, position.field(number))
            parts.append(ShapeField(name: field.name, shape: shape))
            asm.top = mark
        }
        return parts
    }

    private mutating func field(
        _ field: TypeLayout.Field, of place: BytePlace, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let layout = layouts[field.type]
        let part = place.slice(from: field.offset, size: layout.size)
        if field.bits == nil || part.missing(size: layout.size) != nil {
            return try capture(part, layout, position)
        }
        partsLeft -= 1
        return try capture(try value(of: field, in: place, position.span), position)
    }

    /// Writes an address without what lies there; 1 for a value that has none.
    private mutating func cut(_ name: String, address: Register?) -> Int {
        let register = address ?? asm.push()
        if address == nil { asm.number(1, into: register) }
        asm.emit(.write64, a: register)
        return shapes.index(of: .cut(typeName: name))
    }

    mutating func object(
        _ place: BytePlace, _ layout: TypeLayout, _ fields: [TypeLayout.Field],
        _ incomplete: String?, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let address = asm.push()
        asm.load(place, bytes: 8, into: address)
        guard position.depth < limits.depth else { return cut(layout.name, address: address) }
        var end = Assembler.Label()
        asm.emit(.write64, a: address)
        asm.jump(ifZero: address, to: &end)
        let memory = BytePlace.memory(base: address, offset: 0, origin: place.origin)
        var parts = try self.fields(fields, of: memory, position)
        if let incomplete {
            parts.append(
                ShapeField(name: "…", shape: shapes.index(of: .unavailable(reason: incomplete))))
        }
        asm.bind(end)
        return shapes.index(of: .object(typeName: layout.name, fields: parts))
    }

    mutating func optional(
        _ place: BytePlace, _ payload: TypeID, _ rule: TagRule, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let inner = layouts[payload]
        let presence = asm.push(), zero = asm.push()
        asm.caseIndex(place, rule, into: presence)
        asm.number(0, into: zero)
        asm.emit(.eq, d: presence, a: presence, b: zero)
        asm.top -= 1
        var end = Assembler.Label()
        asm.emit(.write8, a: presence)
        asm.jump(ifZero: presence, to: &end)
        let part = try capture(place.payload(rule, size: inner.size), inner, position.inside(0))
        asm.bind(end)
        return shapes.index(of: .optional(part))
    }

    // MARK: - Enums

    mutating func enumeration(
        _ place: BytePlace, _ layout: TypeLayout, _ cases: [TypeLayout.Case], _ rule: TagRule,
        _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let isC = layout.isCEnumeration
        let cases = isC ? Array(cases.prefix(Self.mostCases)) : cases
        guard cases.count <= Self.mostCases else {
            return shapes.index(of: .unavailable(reason: "\(cases.count) cases"))
        }
        let index = asm.push()
        if isC {
            enumerator(place, layout, cases, into: index)
        } else {
            asm.caseIndex(place, rule, into: index)
        }
        asm.emit(.write16, a: index)
        var end = Assembler.Label()
        if isC || rule.canBeUnknown { unknownCase(index, place, layout, &end) }
        var parts: [ShapeCase] = []
        for (number, item) in cases.enumerated() {
            guard let payload = item.payload else {
                parts.append(ShapeCase(name: item.name, payload: nil))
                continue
            }
            var next = Assembler.Label()
            let wanted = asm.push()
            asm.number(UInt64(number), into: wanted)
            asm.emit(.eq, d: wanted, a: wanted, b: index)
            asm.jump(ifZero: wanted, to: &next)
            asm.top -= 1
            let shape = try self.payload(
                of: item, layouts[payload], in: place, rule, position.field(number))
            parts.append(ShapeCase(name: item.name, payload: shape))
            asm.jump(to: &end)
            asm.bind(next)
        }
        asm.bind(end)
        return shapes.index(of: .enumeration(typeName: layout.name, cases: parts))
    }

    private mutating func payload(
        of item: TypeLayout.Case, _ inner: TypeLayout, in place: BytePlace, _ rule: TagRule,
        _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let mark = asm.top
        defer { asm.top = mark }
        // The payload's own tuple is no level of its own.
        var below = position
        if case .tuple = inner.kind { below.depth -= 1 }
        guard item.isIndirect else {
            return try capture(place.payload(rule, size: inner.size), inner, below)
        }
        let box = asm.push()
        asm.load(place.payload(rule, size: 8), bytes: 8, into: box)
        guard position.depth < limits.depth else { return cut(inner.name, address: box) }
        let memory = BytePlace.memory(
            base: box, offset: Int64(clamping: item.boxOffset), origin: place.origin)
        var label = Assembler.Label()
        asm.beginGuard(&label)
        below.isGuarded = true
        let shape = try capture(memory, inner, below)
        asm.endGuard()
        asm.bind(label)
        return shapes.index(of: .guarded(shape))
    }

    /// Writes the raw bytes behind the index of no case, and ends there.
    private mutating func unknownCase(
        _ index: Register, _ place: BytePlace, _ layout: TypeLayout,
        _ end: inout Assembler.Label
    ) {
        var known = Assembler.Label()
        let test = asm.push()
        asm.number(Assembler.unknownCase, into: test)
        asm.emit(.eq, d: test, a: test, b: index)
        asm.jump(ifZero: test, to: &known)
        asm.load(
            place, bytes: layout.wordBytes, signed: layout.isCEnumeration,
            into: test)
        asm.emit(.write64, a: test)
        asm.jump(to: &end)
        asm.bind(known)
        asm.top -= 1
    }

    /// The index of the enumerator that a C enumeration's number is.
    private mutating func enumerator(
        _ place: BytePlace, _ layout: TypeLayout, _ cases: [TypeLayout.Case],
        into index: Register
    ) {
        let bytes = layout.wordBytes
        let value = asm.push(), wanted = asm.push()
        var done = Assembler.Label()
        asm.load(place, bytes: bytes, into: value)
        for (number, item) in cases.enumerated() {
            let raw = item.rawValue ?? 0
            asm.number(bytes < 8 ? raw & ((1 << UInt64(bytes * 8)) - 1) : raw, into: wanted)
            asm.emit(.eq, d: wanted, a: wanted, b: value)
            asm.number(UInt64(number), into: index)
            asm.jump(ifNotZero: wanted, to: &done)
        }
        asm.number(Assembler.unknownCase, into: index)
        asm.bind(done)
        asm.top -= 2
    }
}
