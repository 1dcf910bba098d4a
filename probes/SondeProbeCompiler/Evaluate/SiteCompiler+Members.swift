// SPDX-License-Identifier: Apache-2.0
// Compiles members, elements and indices.

import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    mutating func member(
        of base: Expression, _ name: Expression.Name
    ) throws(SiteFailure) -> Operand {
        // A string's bytes are all of `utf8` that there is.
        if case .member(let string, let view) = base.kind, view.text == "utf8" {
            let text = try evaluate(string)
            if text.isString(layouts) { return try bytes(of: text, name, string.span) }
        }
        let owner: Operand
        do throws(SiteFailure) {
            owner = try evaluate(base)
        } catch {
            // `Type.member`, perhaps with a module or an outer type before it.
            guard case .unknownName = error, let path = Self.path(of: base),
                let global = layouts.info.global(named: path + "." + name.text)
            else { throw error }
            return try operand(of: global, name.span)
        }
        return try member(name.text, name.span, of: owner, base.span)
    }

    /// Names joined by dots; `nil` for anything else.
    private static func path(of expression: Expression) -> String? {
        switch expression.kind {
        case .name(let name): name
        case .member(let base, let name): path(of: base).map { $0 + "." + name.text }
        default: nil
        }
    }

    /// A member of a value.
    mutating func member(
        _ name: String, _ span: SourceSpan, of base: Operand, _ baseSpan: SourceSpan
    ) throws(SiteFailure) -> Operand {
        if base.isString(layouts) { return try stringMember(name, span, of: base, baseSpan) }
        guard case .place(let place, let layout) = base else {
            if case .optional = base { throw notUnwrapped("the value", name, baseSpan) }
            throw .mistake(
                .wrongType, found: "`.\(name)` on a value without members",
                want: "a member of a variable", span)
        }
        switch layout.kind {
        case .structure, .tuple:
            guard let field = field(name, of: layout) else {
                throw unknown(name, in: layout, span)
            }
            return try value(of: field, in: place, span)
        case .object:
            guard let field = field(name, of: layout) else {
                throw unknown(name, in: layout, span)
            }
            let (_, object) = try word(of: place, baseSpan)
            let fields = BytePlace.memory(base: object, offset: 0, origin: place.origin)
            return try value(of: field, in: fields, span)
        case .pointer(let pointee):
            return try pointerMember(.init(name, span), of: base, pointee, layout, baseSpan)
        case .array, .hashed, .cArray:
            return try collectionMember(name, span, of: base, place, layout)
        case .data: return try dataMember(name, span, of: place, layout)
        case .date where name == "timeIntervalSinceReferenceDate":
            return .scalar(.double, try scalar(base, baseSpan).register)
        case .enumeration(let cases, let rule):
            return try enumMember(.init(name, span), of: place, layout, cases, rule)
        case .optional, .weak: throw notUnwrapped(layout.name, name, baseSpan)
        default: throw unknown(name, in: layout, span)
        }
    }

    private func field(_ name: String, of layout: TypeLayout) -> TypeLayout.Field? {
        SelfMembers.fields(of: layout, layouts).first { $0.name == name }
    }

    /// An element of a tuple, such as `pair.0`.
    mutating func element(
        _ index: Int, of base: Expression, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        let operand = try evaluate(base)
        guard case .place(let place, let layout) = operand,
            case .tuple(let fields) = layout.kind
        else {
            throw .mistake(
                .wrongType, found: "`.\(index)` on a value that is no tuple",
                want: "a tuple, or `[\(index)]` for an array", span)
        }
        guard fields.indices.contains(index) else {
            throw .mistake(
                .unknownName, found: "element \(index) of \(layout.name)",
                want: "an element from 0 to \(fields.count - 1)", span)
        }
        if !fields[index].name.isEmpty { labels.insert(fields[index].name) }
        return try value(of: fields[index], in: place, span)
    }

    /// A field's value, not loaded yet.
    mutating func value(
        of field: TypeLayout.Field, in place: BytePlace, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        let layout = layouts[field.type]
        let part = place.slice(from: field.offset, size: layout.size)
        guard let bits = field.bits else { return .place(part, layout) }
        try requireBytes(of: part, layout.size, span)
        guard let type = ScalarType(layout) else {
            throw unknown(field.name, in: layout, span)
        }
        let target = asm.push()
        asm.load(part, bytes: type.bytes, into: target)
        asm.bits(target, first: bits.first, count: bits.count, signed: type.isSigned)
        return .scalar(type, target)
    }

    private mutating func pointerMember(
        _ name: Expression.Name, of base: Operand, _ pointee: TypeID?, _ layout: TypeLayout,
        _ baseSpan: SourceSpan
    ) throws(SiteFailure) -> Operand {
        guard let pointee else {
            throw .mistake(
                .unreadableType,
                found: "`.\(name.text)` on \(layout.name), a pointer to nothing known",
                want: "a pointer whose target has a type", name.span)
        }
        let inner = layouts[pointee]
        // C's `->` looks through one pointer.
        if case .pointer = inner.kind, name.text != "pointee" {
            throw unknown(name.text, in: layout, name.span)
        }
        let (_, address) = try scalar(base, baseSpan)
        let target = Operand.place(.memory(base: address, offset: 0, origin: name.text), inner)
        if name.text == "pointee" { return target }
        return try member(name.text, name.span, of: target, baseSpan)
    }

    private mutating func collectionMember(
        _ name: String, _ span: SourceSpan, of base: Operand, _ place: BytePlace,
        _ layout: TypeLayout
    ) throws(SiteFailure) -> Operand {
        guard name == "count" || name == "isEmpty" else { throw unknown(name, in: layout, span) }
        let count = asm.push()
        switch layout.kind {
        case .cArray(_, let fixed): asm.number(fixed, into: count)
        case .hashed:
            let (_, object) = try word(of: place, span)
            asm.load(
                .memory(base: object, offset: Int64(HashTable.count), origin: ""), bytes: 8,
                into: count)
        default:
            let (_, object) = try word(of: place, span)
            asm.load(
                .memory(base: object, offset: Int64(ArrayObject.count), origin: ""), bytes: 8,
                into: count)
        }
        guard name == "isEmpty" else { return .scalar(.int, count) }
        asm.isZero(count)
        return .scalar(.boolean, count)
    }

    /// A C enumerator's number, or the payload of one case.
    private mutating func enumMember(
        _ name: Expression.Name, of place: BytePlace, _ layout: TypeLayout,
        _ cases: [TypeLayout.Case], _ rule: TagRule
    ) throws(SiteFailure) -> Operand {
        try requireBytes(of: place, layout.size, name.span)
        if name.text == "rawValue", layout.isCEnumeration {
            let number = asm.push()
            asm.load(place, bytes: layout.wordBytes, signed: true, into: number)
            return .scalar(.int, number)
        }
        guard let index = cases.firstIndex(where: { $0.name == name.text }) else {
            throw unknown(name.text, in: layout, name.span)
        }
        guard let payload = cases[index].payload else {
            throw .mistake(
                .wrongType, found: "the case `\(name.text)`, which carries nothing",
                want: "a comparison, such as `== .\(name.text)`", name.span)
        }
        let presence = asm.push()
        asm.caseIndex(place, rule, into: presence)
        let number = asm.push()
        asm.number(UInt64(index), into: number)
        asm.emit(.eq, d: presence, a: presence, b: number)
        asm.top -= 1
        let inner = layouts[payload]
        guard cases[index].isIndirect else {
            return .optional(
                presence: presence, payload: .place(place.payload(rule, size: inner.size), inner))
        }
        let box = asm.push()
        asm.load(place.payload(rule, size: 8), bytes: 8, into: box)
        let inBox = BytePlace.memory(
            base: box, offset: Int64(clamping: cases[index].boxOffset), origin: place.origin)
        return .optional(presence: presence, payload: .place(inBox, inner))
    }

    // MARK: - Indices

    /// An element of an array, or what a pointer points to.
    mutating func element(
        at index: Expression, of base: Expression, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        let operand = try evaluate(base)
        guard case .place(let place, let layout) = operand else {
            if case .optional = operand { throw notUnwrapped("the value", "[…]", base.span) }
            throw notIndexable("a value", span)
        }
        switch layout.kind {
        case .array(let element):
            let (_, object) = try word(of: place, base.span)
            let number = try index64(index)
            let count = asm.push()
            asm.load(
                .memory(base: object, offset: Int64(ArrayObject.count), origin: ""), bytes: 8,
                into: count)
            checkIndex(number, below: count)
            asm.top -= 1
            let inner = layouts[element]
            asm.scale(number, by: inner.stride, addedTo: object)
            let first = ArrayObject.firstElement(alignment: inner.alignment)
            return .place(
                .memory(base: number, offset: Int64(clamping: first), origin: place.origin),
                inner)
        case .cArray(let element, let count):
            return try cElement(at: index, of: place, layouts[element], count, span)
        case .pointer(let pointee?):
            let (_, address) = try scalar(operand, base.span)
            let number = try index64(index)
            let inner = layouts[pointee]
            asm.scale(number, by: inner.stride, addedTo: address)
            return .place(.memory(base: number, offset: 0, origin: place.origin), inner)
        case .optional: throw notUnwrapped(layout.name, "[…]", base.span)
        default: throw notIndexable(layout.name, span)
        }
    }

    private mutating func cElement(
        at index: Expression, of place: BytePlace, _ inner: TypeLayout, _ count: UInt64,
        _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        if case .integer(let known) = index.kind {
            guard known < count else {
                throw .mistake(
                    .wrongType, found: "element \(known) of \(count)",
                    want: "an index below \(count)", index.span)
            }
            return .place(place.slice(from: known &* inner.stride, size: inner.size), inner)
        }
        guard place.pieces.count == 1,
            case .memory(let base, let offset)? = place.pieces.first?.source
        else {
            throw .mistake(
                .unavailable, found: "an array in registers", want: "a literal index here", span)
        }
        let number = try index64(index)
        let bound = asm.push()
        asm.number(count, into: bound)
        checkIndex(number, below: bound)
        asm.top -= 1
        asm.scale(number, by: inner.stride, addedTo: base)
        return .place(.memory(base: number, offset: offset, origin: place.origin), inner)
    }

    private mutating func index64(_ index: Expression) throws(SiteFailure) -> Register {
        let mark = asm.top
        let operand = try evaluate(index)
        let (type, register) = try scalar(operand, index.span)
        guard type.isInteger else {
            throw .mistake(
                .wrongType, found: "an index of the type \(type.name)", want: "an integer",
                index.span)
        }
        return asm.settle(register, at: mark)
    }

    private mutating func checkIndex(_ index: Register, below count: Register) {
        var inside = Assembler.Label()
        let test = asm.push()
        asm.emit(.ltU, d: test, a: index, b: count)
        asm.jump(ifNotZero: test, to: &inside)
        asm.fault(.indexOutOfRange)
        asm.bind(inside)
        asm.top -= 1
    }

    // MARK: - Mistakes

    private func unknown(
        _ name: String, in layout: TypeLayout, _ span: SourceSpan
    ) -> SiteFailure {
        switch layout.kind {
        case .opaque(let reason):
            return .mistake(
                .unreadableType, found: "\(layout.name), whose contents cannot be read: \(reason)",
                want: "the value itself, or another variable", span)
        case .existential(let type):
            return .mistake(
                .unreadableType, found: "\(type), whose type is known only at run time",
                want: "a variable of a concrete type", span)
        case .enumeration(let cases, _):
            return .unknownMember(name, type: layout.name, members: cases.map(\.name), span)
        case .array, .hashed, .cArray:
            return .unknownMember(
                name, type: layout.name, members: ["count", "isEmpty"], span)
        default:
            return .unknownMember(
                name, type: layout.name, members: SelfMembers.names(of: layout, layouts), span)
        }
    }

    private func notUnwrapped(
        _ type: String, _ member: String, _ span: SourceSpan
    ) -> SiteFailure {
        .mistake(
            .wrongType, found: "\(type), which may be nil",
            want: "`?.\(member)`, which gives nil then, or `!`, which does not fire then", span)
    }

    private func notIndexable(_ type: String, _ span: SourceSpan) -> SiteFailure {
        .mistake(
            .wrongType, found: "an index on \(type)",
            want:
                "an array or a pointer; a dictionary is shown whole: `{name}`, and a string or a set "
                + "has no index here", span)
    }
}

extension TypeLayout {
    /// Bytes of a value that a register holds, 1...8.
    var wordBytes: Int { Int(max(1, min(8, size))) }

    /// Whether the type is an enumeration of C, whose cases have numbers.
    var isCEnumeration: Bool {
        guard case .enumeration(let cases, _) = kind else { return false }
        return !cases.isEmpty && cases.allSatisfy { $0.rawValue != nil && $0.payload == nil }
    }
}
