// SPDX-License-Identifier: Apache-2.0
// How the service's values look as JSON.

extension MarketSnapshot {
    var json: JSONValue {
        .object([
            ("id", .number(Double(id.number))), ("title", .text(title)),
            ("state", .text(state.word)), ("round", .number(Double(round))),
            ("places", .number(Double(places))),
            (
                "selections",
                .array(
                    selections.map {
                        .object([("name", .text($0.name)), ("odds", .text("\($0.odds)"))])
                    })
            ),
        ])
    }
}

extension Exposure {
    var json: JSONValue {
        .object([
            ("worst", .text("\(worst)")),
            ("worstSelection", worstSelection.map { .number(Double($0)) } ?? .null),
            ("positions", .number(Double(positions))),
        ])
    }
}

extension Bet {
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("id", .number(Double(id.number))), ("user", .number(Double(user.number))),
            ("kind", .text(kind.word)), ("odds", .text("\(kind.odds)")),
            ("stake", .text("\(stake)")), ("state", .text(state.word)),
            ("fraudScore", .number(Double(fraudScore))),
            ("placedAtMilliseconds", .number(Double(placedAtMilliseconds))),
        ]
        if case .won(let payout) = state { members.append(("payout", .text("\(payout)"))) }
        if case .void(let reason) = state { members.append(("reason", .text(reason))) }
        if let note { members.append(("note", .text(note))) }
        return .object(members)
    }
}

extension AccountSummary {
    func json(balance: Money?) -> JSONValue {
        .object([
            ("id", .number(Double(id.number))), ("name", .text(name)),
            ("email", email.map { .text($0) } ?? .null), ("country", .text(country)),
            ("stakeLimit", .text("\(stakeLimit)")), ("betsPlaced", .number(Double(betsPlaced))),
            ("premium", .bool(isPremium)),
            ("balance", balance.map { .text("\($0)") } ?? .null),
        ])
    }
}

extension SettlementReport {
    var json: JSONValue {
        .object([
            ("market", .number(Double(market.number))), ("round", .number(Double(round))),
            ("winner", .text(winner)), ("settled", .number(Double(settled))),
            ("won", .number(Double(won))), ("paid", .text("\(paid)")),
            ("kept", .text("\(kept)")),
        ])
    }
}

extension Refusal {
    /// The HTTP status that says the same.
    var status: Int {
        switch self {
        case .noMarket, .noSelection, .noUser: 404
        case .notOpen, .full, .suspicious, .wallet: 409
        case .stake, .legs: 400
        }
    }
}
