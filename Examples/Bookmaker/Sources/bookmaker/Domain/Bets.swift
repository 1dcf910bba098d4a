// SPDX-License-Identifier: Apache-2.0
// What a customer bets: legs, kinds of bet, and what becomes of it.

/// A bet's number.
struct BetID: Hashable, Sendable, CustomStringConvertible {
    let number: UInt64
    var description: String { "B\(number)" }
}

/// A selection of one market at the odds that were promised.
struct Leg: Sendable {
    let market: MarketID
    let selection: Int
    let odds: Odds
}

/// How the legs make a bet.
enum BetKind: Sendable {
    case single(Leg)
    /// Wins when every leg wins; settled leg by leg.
    case accumulator(legs: [Leg])
    /// Half on the win, half on a place at a quarter of the odds.
    case eachWay(Leg, places: Int)

    var legs: [Leg] {
        switch self {
        case .single(let leg), .eachWay(let leg, _): [leg]
        case .accumulator(let legs): legs
        }
    }

    var odds: Odds { legs.dropFirst().reduce(legs[0].odds) { $0 * $1.odds } }

    var word: String {
        switch self {
        case .single: "single"
        case .accumulator: "accumulator"
        case .eachWay: "each-way"
        }
    }
}

/// What became of a bet.
enum BetState: Sendable, Equatable {
    case open
    /// An accumulator some of whose legs have won already.
    case running(wonLegs: Int)
    case won(payout: Money)
    case lost
    case void(reason: String)

    var isOver: Bool {
        switch self {
        case .open, .running: false
        case .won, .lost, .void: true
        }
    }

    var word: String {
        switch self {
        case .open: "open"
        case .running: "running"
        case .won: "won"
        case .lost: "lost"
        case .void: "void"
        }
    }
}

/// A bet that the house took.
struct Bet: Sendable {
    let id: BetID
    let user: UserID
    let kind: BetKind
    let stake: Money
    let placedAtMilliseconds: Int64
    /// How suspicious it looked, 0 to 1.
    let fraudScore: Float
    let note: String?
    var state = BetState.open

    /// What the house would lose if it won.
    var liability: Money { stake * kind.odds - stake }
}
