// SPDX-License-Identifier: Apache-2.0
// Which requests customers make, in which proportion.

/// A request to make.
struct PlannedRequest: Sendable {
    let method: String
    let path: String
    let body: String
    /// Statuses that are answers, not errors: a market may just be closed, a wallet empty.
    let accepted: Set<Int>
}

/// Draws requests; the same seed gives the same ones.
struct RequestMix: Sendable {
    private var state: UInt64
    private let markets: UInt64
    private let users: UInt64

    init(seed: UInt64, markets: Int, users: Int) {
        state = (seed &+ 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9 | 1
        self.markets = UInt64(markets)
        self.users = UInt64(users)
    }

    /// 60 % bets, 2 % settlements and deposits each, the rest reads.
    mutating func next() -> PlannedRequest {
        let market = below(markets) + 1
        let user = below(users) + 1
        switch below(100) {
        case 0..<52: return bet(user, "{\"market\":\(market),\"selection\":\(below(2))}", "single")
        case 52..<56:
            return bet(user, "{\"market\":\(market),\"selection\":\(below(2))}", "each-way")
        case 56..<60:
            let other = market % markets + 1
            return bet(
                user,
                "{\"market\":\(market),\"selection\":0},{\"market\":\(other),\"selection\":1}",
                "accumulator")
        case 60..<62:
            return PlannedRequest(
                method: "POST", path: "/markets/\(market)/settle",
                body: "{\"winner\":\(below(2))}", accepted: [200, 409])
        case 62..<64:
            return PlannedRequest(
                method: "POST", path: "/users/\(user)/deposit", body: "{\"amount\":\"500.00\"}",
                accepted: [200])
        case 64..<70: return read("/users/\(user)/statement")
        case 70..<80: return read("/users/\(user)")
        case 80..<82: return read("/markets")
        case 82..<84: return read("/health")
        default: return read("/markets/\(market)")
        }
    }

    private mutating func bet(_ user: UInt64, _ legs: String, _ kind: String) -> PlannedRequest {
        let cents = 10 + below(90)
        return PlannedRequest(
            method: "POST", path: "/bets",
            body: "{\"user\":\(user),\"stake\":\"\(1 + below(20)).\(cents)\",\"kind\":\"\(kind)\","
                + "\"device\":\"phone-\(below(500))\",\"legs\":[\(legs)]}",
            accepted: [201, 409])
    }

    private func read(_ path: String) -> PlannedRequest {
        PlannedRequest(method: "GET", path: path, body: "", accepted: [200])
    }

    /// Source: Vigna's xorshift64*.
    private mutating func below(_ end: UInt64) -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return (state &* 0x2545_F491_4F6C_DD1D) >> 33 % max(1, end)
    }
}
