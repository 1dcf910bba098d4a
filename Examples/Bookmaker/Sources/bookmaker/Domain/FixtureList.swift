// SPDX-License-Identifier: Apache-2.0
// Invents plausible fixtures: matches and races with names.

/// Where the house's markets come from.
enum FixtureList {
    private static let towns = [
        "Arden", "Brightwell", "Caldmoor", "Dünenberg", "Eastholt", "Fairlea", "Grünwald",
        "Halden", "Inverlay", "Jarrow", "Kestrel Bay", "Løvenborg",
    ]
    private static let sides = ["Rovers", "United", "Athletic", "Wanderers", "1899"]
    private static let horses = [
        "Copper Kettle", "Midnight Ledger", "Paper Lantern", "Señor Viento", "Quick Silver",
        "The Long Way Round", "Zéphyr", "Old Money", "Tin Whistle", "Rain Check",
    ]

    /// A market that depends on its number and the random numbers alone.
    static func market(id: MarketID, using random: inout SeededRandom) -> Market {
        if id.number % 3 == 0 {
            let count = 6 + Int(random.next() % 5)
            let runners = (0..<count).map { (horses[$0 % horses.count], rating(&random)) }
            return RaceMarket(
                id: id, course: pick(towns, &random),
                metres: UInt16(1000 + 200 * (random.next() % 10)), going: .good, runners: runners)
        }
        let drawIsPossible = id.number % 3 == 1
        let home = "\(pick(towns, &random)) \(pick(sides, &random))"
        let away = "\(pick(towns, &random)) \(pick(sides, &random))"
        return MatchMarket(
            id: id, home: home, away: away, drawIsPossible: drawIsPossible,
            ratings: (0..<(drawIsPossible ? 3 : 2)).map { _ in rating(&random) })
    }

    private static func rating(_ random: inout SeededRandom) -> Double {
        0.5 + random.nextUnit()
    }

    private static func pick(_ names: [String], _ random: inout SeededRandom) -> String {
        names[Int(random.next() % UInt64(names.count))]
    }
}
