// SPDX-License-Identifier: Apache-2.0
// Compiles the order of values, and comparisons of numbers whose types may differ.

import SondeProbeLanguage
import SondeProbeProgram
import SondeSymbols

extension SiteCompiler {
    /// Whether the first value is less than the second, or not greater.
    mutating func order(
        _ pair: Comparands, orEqual: Bool, into result: Register
    ) throws(SiteFailure) {
        if pair.first.isString(layouts), pair.second.isString(layouts) {
            let first = try string(pair.first, pair.leftSpan)
            let second = try string(pair.second, pair.rightSpan)
            guard orEqual else {
                asm.emit(.spanLess, d: result, a: first, b: second)
                return
            }
            asm.emit(.spanLess, d: result, a: second, b: first)
            asm.invert(result)
            return
        }
        try compareScalars(pair, orEqual ? .lessOrEqual : .less, into: result)
    }

    /// Compares numbers, characters of C and the like.
    mutating func compareScalars(
        _ pair: Comparands, _ op: Expression.Binary, into result: Register
    ) throws(SiteFailure) {
        var first = pair.first, second = pair.second
        // A literal takes the other side's type, so that side is loaded first.
        if !first.isLiteral {
            let (type, register) = try scalar(first, pair.leftSpan)
            first = .scalar(type, register)
        }
        if !second.isLiteral {
            let (type, register) = try scalar(second, pair.rightSpan)
            second = .scalar(type, register)
        }
        let (one, two) = (type(of: first, beside: second), type(of: second, beside: first))
        let type = try meetingType(one, two, op, pair)
        if type == .double {
            let a = try floating(first, beside: two, pair.leftSpan)
            let b = try floating(second, beside: one, pair.rightSpan)
            let code: Opcode = op == .equal ? .feq : op == .less ? .flt : .fle
            asm.emit(code, d: result, a: a, b: b)
            return
        }
        let a = try scalar(first, as: one, pair.leftSpan)
        let b = try scalar(second, as: two, pair.rightSpan)
        compareIntegers(op, (a, isSigned: one.isSigned), (b, isSigned: two.isSigned), into: result)
    }

    /// The type of an operand; a literal's is the other's.
    private func type(of operand: Operand, beside other: Operand) -> ScalarType {
        if case .scalar(let type, _) = operand { return type }
        guard case .scalar(let type, _) = other else {
            if case .floating = operand { return .double }
            if case .floating = other { return .double }
            return .int
        }
        if case .floating = operand { return .double }
        return type
    }

    private func meetingType(
        _ one: ScalarType, _ two: ScalarType, _ op: Expression.Binary, _ pair: Comparands
    ) throws(SiteFailure) -> ScalarType {
        if one.isFloating, two.isFloating { return .double }
        if one.isInteger, two.isInteger { return .int }
        // `count > 2.5` compares as Double; two variables have to be converted.
        if one.isInteger && two.isFloating, pair.second.isLiteral { return .double }
        if two.isInteger && one.isFloating, pair.first.isLiteral { return .double }
        if one == two, op == .equal || one == .unicodeScalar { return one }
        if case .pointer = one, case .pointer = two { return one }
        let isMixed =
            (one.isInteger && two.isFloating) || (two.isInteger && one.isFloating)
        throw .mistake(
            .wrongType, found: "\(describe(pair.first)) beside \(describe(pair.second))",
            want: isMixed ? "one type on both sides, such as `Double(…)`" : "values that compare",
            pair.span)
    }

    /// A value as a Double; a literal beside a Float is rounded as a Float.
    private mutating func floating(
        _ operand: Operand, beside other: ScalarType, _ span: SourceSpan
    ) throws(SiteFailure) -> Register {
        guard case .scalar(let type, let register) = operand, type.isInteger else {
            return try scalar(operand, as: other == .float ? .float : .double, span)
        }
        asm.emit(type.isSigned ? .intToFloat : .uintToFloat, d: register, a: register)
        return register
    }

    /// Compares two 64-bit integers exactly, whatever their signs mean.
    private mutating func compareIntegers(
        _ op: Expression.Binary, _ a: (Register, isSigned: Bool), _ b: (Register, isSigned: Bool),
        into result: Register
    ) {
        if op == .equal {
            asm.emit(.eq, d: result, a: a.0, b: b.0)
        } else if a.isSigned, b.isSigned {
            asm.emit(op == .less ? .ltS : .leS, d: result, a: a.0, b: b.0)
        } else {
            asm.emit(op == .less ? .ltU : .leU, d: result, a: a.0, b: b.0)
        }
        guard a.isSigned != b.isSigned else { return }
        // A negative number equals no unsigned one and is less than all of them.
        let test = asm.push()
        asm.number(0, into: test)
        asm.emit(.ltS, d: test, a: a.isSigned ? a.0 : b.0, b: test)
        if op == .equal || b.isSigned {
            asm.invert(test)
            asm.emit(.and, d: result, a: result, b: test)
        } else {
            asm.emit(.or, d: result, a: result, b: test)
        }
        asm.top -= 1
    }
}

extension Operand {
    /// Whether the value is a number or a string as typed.
    var isLiteral: Bool {
        switch self {
        case .integer, .floating, .text: true
        default: false
        }
    }
}
