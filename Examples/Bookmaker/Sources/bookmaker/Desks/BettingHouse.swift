// SPDX-License-Identifier: Apache-2.0
// The whole service without its HTTP side: takes bets and answers for them.

import Glibc

/// Why a bet was not taken.
enum Refusal: Error, CustomStringConvertible {
    case noMarket(MarketID)
    case noSelection(Int, of: MarketID)
    case notOpen(MarketID, MarketState)
    case noUser(UserID)
    case stake(Money, limit: Money)
    case full
    case suspicious(Float)
    case legs(String)
    case wallet(WalletError)

    var description: String {
        switch self {
        case .noMarket(let id): "cannot take the bet: got market \(id); want one of the list"
        case .noSelection(let number, let id):
            "cannot take the bet: got selection \(number) of \(id); want one that it has"
        case .notOpen(let id, let state):
            "cannot take the bet: got market \(id), which is \(state.word); want an open one"
        case .noUser(let id): "cannot take the bet: got user \(id); want one with an account"
        case .stake(let stake, let limit):
            "cannot take the bet: got a stake of \(stake); want 0.01 to \(limit)"
        case .full: "cannot take the bet: got a market with too many bets; want one with room"
        case .suspicious(let score): "cannot take the bet: got a fraud score of \(score); want 0.95"
        case .legs(let found): "cannot take the bet: got \(found); want 1 to 8 legs of its kind"
        case .wallet(let error): "\(error)"
        }
    }
}

/// A bet as a customer asks for it.
struct BetRequest: Sendable {
    let user: UserID
    let stake: Money
    let kind: String
    let legs: [(market: MarketID, selection: Int)]
    let device: String
    let note: String?
}

/// The house: its desks and what they share.
final class BettingHouse: Sendable {
    let meters = CPUMeters()
    let catalog: MarketCatalog
    let book = BetBook()
    let users: UserDirectory
    let wallets: Wallets
    let odds: OddsDesk
    let risk: RiskDesk
    let fraud: FraudDesk
    let settlement: SettlementDesk
    let statements: StatementWriter
    private let seed: UInt64

    init(_ options: Options, journal: Journal) {
        seed = options.seed
        catalog = MarketCatalog(count: options.markets, seed: options.seed)
        users = UserDirectory(count: options.users)
        wallets = Wallets(count: options.users, openingBalance: Money(cents: 100_000))
        odds = OddsDesk(meter: meters.pricing, effort: options.effort)
        risk = RiskDesk(meter: meters.risk, effort: options.effort)
        fraud = FraudDesk(meter: meters.fraud, effort: options.effort)
        settlement = SettlementDesk(
            catalog: catalog, book: book, users: users, wallets: wallets, journal: journal)
        statements = StatementWriter(catalog: catalog, book: book)
    }

    /// Prices a market anew and publishes the odds; the same market and round give the same odds.
    @discardableResult
    func reprice(_ market: MarketSnapshot) -> [Odds] {
        let seed =
            seed &+ UInt64(UInt32(bitPattern: market.id.number)) << 32 &+ UInt64(market.round)
        let prices = odds.price(market, seed: seed)
        catalog.publish(prices, for: market.id, round: market.round)
        return prices
    }

    func exposure(of market: MarketSnapshot) -> Exposure {
        let positions = book.positions(in: market.id, limit: RiskDesk.positionLimit)
        return risk.exposure(of: market, positions: positions)
    }

    /// Takes a bet: fresh odds, exposure and fraud score, then the money.
    func place(_ request: BetRequest) throws(Refusal) -> Bet {
        let limit = users.summary(of: request.user)?.stakeLimit
        guard let limit else { throw .noUser(request.user) }
        guard request.stake > .zero, request.stake <= limit else {
            throw .stake(request.stake, limit: limit)
        }
        let kind = try quote(request)
        guard book.hasRoom(for: kind) else { throw .full }
        guard let account = users.note(stake: request.stake, of: request.user) else {
            throw .noUser(request.user)
        }
        let score = fraud.score(
            FraudCase(
                account: account, kind: kind, stake: request.stake, device: request.device))
        guard score < 0.95 else { throw .suspicious(score) }
        let wallets = wallets
        let (user, stake) = (request.user, request.stake)
        let paid = AsyncBridge.wait { () async -> WalletError? in
            do throws(WalletError) {
                _ = try await wallets.debit(stake, from: user)
                return nil
            } catch {
                return error
            }
        }
        if let paid { throw .wallet(paid) }
        return book.add { id in
            Bet(
                id: id, user: user, kind: kind, stake: stake, placedAtMilliseconds: Self.now,
                fraudScore: score, note: request.note)
        }
    }

    /// Turns the legs asked for into a bet at today's odds.
    private func quote(_ request: BetRequest) throws(Refusal) -> BetKind {
        guard (1...8).contains(request.legs.count) else {
            throw .legs("\(request.legs.count) legs")
        }
        guard Set(request.legs.map(\.market)).count == request.legs.count else {
            throw .legs("two legs of one market")
        }
        var legs: [Leg] = []
        var places = 1
        for (index, wanted) in request.legs.enumerated() {
            guard let market = catalog.snapshot(of: wanted.market) else {
                throw .noMarket(wanted.market)
            }
            guard market.state.acceptsBets else { throw .notOpen(market.id, market.state) }
            guard market.selections.indices.contains(wanted.selection) else {
                throw .noSelection(wanted.selection, of: market.id)
            }
            // The first leg is priced and checked afresh; the others at the odds published last.
            var price = market.selections[wanted.selection].odds
            if index == 0 {
                price = reprice(market)[wanted.selection]
                _ = exposure(of: market)
                places = market.places
            }
            legs.append(Leg(market: market.id, selection: wanted.selection, odds: price))
        }
        switch (request.kind, legs.count) {
        case ("single", 1): return .single(legs[0])
        case ("each-way", 1): return .eachWay(legs[0], places: places)
        case ("accumulator", 2...): return .accumulator(legs: legs)
        default: throw .legs("\(request.kind) with \(legs.count) legs")
        }
    }

    private static var now: Int64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
