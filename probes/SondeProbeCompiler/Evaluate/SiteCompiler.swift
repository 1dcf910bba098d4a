// SPDX-License-Identifier: Apache-2.0
// Compiles expressions at one site: names are looked up where the thread will stand.

import SondeModel
import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

/// Layouts that were asked for, since the same ones are needed at every site.
final class LayoutCache {
    let info: any DebugInfoSource
    private var layouts: [TypeID: TypeLayout] = [:]

    init(_ info: any DebugInfoSource) { self.info = info }

    subscript(type: TypeID) -> TypeLayout {
        if let layout = layouts[type] { return layout }
        let layout = info.layout(of: type)
        layouts[type] = layout
        return layout
    }
}

/// Compiles expressions at one site.
///
/// A value type on purpose: a copy can try something out and be thrown away.
struct SiteCompiler {
    let place: CodePlace
    let layouts: LayoutCache
    let limits: CaptureLimits
    /// What can be named here; of several with one name the innermost.
    let variables: [String: VisibleVariable]
    var asm: Assembler
    var shapes: ShapePool
    var decisions: CaptureDecisions
    /// Where the optional chains that are being read end, innermost last.
    var chainEnds: [Assembler.Label] = []
    /// How many loops are open.
    var loops = 0
    /// Members and elements that the current value may still have.
    var partsLeft = 0
    /// Labels of tuples' elements that were read by their number.
    var labels: Set<String> = []

    init(
        _ place: CodePlace, variables: [VisibleVariable], layouts: LayoutCache,
        limits: CaptureLimits, decisions: CaptureDecisions
    ) {
        self.place = place
        self.layouts = layouts
        self.limits = limits
        self.decisions = decisions
        var names: [String: VisibleVariable] = [:]
        for variable in variables where names[variable.name] == nil {
            names[variable.name] = variable
        }
        self.variables = names
        asm = Assembler(tables: ProgramTables())
        shapes = ShapePool()
    }

    /// Evaluates an expression, as late as possible.
    mutating func evaluate(_ expression: Expression) throws(SiteFailure) -> Operand {
        let span = expression.span
        switch expression.kind {
        case .integer(let value): return .integer(IntegerLiteral(magnitude: value))
        case .floating(let value): return .floating(value)
        case .string(let text): return .text(text)
        case .boolean(let value):
            let register = asm.push()
            asm.number(value ? 1 : 0, into: register)
            return .scalar(.boolean, register)
        case .none: return .none
        case .name(let name): return try variable(name, span)
        case .context(let value): return try context(value, span)
        case .implicitMember(let name): return .caseName(name)
        case .member(let base, let name): return try member(of: base, name)
        case .element(let base, let index): return try element(index, of: base, span)
        case .unwrapOrEnd(let base):
            let (presence, payload) = try parts(of: try evaluate(base), base.span)
            if let last = chainEnds.indices.last {
                asm.jump(ifZero: presence, to: &chainEnds[last])
            }
            return payload
        case .chain(let inner): return try chain(inner)
        case .unwrap(let base): return try unwrap(base)
        case .index(let base, let index): return try element(at: index, of: base, span)
        case .call(let base, let name, let arguments):
            return try call(name, on: base, arguments, span)
        case .convert(let type, let value): return try convert(value, to: type)
        case .unary(let op, let value): return try unary(op, value)
        case .binary(let op, let left, let right): return try binary(op, left, right, span)
        case .conditional(let condition, let first, let second):
            return try conditional(condition, first, second)
        }
    }

    // MARK: - Names

    private mutating func variable(
        _ name: String, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        if let variable = variables[name] { return try operand(of: variable, span) }
        if let field = try implicitMember(name, span) { return field }
        if let global = layouts.info.global(named: name) { return try operand(of: global, span) }
        throw .unknownName(name, span)
    }

    /// A member of `self`, which may be named without it.
    private mutating func implicitMember(
        _ name: String, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand? {
        guard let owner = variables["self"] else { return nil }
        guard SelfMembers.names(of: layouts[owner.type], layouts).contains(name) else {
            return nil
        }
        return try member(name, span, of: try operand(of: owner, span), span)
    }

    /// A variable's value, not loaded yet.
    mutating func operand(
        of variable: VisibleVariable, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        if case .missing(let reason) = variable.availability {
            throw .unavailable(variable.name, reason: reason, span)
        }
        let layout = layouts[variable.type]
        var pieces: [BytePlace.Piece] = []
        for (index, piece) in variable.location.pieces.enumerated() {
            let isWhole = piece.sizeBytes == 0 && index == variable.location.pieces.count - 1
            pieces.append(
                BytePlace.Piece(
                    size: isWhole ? .max : piece.sizeBytes, source: source(piece.source)))
        }
        let bytes = BytePlace(pieces: pieces, origin: variable.name)
        if layout.size > 0, bytes.isWhollyMissing(size: layout.size) {
            throw .unavailable(
                variable.name, reason: bytes.missing(size: layout.size) ?? "optimized out", span)
        }
        return .place(bytes, layout)
    }

    private mutating func source(_ source: LocationPiece.Source) -> BytePlace.Source {
        switch source {
        case .register(let number): return .general(number, from: 0)
        case .vector(let number): return .vector(number, from: 0)
        case .memory(let expression):
            let (base, offset) = asm.address(expression)
            return .memory(base: base, offset: offset)
        case .value(let expression): return .computed(asm.word(expression), from: 0)
        case .implicit(let bytes): return .bytes(bytes)
        case .missing(let reason): return .missing(reason)
        }
    }

    private mutating func context(
        _ value: ContextValue, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        switch value {
        case .function: return .text(place.function)
        case .file: return .text(String(place.file.split(separator: "/").last ?? ""))
        case .line: return .integer(IntegerLiteral(magnitude: UInt64(place.line)))
        case .thread, .task, .trace: return contextOfHit(value)
        }
    }

    // MARK: - Optionals

    /// `a?.b.c`: whether no `?` found `nil`, and the value behind the last of them.
    private mutating func chain(_ inner: Expression) throws(SiteFailure) -> Operand {
        let presence = asm.push()
        asm.number(0, into: presence)
        chainEnds.append(Assembler.Label())
        var value = try evaluate(inner)
        if value.isOptional(layouts) {
            let (isThere, payload) = try parts(of: value, inner.span)
            asm.emit(.move, d: presence, a: isThere)
            value = payload
        } else {
            asm.number(1, into: presence)
        }
        // What the value would be loaded from has to be defined on both ways.
        var present = Assembler.Label()
        asm.jump(to: &present)
        if let end = chainEnds.popLast() { asm.bind(end) }
        for index in Int(presence)..<max(Int(presence) + 1, asm.top) {
            asm.number(0, into: asm.register(index))
        }
        asm.bind(present)
        return .optional(presence: presence, payload: value)
    }

    private mutating func unwrap(_ base: Expression) throws(SiteFailure) -> Operand {
        let (presence, payload) = try parts(of: try evaluate(base), base.span)
        var present = Assembler.Label()
        asm.jump(ifNotZero: presence, to: &present)
        asm.fault(.nilUnwrapped)
        asm.bind(present)
        return payload
    }

    /// Whether an optional has a value, and the value.
    mutating func parts(
        of operand: Operand, _ span: SourceSpan
    ) throws(SiteFailure) -> (presence: Register, payload: Operand) {
        switch operand {
        case .optional(let presence, let payload): return (presence, payload)
        case .place(let place, let layout):
            switch layout.kind {
            case .optional(let payload, let rule):
                try requireBytes(of: place, layout.size, span)
                let presence = asm.push()
                asm.caseIndex(place, rule, into: presence)
                if rule.canBeUnknown { checkOptional(presence) }
                let zero = asm.push()
                asm.number(0, into: zero)
                asm.emit(.eq, d: presence, a: presence, b: zero)
                asm.top -= 1
                let inner = layouts[payload]
                return (presence, .place(place.payload(rule, size: inner.size), inner))
            case .weak(let object):
                try requireBytes(of: place, layout.size, span)
                return weakObject(place, object)
            case .pointer, .cString:
                let presence = asm.push()
                let (_, address) = try scalar(operand, span)
                let zero = asm.push()
                asm.number(0, into: zero)
                asm.emit(.ne, d: presence, a: address, b: zero)
                asm.top -= 1
                return (presence, operand)
            default:
                throw .mistake(
                    .wrongType, found: "\(layout.name), which is never nil",
                    want: "a value without `?`, `!` and `??`", span)
            }
        default:
            throw .mistake(
                .wrongType, found: "a value that is never nil",
                want: "a value without `?`, `!` and `??`", span)
        }
    }

    /// Faults when the bytes of an optional mean neither case.
    private mutating func checkOptional(_ index: Register) {
        var known = Assembler.Label()
        let bound = asm.push()
        asm.number(2, into: bound)
        asm.emit(.ltU, d: bound, a: index, b: bound)
        asm.jump(ifNotZero: bound, to: &known)
        asm.fault(.unknownEnumCase)
        asm.bind(known)
        asm.top -= 1
    }

    // MARK: - What everything needs

    /// Fails when some of a value's bytes cannot be had.
    func requireBytes(
        of place: BytePlace, _ size: UInt64, _ span: SourceSpan
    ) throws(SiteFailure) {
        if let reason = place.missing(size: size) {
            throw .unavailable(place.origin, reason: reason, span)
        }
    }
}

extension Operand {
    /// Whether the value is an optional.
    func isOptional(_ layouts: LayoutCache) -> Bool {
        switch self {
        case .optional: true
        case .place(_, let layout):
            switch layout.kind {
            case .optional, .weak: true
            default: false
            }
        default: false
        }
    }
}

extension TagRule {
    /// Whether some bytes mean no case.
    var canBeUnknown: Bool {
        otherwise == nil || steps.contains { $0.choices.contains { $0.firstCase == nil } }
    }
}

extension BytePlace {
    /// The payload at the start of an enum's value, without the bits of its tag.
    func payload(_ rule: TagRule, size: UInt64) -> BytePlace {
        var part = slice(from: 0, size: size)
        part.foreign += rule.foreignBits.map {
            ForeignBits(offset: Int64(clamping: $0.byteOffset), mask: $0.mask)
        }
        return part
    }
}
