// SPDX-License-Identifier: Apache-2.0
// A customer's statement as text: the path through the service that allocates most.

/// One line of a statement; an object each, as an older code base would have it.
final class StatementLine {
    let title: String
    let details: [String: String]
    let amount: Money
    var next: StatementLine?

    init(title: String, details: [String: String], amount: Money) {
        self.title = title
        self.details = details
        self.amount = amount
    }
}

/// Writes statements.
struct StatementWriter: Sendable {
    let catalog: MarketCatalog
    let book: BetBook

    /// The newest bets of a customer, each with its legs, and a sum.
    func statement(of account: AccountSummary, balance: Money?) -> String {
        let bets = book.bets(of: account.id)
        let (first, sum) = lines(for: bets)
        var text = "Statement of \(account.name), \(account.country)\n"
        var line = first
        while let current = line {
            let details = current.details.sorted { $0.key < $1.key }
                .map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
            text += "\(current.title): \(current.amount) (\(details))\n"
            line = current.next
        }
        text += "Sum of \(bets.count) bets: \(sum)\n"
        if let balance { text += "Balance: \(balance)\n" }
        return text
    }

    private func lines(for bets: [Bet]) -> (first: StatementLine?, sum: Money) {
        var sum = Money.zero
        var first: StatementLine?
        for bet in bets.reversed() {
            var details = [
                "kind": bet.kind.word, "state": bet.state.word, "odds": "\(bet.kind.odds)",
            ]
            for (index, leg) in bet.kind.legs.enumerated() {
                details["leg \(index + 1)"] =
                    catalog.snapshot(of: leg.market)?.selections[leg.selection].name ?? "?"
            }
            if let note = bet.note { details["note"] = note }
            let line = StatementLine(title: "\(bet.id)", details: details, amount: bet.stake)
            line.next = first
            first = line
            sum += bet.stake
        }
        return (first, sum)
    }
}
