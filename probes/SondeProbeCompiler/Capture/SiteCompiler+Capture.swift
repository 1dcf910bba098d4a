// SPDX-License-Identifier: Apache-2.0
// Compiles the capture of a value: code that writes it, and the shape in which it lies there.

import SondeModel
import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

/// Where a part of a value stands while it is captured.
struct CapturePosition {
    /// The way to it.
    var path: CapturePath
    /// Levels above it.
    var depth = 0
    /// Whether a fault here already spoils only this part.
    var isGuarded = false
    /// The expression, for messages.
    var span: SourceSpan

    /// The position of a part one level further down.
    func field(_ number: Int) -> CapturePosition {
        CapturePosition(path: path + [number], depth: depth + 1, span: span)
    }

    /// The position of a part that counts as the same level.
    func inside(_ number: Int) -> CapturePosition {
        CapturePosition(path: path + [number], depth: depth, isGuarded: isGuarded, span: span)
    }
}

extension SiteCompiler {
    /// The longest way to a part, optionals and payloads counted; broken debug info may lead on
    /// for ever.
    static let deepestPath = 24

    /// Writes one value of a template, and says its shape's index and its type.
    mutating func captureValue(
        _ expression: Expression, number: Int
    ) throws(SiteFailure) -> (shape: Int, type: String) {
        asm.top = 0
        asm.spanTop = 0
        partsLeft = limits.parts
        var position = CapturePosition(path: [number], span: expression.span)
        position.isGuarded = true
        let isGuarded = decisions.guarded.contains(position.path)
        var label = Assembler.Label()
        if isGuarded { asm.beginGuard(&label) }
        asm.canFault = false
        let operand = try evaluate(expression)
        var shape = try capture(operand, position)
        if asm.canFault { decisions.findings.faulting.insert(position.path) }
        if isGuarded {
            asm.endGuard()
            asm.bind(label)
            shape = shapes.index(of: .guarded(shape))
        }
        return (shape, typeName(of: operand))
    }

    /// Writes that a value is not to be had at this site.
    mutating func captureNothing() {
        var label = Assembler.Label()
        asm.beginGuard(&label)
        asm.fault(.unavailable)
        asm.endGuard()
        asm.bind(label)
    }

    private func typeName(of operand: Operand) -> String {
        switch operand {
        case .integer: "Int"
        case .floating: "Double"
        case .text, .span, .trace: "String"
        case .none, .caseName: ""
        case .scalar(let type, _): type.name
        case .place(_, let layout): layout.name
        case .optional(_, let payload): typeName(of: payload) + "?"
        }
    }

    // MARK: - Operands

    mutating func capture(
        _ operand: Operand, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        switch operand {
        case .place(let place, let layout): return try capture(place, layout, position)
        case .optional(let presence, let payload):
            var end = Assembler.Label()
            asm.emit(.write8, a: presence)
            asm.jump(ifZero: presence, to: &end)
            let part = try capture(payload, position.inside(0))
            asm.bind(end)
            return shapes.index(of: .optional(part))
        case .text, .span: return try captureString(operand, position)
        case .trace(let low, let high): return captureTrace(low, high)
        case .none, .caseName:
            throw .mistake(
                .wrongType, found: "\(describe(operand)) by itself", want: "a value with a type",
                position.span)
        case .integer, .floating, .scalar:
            let (type, register) = try scalar(operand, position.span)
            return write(register, type)
        }
    }

    /// Writes a register's value.
    private mutating func write(_ register: Register, _ type: ScalarType) -> Int {
        switch type {
        case .boolean:
            asm.emit(.write8, a: register)
            return shapes.index(of: .boolean)
        case .float, .double:
            asm.emit(.write64, a: register)
            return shapes.index(of: .double)
        case .unicodeScalar:
            asm.emit(.write32, a: register)
            return shapes.index(of: .unicodeScalar)
        case .pointer(let name):
            asm.emit(.write64, a: register)
            return shapes.index(of: .pointer(typeName: name))
        case .signed(let bits):
            asm.emit(Self.writing(bits), a: register)
            return shapes.index(of: .signed(bits: bits))
        case .unsigned(let bits):
            asm.emit(Self.writing(bits), a: register)
            return shapes.index(of: .unsigned(bits: bits))
        }
    }

    private static func writing(_ bits: UInt8) -> Opcode {
        switch bits {
        case 8: .write8
        case 16: .write16
        case 32: .write32
        default: .write64
        }
    }

    mutating func captureString(
        _ operand: Operand, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        let mark = asm.top, spanMark = asm.spanTop
        let text = try string(operand, position.span)
        asm.emit(.writeSpan, a: text, Int32(clamping: limits.stringBytes))
        asm.top = mark
        asm.spanTop = spanMark
        return shapes.index(of: .string(quotedWhenNested: true))
    }

    // MARK: - Places

    /// Writes a value that lies somewhere; a part of it that does not is said to be missing.
    mutating func capture(
        _ place: BytePlace, _ layout: TypeLayout, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        if let reason = decisions.nowhere[position.path] {
            return shapes.index(of: .unavailable(reason: reason))
        }
        partsLeft -= 1
        guard partsLeft >= 0, position.path.count <= Self.deepestPath else {
            return shapes.index(of: .unavailable(reason: "not captured: too many members"))
        }
        let mark = asm.top, spanMark = asm.spanTop
        defer {
            asm.top = mark
            asm.spanTop = spanMark
        }
        if !layout.isExpandable, let reason = place.missing(size: layout.size) {
            return try captureMissing(reason, place, layout, position)
        }
        let isForced = position.path.count > 1 && decisions.guarded.contains(position.path)
        let needsGuard = isForced || (!position.isGuarded && layout.followsPointer)
        guard needsGuard else { return try body(place, layout, position) }
        var label = Assembler.Label()
        var inner = position
        inner.isGuarded = true
        asm.beginGuard(&label)
        let shape = try body(place, layout, inner)
        asm.endGuard()
        asm.bind(label)
        return shapes.index(of: .guarded(shape))
    }

    /// Writes that a part is missing here, in the shape that it has at other sites.
    private mutating func captureMissing(
        _ reason: String, _ place: BytePlace, _ layout: TypeLayout, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        // A value as a whole that is missing is the caller's affair.
        guard position.path.count > 1 else {
            throw .unavailable(place.origin, reason: reason, position.span)
        }
        guard !decisions.isCollecting else {
            decisions.findings.missing[position.path] = reason
            return shapes.index(of: .unavailable(reason: reason))
        }
        // What the part would look like if it lay in memory.
        var trial = self
        let somewhere = BytePlace.memory(
            base: trial.asm.push(), offset: 0, origin: place.origin)
        let shape = try trial.capture(somewhere, layout, position)
        shapes = trial.shapes
        captureNothing()
        return shape
    }

    private mutating func body(
        _ place: BytePlace, _ layout: TypeLayout, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        switch layout.kind {
        case .signed(128), .unsigned(128):
            write(place, words: 2)
            let isSigned = layout.kind == .signed(bits: 128)
            return shapes.index(of: .wide(isSigned ? .signed128 : .unsigned128))
        case .float80:
            write(place, words: 2)
            return shapes.index(of: .wide(.float80))
        case .float16:
            let register = asm.push()
            asm.load(place, bytes: 2, into: register)
            asm.emit(.write16, a: register)
            return shapes.index(of: .wide(.float16))
        case .signed, .unsigned, .boolean, .double, .unicodeScalar, .pointer:
            let (type, register) = try scalar(.place(place, layout), position.span)
            return write(register, type)
        case .float:
            let register = asm.push()
            asm.load(place, bytes: 4, into: register)
            asm.emit(.write32, a: register)
            return shapes.index(of: .float)
        case .cString: return try cString(place, layout, position)
        case .swiftString, .objectText:
            return try captureString(.place(place, layout), position)
        case .date:
            write(place, words: 1)
            return shapes.index(of: .date)
        case .uuid, .duration:
            write(place, words: 2)
            return shapes.index(of: layout.kind == .uuid ? .uuid : .duration)
        case .data: return captureData(place)
        case .weak(let object): return try captureWeak(place, object, position)
        case .structure(let fields), .tuple(let fields):
            return try structure(place, layout, fields, position)
        case .object(let fields, _, let incomplete):
            return try object(place, layout, fields, incomplete, position)
        case .optional(let payload, let rule):
            return try optional(place, payload, rule, position)
        case .enumeration(let cases, let rule):
            return try enumeration(place, layout, cases, rule, position)
        case .array(let element): return try array(place, layout, element, position)
        case .hashed(let key, let value):
            return try table(place, layout, key, value, position)
        case .cArray(let element, let count):
            return try cArray(place, layout, element, count, position)
        case .function:
            let register = asm.push()
            asm.load(place, bytes: 8, into: register)
            asm.emit(.write64, a: register)
            return shapes.index(of: .pointer(typeName: layout.name))
        case .existential(let name):
            return shapes.index(of: .unavailable(reason: "\(name), known only at run time"))
        case .opaque(let reason): return shapes.index(of: .unavailable(reason: reason))
        }
    }

    private mutating func cString(
        _ place: BytePlace, _ layout: TypeLayout, _ position: CapturePosition
    ) throws(SiteFailure) -> Int {
        var end = Assembler.Label()
        let presence = asm.push(), zero = asm.push()
        asm.load(place, bytes: 8, into: presence)
        asm.number(0, into: zero)
        asm.emit(.ne, d: presence, a: presence, b: zero)
        asm.emit(.write8, a: presence)
        asm.jump(ifZero: presence, to: &end)
        let text = try captureString(.place(place, layout), position)
        asm.bind(end)
        return shapes.index(of: .optional(text))
    }
}

extension TypeLayout {
    /// Whether each part is captured, or missing, by itself.
    var isExpandable: Bool {
        switch kind {
        case .structure, .tuple: true
        default: false
        }
    }

    /// Whether capturing a value reads what it points to.
    var followsPointer: Bool {
        switch kind {
        case .swiftString, .cString, .array, .hashed, .object, .objectText, .data, .weak: true
        default: false
        }
    }
}
