// SPDX-License-Identifier: Apache-2.0
// Loads values into registers and compiles arithmetic, as Swift's types have it.

import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    /// Loads a value into a fresh register.
    mutating func scalar(
        _ operand: Operand, _ span: SourceSpan
    ) throws(SiteFailure) -> (type: ScalarType, register: Register) {
        switch operand {
        case .scalar(let type, let register): return (type, register)
        case .integer(let literal):
            guard ScalarType.int.holds(literal) else {
                throw tooLarge(literal, .int, span)
            }
            let register = asm.push()
            asm.number(literal.bits, into: register)
            return (.int, register)
        case .floating(let value):
            let register = asm.push()
            asm.number(value.bitPattern, into: register)
            return (.double, register)
        case .place(let place, let layout):
            guard let type = ScalarType(layout) else { throw notScalar(operand, span) }
            try requireBytes(of: place, UInt64(type.bytes), span)
            let register = asm.push()
            asm.load(place, bytes: type.bytes, signed: type.isSigned, into: register)
            if type == .boolean { asm.emit(.zeroExtend, d: register, a: register, 1) }
            if type == .float { asm.emit(.f32ToF64, d: register, a: register) }
            return (type, register)
        case .text, .none, .caseName, .optional, .span, .trace:
            throw notScalar(operand, span)
        }
    }

    /// Loads a whole word, such as an object's address.
    mutating func word(
        of place: BytePlace, _ span: SourceSpan
    ) throws(SiteFailure) -> (BytePlace, Register) {
        try requireBytes(of: place, 8, span)
        let register = asm.push()
        asm.load(place, bytes: 8, into: register)
        return (place, register)
    }

    /// A value of a wanted type; literals adapt.
    mutating func scalar(
        _ operand: Operand, as type: ScalarType, _ span: SourceSpan
    ) throws(SiteFailure) -> Register {
        switch operand {
        case .integer(let literal):
            guard type.isInteger || type.isFloating else { break }
            guard type.holds(literal) else { throw tooLarge(literal, type, span) }
            let register = asm.push()
            asm.number(
                type.isFloating ? type.rounded(literal.double).bitPattern : literal.bits,
                into: register)
            return register
        case .floating(let value) where type.isFloating:
            let register = asm.push()
            asm.number(type.rounded(value).bitPattern, into: register)
            return register
        case .text(let text) where type == .unicodeScalar && text.unicodeScalars.count == 1:
            let register = asm.push()
            asm.number(UInt64(text.unicodeScalars.first?.value ?? 0), into: register)
            return register
        default: break
        }
        let (found, register) = try scalar(operand, span)
        guard found == type || (found.isFloating && type.isFloating) else {
            throw .mistake(
                .wrongType, found: "a value of the type \(found.name)",
                want: "\(type.name)\(Self.conversion(from: found, to: type))", span)
        }
        return register
    }

    /// A truth value in a register.
    mutating func boolean(_ expression: Expression) throws(SiteFailure) -> Register {
        let operand = try evaluate(expression)
        if case .scalar(.boolean, let register) = operand { return register }
        if case .place(let place, let layout) = operand, case .boolean = layout.kind {
            return try scalar(.place(place, layout), expression.span).register
        }
        throw .mistake(
            .wrongType, found: "\(describe(operand)) as a condition",
            want: operand.isOptional(layouts)
                ? "a Bool, such as `x != nil` or `x == true`" : "a Bool, such as a comparison",
            expression.span)
    }

    private static func conversion(from: ScalarType, to: ScalarType) -> String {
        if to.isInteger, from.isInteger { return ", such as `\(to.name)(…)`" }
        if to.isFloating, from.isInteger { return ", such as `Double(…)`" }
        return ""
    }

    func tooLarge(
        _ literal: IntegerLiteral, _ type: ScalarType, _ span: SourceSpan
    ) -> SiteFailure {
        .mistake(
            .wrongType, found: "the number \(literal.text), which \(type.name) cannot hold",
            want: "a number that it can", span)
    }

    private func notScalar(_ operand: Operand, _ span: SourceSpan) -> SiteFailure {
        var want = "a number, a Bool, or a member that is one"
        if operand.isOptional(layouts) { want = "a comparison, `?? value`, or `!`" }
        if case .place(_, let layout) = operand {
            let members = SelfMembers.names(of: layout, layouts)
            if !members.isEmpty {
                want = "one of its members: " + members.prefix(12).joined(separator: ", ")
            }
        }
        return .mistake(
            .wrongType, found: "\(describe(operand)) where a single value is needed",
            want: want, span)
    }

    /// What a value is, for messages.
    func describe(_ operand: Operand) -> String {
        switch operand {
        case .integer(let literal): "the number \(literal.text)"
        case .floating(let value): "the number \(value)"
        case .text, .span: "a string"
        case .none: "nil"
        case .trace: "a trace id"
        case .caseName(let name): "the case .\(name)"
        case .scalar(let type, _): type == .boolean ? "a Bool" : "a value of the type \(type.name)"
        case .place(_, let layout): "a value of the type \(layout.name)"
        case .optional: "a value that may be nil"
        }
    }

    // MARK: - Conversions

    mutating func convert(
        _ value: Expression, to name: Expression.Name
    ) throws(SiteFailure) -> Operand {
        guard let type = ScalarType(named: name.text) else {
            throw .mistake(
                .wrongType, found: "a call of `\(name.text)`",
                want: "a conversion to Int, UInt, Int8 to UInt64 or Double; nothing else runs",
                name.span)
        }
        let mark = asm.top
        let operand = try evaluate(value)
        if case .integer = operand {
            return .scalar(type, try scalar(operand, as: type, value.span))
        }
        let (found, source) = try scalar(operand, value.span)
        let register = asm.settle(source, at: mark)
        switch (found, type) {
        case (.signed, .double): asm.emit(.intToFloat, d: register, a: register)
        case (.unsigned, .double): asm.emit(.uintToFloat, d: register, a: register)
        case (.float, .double), (.double, .double): break
        case (.signed, .unsigned(64)):
            // A number below zero does not fit: 0 - x borrows for all but 0 and less.
            checkSign(register)
        case (.unsigned(64), .signed):
            checkSign(register)
            asm.narrow(register, to: type)
        case (.signed, .signed), (.signed, .unsigned), (.unsigned, .signed),
            (.unsigned, .unsigned):
            asm.narrow(register, to: type)
        default:
            throw .mistake(
                .wrongType, found: "\(type.name) of a value of the type \(found.name)",
                want: "an integer, or a Double of a Float", value.span)
        }
        return .scalar(type, register)
    }

    /// Faults when the highest bit is set.
    private mutating func checkSign(_ register: Register) {
        var fits = Assembler.Label()
        let zero = asm.push()
        asm.number(0, into: zero)
        asm.emit(.leS, d: zero, a: zero, b: register)
        asm.jump(ifNotZero: zero, to: &fits)
        asm.fault(.overflow)
        asm.bind(fits)
        asm.top -= 1
    }

    // MARK: - Operators before one operand

    mutating func unary(
        _ op: Expression.Unary, _ value: Expression
    ) throws(SiteFailure) -> Operand {
        let mark = asm.top
        if op == .not {
            let register = asm.settle(try boolean(value), at: mark)
            asm.invert(register)
            return .scalar(.boolean, register)
        }
        let operand = try evaluate(value)
        switch operand {
        case .integer(var literal) where op != .bitNot:
            if op == .negate { literal.isNegative.toggle() }
            return .integer(literal)
        case .floating(let number) where op != .bitNot:
            return .floating(op == .negate ? -number : number)
        default: break
        }
        let (type, source) = try scalar(operand, value.span)
        let register = asm.settle(source, at: mark)
        switch (op, type) {
        case (.plus, .signed), (.plus, .unsigned), (.plus, .float), (.plus, .double): break
        case (.negate, .float), (.negate, .double): asm.emit(.fneg, d: register, a: register)
        case (.negate, .signed):
            let zero = asm.push()
            asm.number(0, into: zero)
            asm.emit(.subCheckedS, d: register, a: zero, b: register)
            asm.top -= 1
            asm.narrow(register, to: type)
        case (.bitNot, .signed), (.bitNot, .unsigned):
            asm.emit(.not, d: register, a: register)
            if case .unsigned(let bits) = type, bits < 64 {
                asm.emit(.zeroExtend, d: register, a: register, Int32(bits))
            }
        default:
            throw .mistake(
                .wrongType, found: "`\(op.rawValue)` before a value of the type \(type.name)",
                want: op == .bitNot ? "an integer" : "a number with a sign", value.span)
        }
        return .scalar(type, register)
    }

    // MARK: - Arithmetic

    mutating func arithmetic(
        _ op: Expression.Binary, _ left: Expression, _ right: Expression, _ span: SourceSpan
    ) throws(SiteFailure) -> Operand {
        let mark = asm.top
        let first = try settled(left)
        let second = try settled(right)
        let isShift = op == .shiftLeft || op == .shiftRight
        let type =
            isShift
            ? try shiftedType(first, second, left, right)
            : try commonType(first, second, left, right)
        let a = try widened(first, to: type, left.span)
        let b = try widened(second, to: isShift ? .int : type, right.span)
        // Computed above both operands, since it may need more than one step.
        let result = asm.push()
        switch type {
        case .signed, .unsigned:
            try integer(op, type, a, b, into: result, second, span)
        case .float, .double: try floating(op, a, b, into: result, span)
        default:
            throw .mistake(
                .wrongType, found: "`\(op.rawValue)` with values of the type \(type.name)",
                want: "numbers", span)
        }
        return .scalar(type == .float ? .double : type, asm.settle(result, at: mark))
    }

    /// A literal as it is, anything else in a register.
    mutating func settled(_ expression: Expression) throws(SiteFailure) -> Operand {
        let mark = asm.top
        let operand = try evaluate(expression)
        switch operand {
        case .integer, .floating: return operand
        default:
            let (type, register) = try scalar(operand, expression.span)
            return .scalar(type, asm.settle(register, at: mark))
        }
    }

    /// The type in which two values meet.
    private func commonType(
        _ first: Operand, _ second: Operand, _ left: Expression, _ right: Expression
    ) throws(SiteFailure) -> ScalarType {
        switch (first, second) {
        case (.integer, .integer): return .int
        case (.floating, .integer), (.integer, .floating), (.floating, .floating): return .double
        case (.scalar(let type, _), .integer), (.integer, .scalar(let type, _)): return type
        // A whole number beside a fraction is computed as a Double.
        case (.scalar(let type, _), .floating), (.floating, .scalar(let type, _)):
            return type.isInteger ? .double : type
        case (.scalar(let one, _), .scalar(let other, _)):
            if one == other { return one }
            if one.isFloating, other.isFloating { return .double }
            let target = one.isFloating || other.isFloating ? "Double" : "Int"
            throw .mistake(
                .wrongType, found: "\(one.name) and \(other.name)",
                want: "one type on both sides, such as `\(target)(…)`",
                left.span.through(right.span))
        default: return .int
        }
    }

    private func shiftedType(
        _ first: Operand, _ second: Operand, _ left: Expression, _ right: Expression
    ) throws(SiteFailure) -> ScalarType {
        if case .scalar(let count, _) = second, !count.isInteger {
            throw .mistake(
                .wrongType, found: "a shift by a value of the type \(count.name)",
                want: "an integer", right.span)
        }
        if case .floating = second {
            throw .mistake(
                .wrongType, found: "a shift by a fraction", want: "an integer", right.span)
        }
        switch first {
        case .scalar(let type, _) where type.isInteger: return type
        case .integer: return .int
        default:
            throw .mistake(
                .wrongType, found: "a shift of \(describe(first))", want: "an integer", left.span)
        }
    }

    /// An operand in a register, as the type in which it meets the other.
    private mutating func widened(
        _ operand: Operand, to type: ScalarType, _ span: SourceSpan
    ) throws(SiteFailure) -> Register {
        guard case .scalar(let found, let register) = operand else {
            return try scalar(operand, as: type, span)
        }
        if type == .double, found.isInteger {
            asm.emit(found.isSigned ? .intToFloat : .uintToFloat, d: register, a: register)
        }
        return register
    }

    private mutating func integer(
        _ op: Expression.Binary, _ type: ScalarType, _ a: Register, _ b: Register,
        into result: Register, _ count: Operand, _ span: SourceSpan
    ) throws(SiteFailure) {
        let isSigned = type.isSigned
        switch op {
        case .add: asm.emit(isSigned ? .addCheckedS : .addCheckedU, d: result, a: a, b: b)
        case .subtract: asm.emit(isSigned ? .subCheckedS : .subCheckedU, d: result, a: a, b: b)
        case .multiply: asm.emit(isSigned ? .mulCheckedS : .mulCheckedU, d: result, a: a, b: b)
        case .divide: asm.emit(isSigned ? .divS : .divU, d: result, a: a, b: b)
        case .remainder: asm.emit(isSigned ? .remS : .remU, d: result, a: a, b: b)
        case .bitAnd: asm.emit(.and, d: result, a: a, b: b)
        case .bitOr: asm.emit(.or, d: result, a: a, b: b)
        case .bitXor: asm.emit(.xor, d: result, a: a, b: b)
        case .wrappingAdd: asm.emit(.add, d: result, a: a, b: b)
        case .wrappingSubtract: asm.emit(.sub, d: result, a: a, b: b)
        case .wrappingMultiply: asm.emit(.mul, d: result, a: a, b: b)
        case .shiftLeft, .shiftRight:
            if case .integer(let literal) = count {
                guard !literal.isNegative else {
                    throw .mistake(
                        .wrongType, found: "a shift by \(literal.text)",
                        want: "0 or more, or the other direction", span)
                }
            } else if case .scalar(.signed, _) = count {
                checkSign(b)
            }
            let right: Opcode = isSigned ? .shrS : .shrU
            asm.emit(op == .shiftLeft ? .shl : right, d: result, a: a, b: b)
        default: break
        }
        switch op {
        case .add, .subtract, .multiply, .divide, .remainder: asm.narrow(result, to: type)
        case .shiftLeft, .wrappingAdd, .wrappingSubtract, .wrappingMultiply:
            asm.extend(result, bytes: type.bytes, signed: isSigned)
        default: break
        }
    }

    private mutating func floating(
        _ op: Expression.Binary, _ a: Register, _ b: Register, into result: Register,
        _ span: SourceSpan
    ) throws(SiteFailure) {
        switch op {
        case .add: asm.emit(.fadd, d: result, a: a, b: b)
        case .subtract: asm.emit(.fsub, d: result, a: a, b: b)
        case .multiply: asm.emit(.fmul, d: result, a: a, b: b)
        case .divide: asm.emit(.fdiv, d: result, a: a, b: b)
        default:
            throw .mistake(
                .wrongType, found: "`\(op.rawValue)` with fractions", want: "integers", span)
        }
    }
}
