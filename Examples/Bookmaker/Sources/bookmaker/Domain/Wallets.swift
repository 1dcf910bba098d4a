// SPDX-License-Identifier: Apache-2.0
// The customers' money, in an actor so that no two transfers overlap.

/// Why money could not be moved.
enum WalletError: Error, CustomStringConvertible {
    case notEnough(balance: Money, wanted: Money)
    case noWallet(UserID)

    var description: String {
        switch self {
        case .notEnough(let balance, let wanted):
            "cannot take \(wanted): got a balance of \(balance); want at least as much"
        case .noWallet(let user):
            "cannot find a wallet: got user \(user); want one who has deposited"
        }
    }
}

/// Moves money in and out of the customers' wallets.
actor Wallets {
    private var balances: [UserID: Money] = [:]
    private var turnover = Money.zero
    private var transfers: UInt64 = 0

    /// Gives each of the first `count` customers the same sum.
    init(count: Int, openingBalance: Money) {
        for number in 1...max(1, count) { balances[UserID(number: number)] = openingBalance }
    }

    func balance(of user: UserID) -> Money? { balances[user] }

    @discardableResult
    func credit(_ amount: Money, to user: UserID) -> Money {
        let after = balances[user, default: .zero] + amount
        balances[user] = after
        transfers += 1
        return after
    }

    func debit(_ amount: Money, from user: UserID) throws(WalletError) -> Money {
        guard let before = balances[user] else { throw .noWallet(user) }
        guard before >= amount else { throw .notEnough(balance: before, wanted: amount) }
        balances[user] = before - amount
        turnover += amount
        transfers += 1
        return before - amount
    }

    /// The sum of all stakes, and how often money moved.
    var totals: (turnover: Money, transfers: UInt64) { (turnover, transfers) }
}
