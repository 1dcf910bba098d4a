// SPDX-License-Identifier: Apache-2.0
// Compiles comparisons: exact for integers of any width, by bytes for strings, by case for enums.

import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    mutating func comparison(
        _ op: Expression.Binary, _ left: Expression, _ right: Expression, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        let mark = asm.top
        let spanMark = asm.spanTop
        let result = asm.push()
        let (first, second) = try comparands(left, right)
        let pair = Comparands(
            first: first, second: second, leftSpan: left.span, rightSpan: right.span)
        switch op {
        case .equal: try equality(pair, into: result)
        case .notEqual:
            try equality(pair, into: result)
            asm.invert(result)
        case .less: try order(pair, orEqual: false, into: result)
        case .lessOrEqual: try order(pair, orEqual: true, into: result)
        case .greater: try order(pair.swapped, orEqual: false, into: result)
        default: try order(pair.swapped, orEqual: true, into: result)
        }
        asm.top = mark
        asm.spanTop = spanMark
        return .scalar(.boolean, asm.push())
    }

    /// Two values to compare, and where they stand.
    struct Comparands {
        var first: Operand
        var second: Operand
        var leftSpan: SourceSpan
        var rightSpan: SourceSpan
        /// How many optionals were opened already.
        var optionals = 0

        var swapped: Comparands {
            Comparands(
                first: second, second: first, leftSpan: rightSpan, rightSpan: leftSpan,
                optionals: optionals)
        }
        var span: SourceSpan {
            leftSpan.start < rightSpan.start
                ? leftSpan.through(rightSpan) : rightSpan.through(leftSpan)
        }
    }

    /// Both sides; a name that means nothing may be a case of the other side's enum.
    private mutating func comparands(
        _ left: Expression, _ right: Expression
    ) throws(SiteFailure) -> (Operand, Operand) {
        var first: Operand?
        var failure: SiteFailure?
        do throws(SiteFailure) {
            var trial = self
            first = try trial.evaluate(left)
            self = trial
        } catch {
            failure = error
        }
        do throws(SiteFailure) {
            var trial = self
            let second = try trial.evaluate(right)
            if let first {
                self = trial
                return (first, second)
            }
            if let name = caseName(left, of: second) {
                self = trial
                return (.caseName(name), second)
            }
            throw failure ?? .unknownName("", left.span)
        } catch {
            guard let first, let name = caseName(right, of: first) else {
                throw failure ?? error
            }
            return (first, .caseName(name))
        }
    }

    /// The case that `name` or `Type.name` is of the other side's enum.
    private func caseName(_ expression: Expression, of other: Operand) -> String? {
        let name: String
        switch expression.kind {
        case .name(let text): name = text
        case .member(let base, let member):
            guard case .name = base.kind else { return nil }
            name = member.text
        default: return nil
        }
        return cases(of: other)?.contains { $0.name == name } == true ? name : nil
    }

    private func cases(of operand: Operand) -> [TypeLayout.Case]? {
        switch operand {
        case .optional(_, let payload): return cases(of: payload)
        case .place(_, var layout):
            for _ in 0..<Self.mostOptionals {
                guard case .optional(let payload, _) = layout.kind else { break }
                layout = layouts[payload]
            }
            if case .enumeration(let cases, _) = layout.kind { return cases }
            return nil
        default: return nil
        }
    }

    /// The most optionals within each other; broken debug info may have them without end.
    static let mostOptionals = 8

    // MARK: - Equality

    /// Puts whether two values are equal into a register that lies below what they need.
    private mutating func equality(
        _ pair: Comparands, into result: Register
    ) throws(SiteFailure) {
        guard pair.optionals <= Self.mostOptionals else {
            throw .mistake(
                .wrongType, found: "optionals within optionals", want: "fewer", pair.span)
        }
        switch (pair.first, pair.second) {
        case (.none, .none):
            throw .mistake(
                .wrongType, found: "nil on both sides", want: "a variable", pair.span)
        case (.none, let other): try isNil(other, pair.rightSpan, into: result)
        case (let other, .none): try isNil(other, pair.leftSpan, into: result)
        default:
            let first = pair.first.isOptional(layouts), second = pair.second.isOptional(layouts)
            if first, second {
                try optionalsEqual(pair, into: result)
            } else if first {
                try optionalEqual(pair, into: result)
            } else if second {
                try optionalEqual(pair.swapped, into: result)
            } else {
                try valuesEqual(pair, into: result)
            }
        }
    }

    private mutating func isNil(
        _ operand: Operand, _ span: SourceSpan, into result: Register
    ) throws(SiteFailure) {
        let (presence, _) = try parts(of: operand, span)
        asm.emit(.move, d: result, a: presence)
        asm.invert(result)
    }

    /// The first may be nil, the second is a value.
    private mutating func optionalEqual(
        _ pair: Comparands, into result: Register
    ) throws(SiteFailure) {
        let (presence, payload) = try parts(of: pair.first, pair.leftSpan)
        var end = Assembler.Label()
        asm.number(0, into: result)
        asm.jump(ifZero: presence, to: &end)
        var inner = pair
        inner.first = payload
        inner.optionals += 1
        try equality(inner, into: result)
        asm.bind(end)
    }

    private mutating func optionalsEqual(
        _ pair: Comparands, into result: Register
    ) throws(SiteFailure) {
        let (one, first) = try parts(of: pair.first, pair.leftSpan)
        let (other, second) = try parts(of: pair.second, pair.rightSpan)
        var end = Assembler.Label()
        asm.emit(.eq, d: result, a: one, b: other)
        asm.jump(ifZero: result, to: &end)
        asm.jump(ifZero: one, to: &end)
        var inner = pair
        inner.first = first
        inner.second = second
        inner.optionals += 1
        try equality(inner, into: result)
        asm.bind(end)
    }

    private mutating func valuesEqual(
        _ pair: Comparands, into result: Register
    ) throws(SiteFailure) {
        if case .caseName(let name) = pair.second {
            return try isCase(name, pair.first, pair.rightSpan, pair.leftSpan, into: result)
        }
        if case .caseName(let name) = pair.first {
            return try isCase(name, pair.second, pair.leftSpan, pair.rightSpan, into: result)
        }
        if case .trace(let low, let high) = pair.first, case .text(let text) = pair.second {
            return try traceEqual(low, high, text, pair.rightSpan, into: result)
        }
        if case .trace = pair.second, case .text = pair.first {
            return try valuesEqual(pair.swapped, into: result)
        }
        if case .place(let place, let layout) = pair.first, layout.kind == .uuid,
            case .text(let text) = pair.second
        {
            try requireBytes(of: place, layout.size, pair.leftSpan)
            return try uuidEqual(place, text, pair.rightSpan, into: result)
        }
        if case .place(_, let layout) = pair.second, layout.kind == .uuid, case .text = pair.first {
            return try valuesEqual(pair.swapped, into: result)
        }
        if pair.first.isString(layouts), pair.second.isString(layouts) {
            let first = try string(pair.first, pair.leftSpan)
            let second = try string(pair.second, pair.rightSpan)
            asm.emit(.spanEqual, d: result, a: first, b: second)
            return
        }
        if let (first, second) = try enums(pair) {
            asm.emit(.eq, d: result, a: first, b: second)
            return
        }
        if let (first, second) = try objects(pair) {
            asm.emit(.eq, d: result, a: first, b: second)
            return
        }
        try compareScalars(pair, .equal, into: result)
    }

    private mutating func isCase(
        _ name: String, _ operand: Operand, _ nameSpan: SourceSpan, _ span: SourceSpan,
        into result: Register
    ) throws(SiteFailure) {
        guard case .place(let place, let layout) = operand,
            case .enumeration(let cases, let rule) = layout.kind
        else {
            throw .mistake(
                .wrongType, found: "\(describe(operand)) beside the case .\(name)",
                want: "an enum", span)
        }
        guard let index = cases.firstIndex(where: { $0.name == name }) else {
            throw .unknownMember(
                name, type: layout.name, members: cases.map { "." + $0.name }, nameSpan)
        }
        try requireBytes(of: place, layout.size, span)
        let value = asm.push(), wanted = asm.push()
        if let raw = cases[index].rawValue, layout.isCEnumeration {
            let bytes = layout.wordBytes
            asm.load(place, bytes: bytes, into: value)
            asm.number(bytes < 8 ? raw & ((1 << UInt64(bytes * 8)) - 1) : raw, into: wanted)
        } else {
            asm.caseIndex(place, rule, into: value)
            asm.number(UInt64(index), into: wanted)
        }
        asm.emit(.eq, d: result, a: value, b: wanted)
        asm.top -= 2
    }

    /// The case indices of two values of one enum whose cases carry nothing.
    private mutating func enums(
        _ pair: Comparands
    ) throws(SiteFailure) -> (Register, Register)? {
        guard case .place(let first, let layout) = pair.first,
            case .place(let second, let other) = pair.second,
            case .enumeration(let cases, let rule) = layout.kind, layout.name == other.name
        else { return nil }
        guard cases.allSatisfy({ $0.payload == nil }) else {
            throw .mistake(
                .wrongType, found: "two values of \(layout.name), whose cases carry values",
                want: "a comparison with one case, such as `== .\(cases.first?.name ?? "some")`",
                pair.span)
        }
        try requireBytes(of: first, layout.size, pair.leftSpan)
        try requireBytes(of: second, layout.size, pair.rightSpan)
        let one = asm.push(), two = asm.push()
        if layout.isCEnumeration {
            asm.load(first, bytes: layout.wordBytes, into: one)
            asm.load(second, bytes: layout.wordBytes, into: two)
        } else {
            asm.caseIndex(first, rule, into: one)
            asm.caseIndex(second, rule, into: two)
        }
        return (one, two)
    }

    /// The addresses of two objects.
    private mutating func objects(
        _ pair: Comparands
    ) throws(SiteFailure) -> (Register, Register)? {
        guard case .place(let first, let layout) = pair.first,
            case .place(let second, let other) = pair.second,
            case .object = layout.kind, case .object = other.kind
        else { return nil }
        let (_, one) = try word(of: first, pair.leftSpan)
        let (_, two) = try word(of: second, pair.rightSpan)
        return (one, two)
    }
}
