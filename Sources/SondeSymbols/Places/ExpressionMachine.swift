// SPDX-License-Identifier: Apache-2.0
// Turns a DWARF expression into an expression for a hit, without evaluating it.

internal import CElfutils
internal import SondeModel

/// Why something has no location, in the words that the user reads.
struct MissingLocation: Error {
    var reason: String

    init(_ reason: String) { self.reason = reason }
}

/// DWARF's stack machine, on expressions instead of numbers.
///
/// What DWARF does to its stack (copy, swap, drop, pick) is done here, so nothing of it is left in
/// the result; constants are added up. Source: DWARF 5, section 2.5.1.
struct ExpressionMachine {
    typealias Operation = AddressExpression.Operation

    private(set) var stack: [[Operation]] = []

    /// Removes everything.
    mutating func clear() { stack = [] }

    mutating func push(_ operations: [Operation]) throws(MissingLocation) {
        guard stack.count < 64, operations.count <= AddressExpression.maxOperations else {
            throw MissingLocation("its location is too complicated")
        }
        stack.append(operations)
    }

    mutating func pop() throws(MissingLocation) -> [Operation] {
        guard let top = stack.popLast() else {
            throw MissingLocation("its location is malformed")
        }
        return top
    }

    /// Executes an operation that needs nothing but the stack and its operands.
    ///
    /// - Returns: Whether it is one.
    mutating func apply(_ operation: LocationOperation) throws(MissingLocation) -> Bool {
        let atom = operation.atom
        switch atom {
        case DW_OP_lit0...DW_OP_lit31: try push([.constant(UInt64(atom - DW_OP_lit0))])
        case DW_OP_const1u, DW_OP_const1s, DW_OP_const2u, DW_OP_const2s, DW_OP_const4u,
            DW_OP_const4s, DW_OP_const8u, DW_OP_const8s, DW_OP_constu, DW_OP_consts:
            try push([.constant(operation.number)])
        case DW_OP_addr: try push([.imageAddress(ImageAddress(operation.number))])
        case DW_OP_breg0...DW_OP_breg31:
            try push([Self.register(UInt64(atom - DW_OP_breg0), plus: operation.number)])
        case DW_OP_bregx: try push([Self.register(operation.number, plus: operation.number2)])
        case DW_OP_deref: try load(8)
        case DW_OP_deref_size:
            guard (1...8).contains(operation.number) else {
                throw MissingLocation("its location is malformed")
            }
            try load(UInt8(operation.number))
        case DW_OP_plus_uconst: try push(Self.sum(pop(), Int64(bitPattern: operation.number)))
        case DW_OP_nop: break
        default:
            if try applyToStack(operation) { return true }
            return try applyArithmetic(atom)
        }
        return true
    }

    /// A register plus an offset, as long as probes can read the register.
    static func register(
        _ number: UInt64, plus offset: UInt64
    ) throws(MissingLocation) -> Operation {
        guard number < 16 else { throw MissingLocation("it depends on register \(number)") }
        return .register(UInt8(number), plus: Int64(bitPattern: offset))
    }

    mutating func load(_ bytes: UInt8) throws(MissingLocation) {
        try push(pop() + [.load(bytes: bytes)])
    }

    private mutating func applyToStack(_ operation: LocationOperation) throws(MissingLocation)
        -> Bool
    {
        switch operation.atom {
        case DW_OP_dup: try pick(0)
        case DW_OP_over: try pick(1)
        case DW_OP_pick: try pick(operation.number)
        case DW_OP_drop: _ = try pop()
        case DW_OP_swap:
            let (upper, lower) = (try pop(), try pop())
            try push(upper)
            try push(lower)
        case DW_OP_rot:
            let (first, second, third) = (try pop(), try pop(), try pop())
            try push(first)
            try push(third)
            try push(second)
        default: return false
        }
        return true
    }

    private mutating func pick(_ depth: UInt64) throws(MissingLocation) {
        guard depth < UInt64(stack.count) else {
            throw MissingLocation("its location is malformed")
        }
        try push(stack[stack.count - 1 - Int(depth)])
    }

    private mutating func applyArithmetic(_ atom: Int) throws(MissingLocation) -> Bool {
        switch atom {
        case DW_OP_plus:
            let (right, left) = (try pop(), try pop())
            if case .constant(let number) = right.first, right.count == 1 {
                try push(Self.sum(left, Int64(bitPattern: number)))
            } else {
                try push(left + right + [.add])
            }
        case DW_OP_minus:
            let (right, left) = (try pop(), try pop())
            if case .constant(let number) = right.first, right.count == 1 {
                try push(Self.sum(left, Int64(bitPattern: 0 &- number)))
            } else {
                try push(left + right + [.sub])
            }
        case DW_OP_mul: try combine(.mul)
        case DW_OP_div: try combine(.divS)
        case DW_OP_mod: try combine(.remU)
        case DW_OP_and: try combine(.and)
        case DW_OP_or: try combine(.or)
        case DW_OP_xor: try combine(.xor)
        case DW_OP_shl: try combine(.shl)
        case DW_OP_shr: try combine(.shrU)
        case DW_OP_shra: try combine(.shrS)
        case DW_OP_neg: try push(pop() + [.neg])
        case DW_OP_not: try push(pop() + [.not])
        case DW_OP_eq: try combine(.eq)
        case DW_OP_ne: try combine(.ne)
        case DW_OP_lt: try combine(.ltS)
        case DW_OP_le: try combine(.leS)
        case DW_OP_gt: try combine(.ltS, swapped: true)
        case DW_OP_ge: try combine(.leS, swapped: true)
        default: return false
        }
        return true
    }

    private mutating func combine(
        _ operation: Operation, swapped: Bool = false
    ) throws(MissingLocation) {
        let (right, left) = (try pop(), try pop())
        try push(swapped ? right + left + [operation] : left + right + [operation])
    }

    /// Makes the top word the value of an integer of so many bytes.
    mutating func narrow(toBytes bytes: UInt64, isSigned: Bool) throws(MissingLocation) {
        guard bytes < 8 else { return }
        guard bytes > 0 else { throw MissingLocation("its location is malformed") }
        let top = try pop()
        if isSigned {
            let shift = Operation.constant(64 - 8 * bytes)
            try push(top + [shift, .shl, shift, .shrS])
        } else {
            try push(top + [.constant(UInt64.max >> (64 - 8 * bytes)), .and])
        }
    }

    /// An expression plus a constant.
    static func sum(_ operations: [Operation], _ constant: Int64) -> [Operation] {
        var operations = operations
        switch operations.last {
        case .register(let number, let plus):
            operations[operations.count - 1] = .register(number, plus: plus &+ constant)
        case .plusConstant(let plus):
            operations[operations.count - 1] = .plusConstant(plus &+ constant)
        case .constant(let number):
            operations[operations.count - 1] = .constant(
                number &+ UInt64(bitPattern: constant))
        case .imageAddress(let address):
            operations[operations.count - 1] = .imageAddress(
                .init(address.rawValue &+ UInt64(bitPattern: constant)))
        default:
            if constant != 0 { operations.append(.plusConstant(constant)) }
        }
        return operations
    }
}
