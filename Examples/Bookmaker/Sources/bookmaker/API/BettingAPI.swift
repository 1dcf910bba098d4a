// SPDX-License-Identifier: Apache-2.0
// The service's HTTP API: which request does what.

import SondeAgent

/// Answers requests.
struct BettingAPI: Sendable {
    let house: BettingHouse
    /// The agent in this process; `nil` without one.
    let agent: Sonde?
    /// CPU time of the process when it began to serve.
    let processStart = CPUClock.process

    func answer(_ request: HTTPRequest) -> HTTPResponse {
        do {
            switch (request.method, request.path.count, request.path.first) {
            case ("GET", 1, "health"): return HTTPResponse(.object([("status", .text("ok"))]))
            case ("GET", 1, "markets"):
                return HTTPResponse(.array(house.catalog.snapshots().map(\.json)))
            case (_, 2..., "markets"): return try market(request)
            case ("POST", 1, "bets"): return try placeBet(request)
            case ("GET", 2, "bets"): return bet(request)
            case ("POST", 1, "users"): return try openAccount(request)
            case (_, 2..., "users"): return try user(request)
            case ("GET", 2, "debug"): return debug(request)
            default: return noRoute(request)
            }
        } catch let error as JSONError {
            return .failure(400, "\(error)")
        } catch let error as BadField {
            return .failure(400, "\(error)")
        } catch {
            return .failure(500, "cannot answer: \(error); want a request like the documented ones")
        }
    }

    private func placeBet(_ request: HTTPRequest) throws -> HTTPResponse {
        let bet = try BetRequest(Fields(JSONReader.read(request.body)))
        do throws(Refusal) {
            return HTTPResponse(status: 201, try house.place(bet).json)
        } catch {
            return .failure(error.status, "\(error)")
        }
    }

    private func bet(_ request: HTTPRequest) -> HTTPResponse {
        guard let number = UInt64(request.path[1]),
            let bet = house.book.bet(BetID(number: number))
        else {
            return .failure(
                404, "cannot find the bet: got \(request.path[1]); want one in the book")
        }
        return HTTPResponse(bet.json)
    }

    private func market(_ request: HTTPRequest) throws -> HTTPResponse {
        guard let number = Int32(request.path[1]),
            let market = house.catalog.snapshot(of: MarketID(number: number))
        else {
            return .failure(
                404, "cannot find the market: got \(request.path[1]); want a number of the list")
        }
        switch (request.method, request.path.count, request.path.count > 2 ? request.path[2] : "") {
        case ("GET", 2, _): return HTTPResponse(market.json)
        case ("POST", 3, "price"):
            return HTTPResponse(.array(house.reprice(market).map { .text("\($0)") }))
        case ("GET", 3, "exposure"): return HTTPResponse(house.exposure(of: market).json)
        case ("POST", 3, "suspend"):
            let reason = try Fields(JSONReader.read(request.body)).text("reason")
            guard house.catalog.suspend(market.id, reason: reason) else {
                return .failure(
                    409, "cannot suspend \(market.id): it is not open; want an open one")
            }
            return HTTPResponse(.object([("suspended", .text("\(market.id)"))]))
        case ("POST", 3, "settle"):
            let winner = try Fields(JSONReader.read(request.body)).integer("winner", 0...1000)
            return settle(market, winner)
        default: return noRoute(request)
        }
    }

    private func settle(_ market: MarketSnapshot, _ winner: Int) -> HTTPResponse {
        let desk = house.settlement
        let report = AsyncBridge.wait { await desk.settle(market.id, winner: winner) }
        guard let report else {
            return .failure(
                409,
                "cannot settle \(market.id): got winner \(winner); "
                    + "want a selection of a market that is not being settled")
        }
        return HTTPResponse(report.json)
    }

    private func openAccount(_ request: HTTPRequest) throws -> HTTPResponse {
        let fields = try Fields(JSONReader.read(request.body))
        let name = try fields.text("name")
        guard let account = house.users.open(name: name, email: try fields.optionalText("email"))
        else { return .failure(503, "cannot open an account: the house is full; want fewer") }
        return HTTPResponse(status: 201, account.json(balance: nil))
    }

    private func user(_ request: HTTPRequest) throws -> HTTPResponse {
        guard let number = Int(request.path[1]),
            let account = house.users.summary(of: UserID(number: number))
        else {
            return .failure(
                404, "cannot find the user: got \(request.path[1]); want one with an account")
        }
        let wallets = house.wallets
        switch (request.method, request.path.count, request.path.count > 2 ? request.path[2] : "") {
        case ("GET", 2, _):
            let balance = AsyncBridge.wait { await wallets.balance(of: account.id) }
            return HTTPResponse(account.json(balance: balance))
        case ("GET", 3, "statement"):
            let balance = AsyncBridge.wait { await wallets.balance(of: account.id) }
            return HTTPResponse(text: house.statements.statement(of: account, balance: balance))
        case ("POST", 3, "deposit"):
            let amount = try Fields(JSONReader.read(request.body)).money("amount")
            let balance = AsyncBridge.wait { await wallets.credit(amount, to: account.id) }
            return HTTPResponse(account.json(balance: balance))
        default: return noRoute(request)
        }
    }

    private func noRoute(_ request: HTTPRequest) -> HTTPResponse {
        .failure(
            404,
            "cannot answer \(request.method) /\(request.path.joined(separator: "/")): "
                + "got no such route; want one of the README's")
    }
}
