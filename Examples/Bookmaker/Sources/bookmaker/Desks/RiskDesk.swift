// SPDX-License-Identifier: Apache-2.0
// What the house could lose: open positions under many stress scenarios.

/// One open bet as risk sees it.
struct Position: Sendable {
    let selection: Int
    let stake: Money
    let odds: Odds
}

/// What a market could cost the house.
struct Exposure: Sendable {
    /// The loss if the worst selection wins; negative where the house earns in any case.
    let worst: Money
    let worstSelection: Int?
    let positions: Int
}

/// Computes exposures.
struct RiskDesk: Sendable {
    /// Positions looked at per calculation: about 30 % of what a bet costs.
    static let steps = 333_000
    /// A market's positions beyond it are left out, the oldest first.
    static let positionLimit = 512

    let meter: CPUMeter
    let effort: Double

    /// What a market's open bets could cost, together with the house's own start position.
    func exposure(of market: MarketSnapshot, positions: [Position]) -> Exposure {
        // Every market starts with a little of the house's money on each selection.
        let seeds = market.selections.enumerated().map { index, selection in
            Position(selection: index, stake: Money(cents: 10_000), odds: selection.odds)
        }
        let all = seeds + positions
        let found = worstCase(
            of: all, selections: market.selections.count, steps: Int(Double(Self.steps) * effort))
        return Exposure(
            worst: Money(cents: Int64(found.loss)), worstSelection: found.selection,
            positions: positions.count)
    }

    /// Looks for the selection whose win costs most, under shocks of the odds.
    ///
    /// Not inlined, and measured by the thread's CPU clock: profiles are compared with the meter.
    /// Goes over the positions again, with another shock, until `steps` of them were looked at.
    @inline(never)
    func worstCase(
        of positions: [Position], selections: Int, steps: Int
    ) -> (loss: Double, selection: Int?) {
        let start = CPUClock.thread
        defer { meter.add(since: start) }
        guard selections > 0, !positions.isEmpty else { return (0, nil) }
        var worst = (loss: -Double.infinity, selection: Int?.none)
        var done = 0
        var scenario = 0
        while done < steps {
            let shock = 0.9 + 0.2 * Double(scenario % 64) / 64
            let winner = scenario % selections
            let loss = Self.sum(positions) { position in
                position.selection == winner
                    ? Double(position.stake.cents) * (position.odds.decimal * shock - 1)
                    : -Double(position.stake.cents)
            }
            if loss > worst.loss { worst = (loss, winner) }
            done += positions.count
            scenario += 1
        }
        return worst
    }

    /// The sum of what a closure says of each element.
    @inline(__always)
    private static func sum<Items: Sequence>(
        _ items: Items, _ value: (Items.Element) -> Double
    ) -> Double {
        var total = 0.0
        for item in items { total += value(item) }
        return total
    }
}
