// SPDX-License-Identifier: Apache-2.0
// The bets that the house has taken, open ones by market and a bounded number of those that are over.

import Synchronization

/// Keeps bets; every worker thread and the settlement desk use it.
final class BetBook: Sendable {
    /// Beyond it a market takes no more bets until it is settled.
    static let openBetsPerMarket = 5000
    /// How many bets can be looked up after they are over.
    static let finishedBets = 20_000
    /// How many bets of one customer are listed.
    static let betsPerUser = 50

    private struct Contents {
        var nextNumber: UInt64 = 1
        var bets: [BetID: Bet] = [:]
        var openByMarket: [MarketID: [BetID]] = [:]
        var newestByUser: [UserID: [BetID]] = [:]
        var finished: [BetID] = []
        var oldestFinished = 0
    }

    private let contents = Mutex(Contents())

    /// How many bets there are.
    var counts: (open: Int, finished: Int, taken: UInt64) {
        contents.withLock { contents in
            let finished = contents.finished.count
            return (contents.bets.count - finished, finished, contents.nextNumber - 1)
        }
    }

    /// Whether the bet's markets have room for one more.
    func hasRoom(for kind: BetKind) -> Bool {
        contents.withLock { contents in
            kind.legs.allSatisfy {
                contents.openByMarket[$0.market, default: []].count < Self.openBetsPerMarket
            }
        }
    }

    /// Files a bet under a number of its own.
    func add(_ make: (BetID) -> Bet) -> Bet {
        contents.withLock { contents in
            let bet = make(BetID(number: contents.nextNumber))
            contents.nextNumber += 1
            contents.bets[bet.id] = bet
            for leg in bet.kind.legs {
                contents.openByMarket[leg.market, default: []].append(bet.id)
            }
            var newest = contents.newestByUser[bet.user, default: []]
            if newest.count >= Self.betsPerUser { newest.removeFirst() }
            newest.append(bet.id)
            contents.newestByUser[bet.user] = newest
            return bet
        }
    }

    func bet(_ id: BetID) -> Bet? { contents.withLock { $0.bets[id] } }

    /// Open positions of a market: for each bet the selection, the stake and what it could cost.
    func positions(in market: MarketID, limit: Int) -> [Position] {
        contents.withLock { contents in
            contents.openByMarket[market, default: []].suffix(limit).compactMap { id in
                guard let bet = contents.bets[id],
                    let leg = bet.kind.legs.first(where: { $0.market == market })
                else { return nil }
                return Position(
                    selection: leg.selection, stake: bet.stake, odds: leg.odds)
            }
        }
    }

    /// Takes every open bet of a market out of it, oldest first.
    func takeOpenBets(of market: MarketID) -> [Bet] {
        contents.withLock { contents in
            let ids = contents.openByMarket.removeValue(forKey: market) ?? []
            return ids.compactMap { contents.bets[$0] }.filter { !$0.state.isOver }
        }
    }

    /// Writes what became of a bet.
    func update(_ id: BetID, _ state: BetState) {
        contents.withLock { contents in
            guard let before = contents.bets[id], !before.state.isOver else { return }
            contents.bets[id]?.state = state
            if state.isOver { Self.file(id, in: &contents) }
        }
    }

    /// Bets of one user, newest last, at most ``betsPerUser``.
    func bets(of user: UserID) -> [Bet] {
        contents.withLock { contents in
            contents.newestByUser[user, default: []].compactMap { contents.bets[$0] }
        }
    }

    private static func file(_ id: BetID, in contents: inout Contents) {
        guard contents.finished.count >= finishedBets else {
            contents.finished.append(id)
            return
        }
        contents.bets.removeValue(forKey: contents.finished[contents.oldestFinished])
        contents.finished[contents.oldestFinished] = id
        contents.oldestFinished = (contents.oldestFinished + 1) % finishedBets
    }
}
