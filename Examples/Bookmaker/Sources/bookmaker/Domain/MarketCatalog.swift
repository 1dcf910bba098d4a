// SPDX-License-Identifier: Apache-2.0
// All markets of the house, behind the lock that every worker thread wants.

import Synchronization

/// Finds, prices and closes markets.
///
/// One `Mutex` guards everything: with several workers it is under contention, on purpose.
final class MarketCatalog: Sendable {
    private struct Contents {
        var markets: [MarketID: Market] = [:]
        var random: SeededRandom
    }

    private let contents: Mutex<Contents>

    /// Opens `count` markets that depend on the seed alone.
    init(count: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var markets: [MarketID: Market] = [:]
        for number in 1...max(1, count) {
            let id = MarketID(number: Int32(number))
            markets[id] = FixtureList.market(id: id, using: &random)
        }
        contents = Mutex(Contents(markets: markets, random: random))
    }

    func snapshot(of id: MarketID) -> MarketSnapshot? {
        contents.withLock { $0.markets[id]?.snapshot }
    }

    /// Every market in order of its number.
    func snapshots() -> [MarketSnapshot] {
        contents.withLock { contents in
            contents.markets.values.map(\.snapshot).sorted { $0.id < $1.id }
        }
    }

    /// Writes new odds; those of a round that is over are ignored.
    func publish(_ odds: [Odds], for id: MarketID, round: UInt32) {
        contents.withLock { contents in
            guard let market = contents.markets[id], market.round == round,
                market.selections.count == odds.count
            else { return }
            for (index, value) in odds.enumerated() { market.selections[index].odds = value }
            market.pricings &+= 1
        }
    }

    /// Takes a market off for a time; false when it is not open.
    func suspend(_ id: MarketID, reason: String) -> Bool {
        contents.withLock { contents in
            guard let market = contents.markets[id], market.state.acceptsBets else { return false }
            market.state = .suspended(reason: reason, untilRound: market.round &+ 1)
            return true
        }
    }

    /// Ends a market's round; `nil` when there is none to end, or no such winner.
    ///
    /// The order behind the winner is drawn from the catalog's own random numbers.
    func close(_ id: MarketID, winner: Int) -> (market: MarketSnapshot, outcome: Outcome)? {
        contents.withLock { contents in
            guard let market = contents.markets[id], market.selections.indices.contains(winner)
            else { return nil }
            if case .settled = market.state { return nil }
            var order = market.selections.indices.filter { $0 != winner }
            for index in order.indices.reversed() {
                order.swapAt(index, Int(contents.random.next() % UInt64(index + 1)))
            }
            market.state = .settled(winner: winner)
            return (market.snapshot, Outcome(order: [winner] + order))
        }
    }

    /// Opens a settled market again for its next fixture.
    func reopen(_ id: MarketID) {
        contents.withLock { $0.markets[id]?.reopen(using: &$0.random) }
    }
}
