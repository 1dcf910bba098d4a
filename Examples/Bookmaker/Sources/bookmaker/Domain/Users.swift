// SPDX-License-Identifier: Apache-2.0
// The house's customers: accounts of two kinds in a directory with a lock of the system's.

/// A customer's number.
struct UserID: Hashable, Comparable, Sendable, CustomStringConvertible {
    let number: Int
    static func < (left: UserID, right: UserID) -> Bool { left.number < right.number }
    var description: String { "U\(number)" }
}

/// What others may know of an account: a copy.
struct AccountSummary: Sendable {
    let id: UserID
    let name: String
    let email: String?
    let country: String
    let stakeLimit: Money
    let betsPlaced: UInt32
    let isPremium: Bool
}

/// A customer's account.
///
/// Not Sendable: ``UserDirectory`` keeps it behind its lock.
class Account {
    let id: UserID
    let name: String
    let email: String?
    /// ISO code and name of the country.
    let country: (code: String, name: String)
    final var betsPlaced: UInt32 = 0
    final var lastStake: Money?

    init(id: UserID, name: String, email: String?, country: (code: String, name: String)) {
        self.id = id
        self.name = name
        self.email = email
        self.country = country
    }

    var stakeLimit: Money { Money(cents: 50_000) }
    var isPremium: Bool { false }

    final func note(stake: Money) {
        betsPlaced &+= 1
        lastStake = stake
    }

    final var summary: AccountSummary {
        AccountSummary(
            id: id, name: name, email: email, country: country.name, stakeLimit: stakeLimit,
            betsPlaced: betsPlaced, isPremium: isPremium)
    }
}

/// The account of a customer who is known well and may stake more.
final class PremiumAccount: Account {
    let discount: Double
    let manager: String

    init(
        id: UserID, name: String, country: (code: String, name: String), discount: Double,
        manager: String
    ) {
        self.discount = discount
        self.manager = manager
        super.init(
            id: id, name: name, email: "\(manager.lowercased())@house.example", country: country)
    }

    override var stakeLimit: Money { Money(cents: 500_000) }
    override var isPremium: Bool { true }
}

/// Finds accounts and opens new ones.
///
/// @unchecked Sendable: `accounts` is touched only inside of `lock.withLock`.
final class UserDirectory: @unchecked Sendable {
    /// A hundred thousand accounts are enough for an example.
    static let limit = 100_000

    private let lock = PthreadLock()
    private var accounts: [UserID: Account] = [:]

    init(count: Int) {
        let names = ["Ada", "Bruno", "Chiara", "Dmitri", "Émile", "Fatma", "Gösta", "Hye-jin"]
        let countries = [("IE", "Ireland"), ("MT", "Malta"), ("SE", "Sverige"), ("DE", "Germany")]
        for number in 1...max(1, count) {
            let id = UserID(number: number)
            let name = "\(names[number % names.count]) \(number)"
            let country = countries[number % countries.count]
            accounts[id] =
                number % 10 == 0
                ? PremiumAccount(
                    id: id, name: name, country: country, discount: 0.02, manager: "Ines")
                : Account(
                    id: id, name: name, email: number % 2 == 0 ? "\(number)@mail.example" : nil,
                    country: country)
        }
    }

    func summary(of id: UserID) -> AccountSummary? { lock.withLock { accounts[id]?.summary } }

    var count: Int { lock.withLock { accounts.count } }

    /// Remembers a stake; `nil` when there is no such account.
    func note(stake: Money, of id: UserID) -> AccountSummary? {
        lock.withLock {
            guard let account = accounts[id] else { return nil }
            account.note(stake: stake)
            return account.summary
        }
    }

    /// Opens an account; `nil` when the house is full.
    func open(name: String, email: String?) -> AccountSummary? {
        lock.withLock {
            guard accounts.count < Self.limit else { return nil }
            let id = UserID(number: accounts.count + 1)
            let account = Account(id: id, name: name, email: email, country: ("XX", "Elsewhere"))
            accounts[id] = account
            return account.summary
        }
    }
}
