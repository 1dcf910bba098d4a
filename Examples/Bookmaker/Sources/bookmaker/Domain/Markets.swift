// SPDX-License-Identifier: Apache-2.0
// What can be bet on: markets of several sports, their selections and their life.

/// A market's number.
struct MarketID: Hashable, Comparable, Sendable, CustomStringConvertible {
    let number: Int32
    static func < (left: MarketID, right: MarketID) -> Bool { left.number < right.number }
    var description: String { "M\(number)" }
}

/// One thing that may win in a market.
struct Selection: Sendable {
    let name: String
    /// How good it is, relative to the others of its market; positive.
    var rating: Double
    var odds: Odds
    /// Where it starts; horses have a stall, teams have none.
    let stall: UInt8?
}

/// What a market is doing.
enum MarketState: Sendable, Equatable {
    case open
    case suspended(reason: String, untilRound: UInt32)
    case settled(winner: Int)

    var acceptsBets: Bool { if case .open = self { true } else { false } }

    var word: String {
        switch self {
        case .open: "open"
        case .suspended: "suspended"
        case .settled: "settled"
        }
    }
}

/// The surface of a race track.
enum Going: String, Sendable, CaseIterable { case firm, good, soft, heavy }

/// The order in which a market's selections finished, best first.
struct Outcome: Sendable {
    let order: [Int]
    var winner: Int { order.first ?? 0 }

    /// Whether a selection came in among the first `places`.
    func placed(_ selection: Int, within places: Int) -> Bool {
        order.prefix(places).contains(selection)
    }
}

/// A market as others may keep it: a copy that no longer changes.
struct MarketSnapshot: Sendable {
    let id: MarketID
    let title: String
    let state: MarketState
    let selections: [Selection]
    let round: UInt32
    let margin: Double
    let places: Int
}

/// A market; what differs between sports is in its subclasses.
///
/// Not Sendable: ``MarketCatalog`` keeps it behind its lock and hands out snapshots.
class Market {
    let id: MarketID
    final var selections: [Selection]
    final var state = MarketState.open
    /// Counts how often the market was opened again for the next fixture.
    final var round: UInt32 = 1
    final var pricings: Int64 = 0

    init(id: MarketID, selections: [Selection]) {
        self.id = id
        self.selections = selections
    }

    var title: String { "market \(id)" }
    /// The house's share of every stake.
    var margin: Double { 0.05 }
    /// How many selections count as placed in an each-way bet.
    var places: Int { 1 }

    final var snapshot: MarketSnapshot {
        MarketSnapshot(
            id: id, title: title, state: state, selections: selections, round: round,
            margin: margin, places: places)
    }

    /// Opens the market for the next fixture, with ratings moved a little.
    func reopen(using random: inout SeededRandom) {
        round &+= 1
        state = .open
        for index in selections.indices {
            selections[index].rating *= 0.95 + 0.1 * random.nextUnit()
        }
    }
}

/// A match between two sides, with or without a draw.
final class MatchMarket: Market {
    let home: String
    let away: String
    let drawIsPossible: Bool

    init(id: MarketID, home: String, away: String, drawIsPossible: Bool, ratings: [Double]) {
        self.home = home
        self.away = away
        self.drawIsPossible = drawIsPossible
        let names = drawIsPossible ? [home, "Draw", away] : [home, away]
        super.init(
            id: id,
            selections: zip(names, ratings).map {
                Selection(name: $0, rating: $1, odds: Odds(decimal: 2), stall: nil)
            })
    }

    override var title: String { "\(home) v \(away)" }
}

/// A race of several runners, where the first ones are placed.
final class RaceMarket: Market {
    let course: String
    let metres: UInt16
    private(set) var going: Going

    init(id: MarketID, course: String, metres: UInt16, going: Going, runners: [(String, Double)]) {
        self.course = course
        self.metres = metres
        self.going = going
        super.init(
            id: id,
            selections: runners.enumerated().map { index, runner in
                Selection(
                    name: runner.0, rating: runner.1, odds: Odds(decimal: 8),
                    stall: UInt8(truncatingIfNeeded: index + 1))
            })
    }

    override var title: String { "\(course) \(metres) m, race \(round), \(going.rawValue)" }
    override var margin: Double { going == .heavy ? 0.09 : 0.07 }
    override var places: Int { selections.count >= 8 ? 3 : 2 }

    override func reopen(using random: inout SeededRandom) {
        super.reopen(using: &random)
        going = Going.allCases[Int(random.next() % UInt64(Going.allCases.count))]
    }
}
