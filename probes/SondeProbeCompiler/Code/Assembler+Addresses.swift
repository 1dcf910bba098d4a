// SPDX-License-Identifier: Apache-2.0
// Computes what debug info describes as a small program for a stack of words.

import SondeModel
import SondeProbeProgram
import SondeSymbols

extension Assembler {
    /// Computes an address, and says how far behind the register's content it lies.
    ///
    /// The usual address, a register plus a constant, takes one instruction: the constant goes into
    /// the loads.
    mutating func address(_ expression: AddressExpression) -> (base: Register, offset: Int64) {
        if case .register(let number, let distance)? = expression.operations.first,
            expression.operations.count == 1
        {
            let base = push()
            emit(.readRegister, d: base, Int32(number))
            return (base, distance)
        }
        return (word(expression), 0)
    }

    /// Computes the word that an expression yields.
    mutating func word(_ expression: AddressExpression) -> Register {
        let mark = top
        for operation in expression.operations {
            switch operation {
            case .register(let number, let distance):
                let register = push()
                emit(.readRegister, d: register, Int32(number))
                add(distance, to: register, into: register)
            case .constant(let value):
                let register = push()
                number(value, into: register)
            case .imageAddress(let place):
                let register = push()
                address(place, into: register)
            default:
                // A broken expression would take words that are not there.
                let operands = operation.operands
                guard top - mark >= operands else {
                    fault(.unavailable)
                    continue
                }
                apply(operation)
            }
        }
        if top == mark { return push() }
        top = mark + 1
        return register(mark)
    }

    /// Applies an operation to the uppermost words.
    private mutating func apply(_ operation: AddressExpression.Operation) {
        let upper = register(top - 1)
        switch operation {
        case .load(let bytes):
            let place = BytePlace.memory(base: upper, offset: 0, origin: "")
            load(place, bytes: max(1, min(8, Int(bytes))), into: upper)
        case .plusConstant(let value): add(value, to: upper, into: upper)
        case .neg: emit(.neg, d: upper, a: upper)
        case .not: emit(.not, d: upper, a: upper)
        case .add: combine(.add)
        case .sub: combine(.sub)
        case .mul: combine(.mul)
        case .divS: combine(.divS)
        case .remU: combine(.remU)
        case .and: combine(.and)
        case .or: combine(.or)
        case .xor: combine(.xor)
        case .shl: combine(.shl)
        case .shrU: combine(.shrU)
        case .shrS: combine(.shrS)
        case .eq: combine(.eq)
        case .ne: combine(.ne)
        case .ltS: combine(.ltS)
        case .leS: combine(.leS)
        case .register, .constant, .imageAddress: break
        }
    }

    private mutating func combine(_ op: Opcode) {
        let right = register(top - 1), left = register(top - 2)
        emit(op, d: left, a: left, b: right)
        top -= 1
    }
}

extension AddressExpression.Operation {
    /// How many words the operation takes.
    fileprivate var operands: Int {
        switch self {
        case .register, .constant, .imageAddress: 0
        case .load, .plusConstant, .neg, .not: 1
        case .add, .sub, .mul, .divS, .remU, .and, .or, .xor, .shl, .shrU, .shrS, .eq, .ne, .ltS,
            .leS:
            2
        }
    }
}
