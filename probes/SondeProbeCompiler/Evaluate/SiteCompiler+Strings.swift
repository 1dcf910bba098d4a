// SPDX-License-Identifier: Apache-2.0
// Compiles strings: Swift's own, C's, and what can be asked of them.

import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    /// The most bytes of a C string that are looked at.
    static let longestCString: Int32 = 4096

    /// A string in a span register.
    mutating func string(
        _ operand: Operand, _ span: SourceSpan
    ) throws(SiteFailure) -> Register {
        switch operand {
        case .span(let register): return register
        case .text(let text):
            guard text.utf8.count <= MachineBounds.comparedBytes else {
                throw .mistake(
                    .wrongType, found: "a string of \(text.utf8.count) bytes",
                    want: "at most \(MachineBounds.comparedBytes)", span)
            }
            let target = asm.pushSpan()
            asm.emit(.spanConstant, d: target, asm.tables.string(Array(text.utf8)))
            return target
        case .place(let place, let layout):
            switch layout.kind {
            case .swiftString:
                try requireBytes(of: place, 16, span)
                let target = asm.pushSpan()
                let first = asm.push(), second = asm.push()
                asm.load(place, bytes: 8, into: first)
                asm.load(place, at: 8, bytes: 8, into: second)
                asm.emit(.spanSwiftString, d: target, a: first, b: second)
                asm.top -= 2
                return target
            case .objectText(let path):
                try requireBytes(of: place, 8, span)
                let target = asm.pushSpan()
                let (first, second) = objectText(place, path)
                asm.emit(.spanSwiftString, d: target, a: first, b: second)
                asm.top -= 2
                return target
            case .cString:
                let (_, address) = try word(of: place, span)
                let target = asm.pushSpan()
                asm.emit(.spanCString, d: target, a: address, Self.longestCString)
                asm.top -= 1
                return target
            case .cArray(_, let count):
                if case .memory(let base, let offset)? = place.pieces.first?.source {
                    let address = asm.push()
                    asm.add(offset, to: base, into: address)
                    let target = asm.pushSpan()
                    asm.emit(
                        .spanCString, d: target, a: address,
                        Int32(clamping: min(count, UInt64(Self.longestCString))))
                    asm.top -= 1
                    return target
                }
            default: break
            }
        default: break
        }
        throw .mistake(
            .wrongType, found: "\(describe(operand)) where a string is needed",
            want: "a String or a `char *`", span)
    }

    /// `.isEmpty` of a string; `.count` would need Unicode's tables.
    mutating func stringMember(
        _ name: String, _ span: SourceSpan, of base: Operand, _ baseSpan: SourceSpan
    ) throws(SiteFailure) -> Operand {
        switch name {
        case "isEmpty":
            let text = try string(base, baseSpan)
            let result = asm.push()
            asm.emit(.spanIsEmpty, d: result, a: text)
            return .scalar(.boolean, result)
        case "count":
            throw .mistake(
                .wrongType, found: "the count of a string's characters",
                want: "`.utf8.count`, its bytes, or `.isEmpty`", span)
        default:
            throw .unknownMember(
                name, type: "String",
                members: ["isEmpty", "utf8.count", "hasPrefix()", "hasSuffix()", "contains()"],
                span)
        }
    }

    /// What can be asked of a string's bytes.
    mutating func bytes(
        of text: Operand, _ name: Expression.Name, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        guard name.text == "count" || name.text == "isEmpty" else {
            throw .unknownMember(
                name.text, type: "String.UTF8View", members: ["count", "isEmpty"], name.span)
        }
        let bytes = try string(text, span)
        let result = asm.push()
        let isCount = name.text == "count"
        asm.emit(isCount ? .spanLength : .spanIsEmpty, d: result, a: bytes)
        return .scalar(isCount ? .int : .boolean, result)
    }

    /// `base.hasPrefix("…")` and its like.
    mutating func call(
        _ name: Expression.Name, on base: Expression, _ arguments: [Expression],
        _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        let op: Opcode
        switch name.text {
        case "hasPrefix": op = .spanHasPrefix
        case "hasSuffix": op = .spanHasSuffix
        case "contains": op = .spanContains
        default:
            throw .mistake(
                .wrongType, found: "a call of `\(name.text)`",
                want: "a stored value, or one of hasPrefix, hasSuffix, contains on a string; "
                    + "the program's own code is not run", name.span)
        }
        guard arguments.count == 1, let argument = arguments.first else {
            throw .mistake(
                .wrongType, found: "\(arguments.count) arguments of `\(name.text)`",
                want: "one string", span)
        }
        let mark = asm.top, spanMark = asm.spanTop
        let result = asm.push()
        let owner = try evaluate(base)
        if owner.isOptional(layouts) {
            throw .mistake(
                .wrongType, found: "a string that may be nil",
                want: "`?.\(name.text)(…)`, which gives nil then", base.span)
        }
        let text = try string(owner, base.span)
        if case .string(let sought) = argument.kind, op == .spanContains,
            sought.utf8.count > MachineBounds.soughtBytes
        {
            throw .mistake(
                .wrongType, found: "a string of \(sought.utf8.count) bytes to look for",
                want: "at most \(MachineBounds.soughtBytes)", argument.span)
        }
        let part = try string(try evaluate(argument), argument.span)
        asm.emit(op, d: result, a: text, b: part)
        asm.top = mark
        asm.spanTop = spanMark
        return .scalar(.boolean, asm.push())
    }
}

extension Operand {
    /// Whether the value is a string.
    func isString(_ layouts: LayoutCache) -> Bool {
        switch self {
        case .text, .span: true
        case .place(_, let layout):
            switch layout.kind {
            case .swiftString, .cString, .objectText: true
            case .cArray(let element, _): layouts[element].isCharacter
            default: false
            }
        default: false
        }
    }
}

extension TypeLayout {
    /// Whether the type is C's `char`.
    var isCharacter: Bool {
        switch kind {
        case .signed(8), .unsigned(8): name == "char" || name == "CChar"
        default: false
        }
    }
}
