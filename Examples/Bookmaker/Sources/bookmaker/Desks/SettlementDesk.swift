// SPDX-License-Identifier: Apache-2.0
// Pays out when an event is over, and says so in the log, bet by bet.

/// What settling a market did.
struct SettlementReport: Sendable {
    let market: MarketID
    let round: UInt32
    let winner: String
    var settled = 0
    var won = 0
    var paid = Money.zero
    var kept = Money.zero
}

/// Settles markets, one at a time per market.
actor SettlementDesk {
    private let catalog: MarketCatalog
    private let book: BetBook
    private let users: UserDirectory
    private let wallets: Wallets
    private let journal: Journal
    private var reports: [MarketID: SettlementReport] = [:]
    private(set) var marketsSettled = 0

    init(
        catalog: MarketCatalog, book: BetBook, users: UserDirectory, wallets: Wallets,
        journal: Journal
    ) {
        self.catalog = catalog
        self.book = book
        self.users = users
        self.wallets = wallets
        self.journal = journal
    }

    func lastReport(of market: MarketID) -> SettlementReport? { reports[market] }

    /// Ends a market's round, pays the winners and opens the next round.
    ///
    /// Returns `nil` when there is no such market or winner, or it is being settled already.
    func settle(_ id: MarketID, winner: Int) async -> SettlementReport? {
        guard let (market, outcome) = catalog.close(id, winner: winner) else { return nil }
        var report = SettlementReport(
            market: id, round: market.round, winner: market.selections[winner].name)
        for bet in book.takeOpenBets(of: id) {
            let state = Self.judge(bet, in: market, outcome)
            book.update(bet.id, state)
            await pay(bet, state, &report)
        }
        reports[id] = report
        marketsSettled += 1
        catalog.reopen(id)
        journal.write(
            "market-settled",
            [
                ("market", .number(Double(id.number))), ("round", .number(Double(report.round))),
                ("winner", .text(report.winner)), ("settled", .number(Double(report.settled))),
                ("won", .number(Double(report.won))), ("paid", .text("\(report.paid)")),
                ("kept", .text("\(report.kept)")),
            ])
        return report
    }

    private func pay(_ bet: Bet, _ state: BetState, _ report: inout SettlementReport) async {
        let user = users.summary(of: bet.user)
        let odds = bet.kind.odds
        var payout: Money?
        switch state {
        case .won(let amount):
            payout = amount
            report.won += 1
        case .void:
            payout = bet.stake
        case .lost, .open, .running:
            payout = nil
        }
        if let payout {
            await wallets.credit(payout, to: bet.user)
            report.paid += payout
        } else if state.isOver {
            report.kept += bet.stake
        }
        if state.isOver { report.settled += 1 }
        log(bet, state, user: user, odds: odds, payout: payout)
    }

    /// The line that a log point in ``pay(_:_:_:)`` can be compared with.
    private func log(
        _ bet: Bet, _ state: BetState, user: AccountSummary?, odds: Odds, payout: Money?
    ) {
        journal.write(
            "bet-settled",
            [
                ("bet", .number(Double(bet.id.number))),
                ("user", .text(user?.name ?? "\(bet.user)")),
                ("email", user?.email.map { .text($0) } ?? .null),
                ("kind", .text(bet.kind.word)),
                ("legs", .number(Double(bet.kind.legs.count))),
                ("odds", .text("\(odds)")), ("stake", .text("\(bet.stake)")),
                ("state", .text(state.word)),
                ("payout", payout.map { .text("\($0)") } ?? .null),
                ("premium", .bool(user?.isPremium ?? false)),
            ])
    }

    /// What an outcome means for a bet.
    static func judge(_ bet: Bet, in market: MarketSnapshot, _ outcome: Outcome) -> BetState {
        switch bet.kind {
        case .single(let leg):
            return leg.selection == outcome.winner
                ? .won(payout: bet.stake * leg.odds) : .lost
        case .eachWay(let leg, let places):
            let half = Money(cents: bet.stake.cents / 2)
            let placeOdds = Odds(decimal: 1 + (leg.odds.decimal - 1) / 4)
            if leg.selection == outcome.winner {
                return .won(payout: half * leg.odds + half * placeOdds)
            }
            return outcome.placed(leg.selection, within: min(places, market.places))
                ? .won(payout: half * placeOdds) : .lost
        case .accumulator(let legs):
            guard let leg = legs.first(where: { $0.market == market.id }) else {
                return .void(reason: "\(market.id) is not among the legs")
            }
            guard leg.selection == outcome.winner else { return .lost }
            var won = 1
            if case .running(let before) = bet.state { won += before }
            return won == legs.count
                ? .won(payout: bet.stake * bet.kind.odds) : .running(wonLegs: won)
        }
    }
}
