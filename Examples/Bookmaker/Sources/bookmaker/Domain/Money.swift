// SPDX-License-Identifier: Apache-2.0
// Amounts of money in whole cents, and decimal odds, with their text forms.

/// An amount in cents; negative where somebody owes.
struct Money: Hashable, Comparable, Sendable, CustomStringConvertible {
    var cents: Int64

    static let zero = Money(cents: 0)
    /// The most that one bet or one transfer may move; keeps every sum far from overflow.
    static let limit = Money(cents: 100_000_000)

    static func < (left: Money, right: Money) -> Bool { left.cents < right.cents }
    static func + (left: Money, right: Money) -> Money { Money(cents: left.cents &+ right.cents) }
    static func - (left: Money, right: Money) -> Money { Money(cents: left.cents &- right.cents) }
    static func += (left: inout Money, right: Money) { left = left + right }

    /// What comes back for a stake at these odds, rounded down to a cent.
    static func * (stake: Money, odds: Odds) -> Money {
        Money(cents: Int64((Double(stake.cents) * odds.decimal).rounded(.down)))
    }

    /// The amount with two decimals, such as `-12.05`.
    var description: String {
        let digits = String(cents.magnitude)
        let padded = String(repeating: "0", count: max(0, 3 - digits.utf8.count)) + digits
        return "\(cents < 0 ? "-" : "")\(padded.dropLast(2)).\(padded.suffix(2))"
    }

    /// Reads `12`, `12.5` or `12.50`; `nil` for anything else and beyond ``limit``.
    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = Int64(parts[0]), whole >= 0,
            whole <= Money.limit.cents / 100
        else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            guard (1...2).contains(parts[1].utf8.count), let read = Int64(parts[1]), read >= 0
            else { return nil }
            fraction = parts[1].utf8.count == 1 ? read * 10 : read
        }
        cents = whole * 100 + fraction
    }

    init(cents: Int64) { self.cents = cents }
}

/// Decimal odds: what one unit of stake returns when the bet wins, 1.01 to 1001.
struct Odds: Hashable, Comparable, Sendable, CustomStringConvertible {
    let decimal: Double

    init(decimal: Double) { self.decimal = min(max(decimal, 1.01), 1001) }

    /// The odds that a probability stands for, with the house's margin taken off.
    init(probability: Double, margin: Double) {
        self.init(decimal: (1 - margin) / max(probability, 1e-6))
    }

    static func < (left: Odds, right: Odds) -> Bool { left.decimal < right.decimal }
    /// Odds of a bet on both.
    static func * (left: Odds, right: Odds) -> Odds { Odds(decimal: left.decimal * right.decimal) }

    /// The odds with three decimals, such as `2.375`.
    var description: String {
        let thousandths = String(Int64((decimal * 1000).rounded()))
        return "\(thousandths.dropLast(3)).\(thousandths.suffix(3))"
    }
}
