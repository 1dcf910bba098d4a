// SPDX-License-Identifier: Apache-2.0
// Prices a market: chances by simulation, blended from several models, then odds with a margin.

/// Something that has an opinion of how strong each selection is.
protocol StrengthModel: Sendable {
    var name: String { get }
    func strengths(of market: MarketSnapshot) -> [Double]
}

/// Takes the ratings as they are.
struct RatingModel: StrengthModel {
    let name = "rating"
    func strengths(of market: MarketSnapshot) -> [Double] { market.selections.map(\.rating) }
}

/// Favors inner stalls in races; knows nothing of matches.
struct StallModel: StrengthModel {
    let name = "stall"
    let advantage: Float

    func strengths(of market: MarketSnapshot) -> [Double] {
        market.selections.map { selection in
            guard let stall = selection.stall else { return selection.rating }
            return selection.rating * (1 + Double(advantage) / Double(stall))
        }
    }
}

/// Believes what the market's odds say already.
final class CrowdModel: StrengthModel {
    let name = "crowd"
    let trust: Double

    init(trust: Double) { self.trust = trust }

    func strengths(of market: MarketSnapshot) -> [Double] {
        market.selections.map { $0.rating * (1 - trust) + trust / $0.odds.decimal }
    }
}

/// Computes odds.
struct OddsDesk: Sendable {
    /// Random draws per pricing: about half of what a bet costs.
    static let draws = 166_000

    let models: [any StrengthModel]
    let meter: CPUMeter
    let effort: Double

    init(meter: CPUMeter, effort: Double) {
        models = [RatingModel(), StallModel(advantage: 0.125), CrowdModel(trust: 0.25)]
        self.meter = meter
        self.effort = effort
    }

    /// The odds of every selection of a market, in its order.
    func price(_ market: MarketSnapshot, seed: UInt64) -> [Odds] {
        let opinions = models.map { $0.strengths(of: market) }
        let blended = market.selections.indices.map { index in
            opinions.reduce(0) { $0 + $1[index] } / Double(models.count)
        }
        let draws = Int(Double(Self.draws) * effort)
        let chances = simulateOutcomes(blended, draws: draws, seed: seed)
        return chances.map { Odds(probability: $0, margin: market.margin) }
    }

    /// Plays the event out many times and counts who wins.
    ///
    /// Not inlined, and measured by the thread's CPU clock: profiles are compared with the meter.
    @inline(never)
    func simulateOutcomes(_ strengths: [Double], draws: Int, seed: UInt64) -> [Double] {
        let start = CPUClock.thread
        defer { meter.add(since: start) }
        var random = SeededRandom(seed: seed)
        var wins = [Int](repeating: 0, count: strengths.count)
        let plays = max(1, draws / max(1, strengths.count))
        for _ in 0..<plays {
            var best = -1.0
            var winner = 0
            for index in strengths.indices {
                let form = Self.form(of: strengths[index], random.nextUnit())
                if form > best {
                    best = form
                    winner = index
                }
            }
            wins[winner] &+= 1
        }
        return wins.map { Double($0) / Double(plays) }
    }

    /// A selection's form on the day.
    @inline(__always)
    private static func form(of strength: Double, _ luck: Double) -> Double {
        strength * luck / (1.05 - luck)
    }
}
