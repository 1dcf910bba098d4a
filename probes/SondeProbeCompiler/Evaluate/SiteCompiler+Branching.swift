// SPDX-License-Identifier: Apache-2.0
// Compiles what evaluates only one of its sides: `&&`, `||`, `??` and `? :`.

import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    mutating func binary(
        _ op: Expression.Binary, _ left: Expression, _ right: Expression, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        switch op {
        case .and, .or: return try shortCircuit(op, left, right)
        case .nilCoalescing: return try coalesced(left, right)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
            return try comparison(op, left, right, span)
        default: return try arithmetic(op, left, right, span)
        }
    }

    private mutating func shortCircuit(
        _ op: Expression.Binary, _ left: Expression, _ right: Expression
    ) throws(SiteFailure) -> Operand {
        let mark = asm.top, spanMark = asm.spanTop
        var end = Assembler.Label()
        let first = asm.settle(try boolean(left), at: mark)
        if op == .and {
            asm.jump(ifZero: first, to: &end)
        } else {
            asm.jump(ifNotZero: first, to: &end)
        }
        asm.top = mark
        asm.spanTop = spanMark
        let result = asm.settle(try boolean(right), at: mark)
        asm.bind(end)
        asm.spanTop = spanMark
        return .scalar(.boolean, result)
    }

    mutating func conditional(
        _ condition: Expression, _ first: Expression, _ second: Expression
    ) throws(SiteFailure) -> Operand {
        let mark = asm.top
        let test = asm.settle(try boolean(condition), at: mark)
        let isText = try isString(first), isOtherText = try isString(second)
        guard isText == isOtherText else {
            throw .mistake(
                .wrongType, found: "a string on one side of `:` only", want: "one type on both",
                first.span.through(second.span))
        }
        var otherwise = Assembler.Label()
        asm.jump(ifZero: test, to: &otherwise)
        asm.top = mark
        if isText {
            let target = asm.pushSpan()
            return try either(first, second, from: mark, into: target, otherwise)
        }
        let type = try scalarType(of: first, or: second)
        return try either(first, second, as: type, from: mark, otherwise)
    }

    /// One of two scalars, in the register at the mark.
    private mutating func either(
        _ first: Expression, _ second: Expression, as type: ScalarType, from mark: Int,
        _ otherwise: Assembler.Label
    ) throws(SiteFailure) -> Operand {
        var end = Assembler.Label()
        let value = try scalar(try evaluate(first), as: type, first.span)
        _ = asm.settle(value, at: mark)
        asm.jump(to: &end)
        asm.bind(otherwise)
        asm.top = mark
        let other = try scalar(try evaluate(second), as: type, second.span)
        let result = asm.settle(other, at: mark)
        asm.bind(end)
        return .scalar(type, result)
    }

    /// One of two strings, in a span register.
    private mutating func either(
        _ first: Expression, _ second: Expression, from mark: Int, into target: Register,
        _ otherwise: Assembler.Label
    ) throws(SiteFailure) -> Operand {
        var end = Assembler.Label()
        let spanMark = asm.spanTop - 1
        try text(first, at: spanMark, from: mark)
        asm.jump(to: &end)
        asm.bind(otherwise)
        try text(second, at: spanMark, from: mark)
        asm.bind(end)
        return .span(target)
    }

    /// Evaluates a string into the span register at a mark.
    private mutating func text(
        _ expression: Expression, at spanMark: Int, from mark: Int
    ) throws(SiteFailure) {
        asm.spanTop = spanMark
        asm.top = mark
        _ = try string(try evaluate(expression), expression.span)
        asm.spanTop = spanMark
        _ = asm.pushSpan()
        asm.top = mark
    }

    /// A value, or another one where it is nil.
    private mutating func coalesced(
        _ left: Expression, _ right: Expression
    ) throws(SiteFailure) -> Operand {
        let mark = asm.top
        let place = asm.push()
        let (presence, payload) = try parts(of: try evaluate(left), left.span)
        var isNil = Assembler.Label(), end = Assembler.Label()
        asm.jump(ifZero: presence, to: &isNil)
        if payload.isString(layouts) {
            let spanMark = asm.spanTop
            let target = try string(payload, left.span)
            asm.jump(to: &end)
            asm.bind(isNil)
            try text(right, at: spanMark, from: mark)
            asm.bind(end)
            return .span(target)
        }
        if payload.isOptional(layouts) {
            throw .mistake(
                .wrongType, found: "an optional within an optional", want: "one of them", left.span)
        }
        let (type, value) = try scalar(payload, left.span)
        asm.emit(.move, d: place, a: value)
        asm.jump(to: &end)
        asm.bind(isNil)
        asm.top = mark + 1
        let operand = try evaluate(right)
        if operand.isOptional(layouts) {
            throw .mistake(
                .wrongType, found: "a value that may be nil behind `??`",
                want: "a value that never is", right.span)
        }
        let other = try scalar(operand, as: type, right.span)
        asm.emit(.move, d: place, a: other)
        asm.bind(end)
        asm.top = mark + 1
        return .scalar(type, place)
    }

    // MARK: - Types, found out by trying

    private func isString(_ expression: Expression) throws(SiteFailure) -> Bool {
        var trial = self
        return try trial.evaluate(expression).isString(layouts)
    }

    /// The type of two sides, of which a literal adapts to the other.
    private func scalarType(
        of first: Expression, or second: Expression
    ) throws(SiteFailure) -> ScalarType {
        var trial = self
        let one = try trial.evaluate(first)
        let two = try trial.evaluate(second)
        if case .integer = one { return try trial.scalar(two, second.span).type }
        if case .floating = one {
            let type = try trial.scalar(two, second.span).type
            return type.isInteger ? .double : type
        }
        let type = try trial.scalar(one, first.span).type
        return type
    }
}
