// SPDX-License-Identifier: Apache-2.0
// How strongly Swift's operators bind.

/// How strongly an operator binds, and what follows when two of the same strength meet.
struct Precedence: Hashable {
    enum Associativity { case left, right, none }

    /// Higher binds more strongly.
    var level: Int
    var associativity: Associativity

    static let ternary = Precedence(level: 1, associativity: .right)

    /// The groups of the Swift standard library.
    init(of op: Expression.Binary) {
        switch op {
        case .shiftLeft, .shiftRight: self.init(level: 8, associativity: .none)
        case .multiply, .divide, .remainder, .bitAnd, .wrappingMultiply:
            self.init(level: 7, associativity: .left)
        case .add, .subtract, .bitOr, .bitXor, .wrappingAdd, .wrappingSubtract:
            self.init(level: 6, associativity: .left)
        case .nilCoalescing: self.init(level: 5, associativity: .right)
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual:
            self.init(level: 4, associativity: .none)
        case .and: self.init(level: 3, associativity: .left)
        case .or: self.init(level: 2, associativity: .left)
        }
    }

    init(level: Int, associativity: Associativity) {
        self.level = level
        self.associativity = associativity
    }
}
