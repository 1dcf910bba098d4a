// SPDX-License-Identifier: Apache-2.0
// How suspicious a bet looks: a digest of who bets what, stretched, and a few rules.

/// What fraud scoring looks at.
struct FraudCase: Sendable {
    let account: AccountSummary
    let kind: BetKind
    let stake: Money
    let device: String
}

/// Scores bets.
struct FraudDesk: Sendable {
    /// Rounds of the digest: about 20 % of what a bet costs.
    static let rounds = 2600

    let meter: CPUMeter
    let effort: Double

    /// How suspicious a bet looks, 0 to 1; deterministic.
    func score(_ suspect: FraudCase) -> Float {
        let text =
            "\(suspect.account.id)|\(suspect.device)|\(suspect.kind.word)|\(suspect.stake)|"
            + (suspect.account.email ?? "-")
        let rounds = max(1, Int(Double(Self.rounds) * effort))
        let fingerprint = digest(of: Array(text.utf8), rounds: rounds)
        var score = Float(fingerprint >> 48) / 65_536 * 0.3
        if suspect.stake.cents * 2 > suspect.account.stakeLimit.cents { score += 0.2 }
        if suspect.account.betsPlaced == 0 { score += 0.1 }
        if case .accumulator(let legs) = suspect.kind, legs.count > 5 { score += 0.2 }
        return min(score, 1)
    }

    /// A 64-bit digest, computed over and over so that it cannot be guessed cheaply.
    ///
    /// Not inlined, and measured by the thread's CPU clock: profiles are compared with the meter.
    /// The inner step is the one of FNV-1a (Fowler, Noll, Vo), with a rotation.
    @inline(never)
    func digest(of bytes: [UInt8], rounds: Int) -> UInt64 {
        let start = CPUClock.thread
        defer { meter.add(since: start) }
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for round in 0..<rounds {
            hash ^= UInt64(truncatingIfNeeded: round)
            for byte in bytes {
                hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
                hash = hash << 13 | hash >> 51
            }
        }
        return hash
    }
}
