// SPDX-License-Identifier: Apache-2.0
// A fixed amount of the service's work without HTTP, for comparing what it costs.

import Glibc
import SondeAgent
import Synchronization

/// Places a number of bets from several threads, then says what it cost.
struct FixedWork: Sendable {
    let house: BettingHouse
    let threads: Int
    let rounds: Int

    func run(_ journal: Journal, agent: Sonde?) {
        let before = Self.usage
        let next = Counter()
        let workers = (1...threads).compactMap { number in
            NativeThread(name: "busy-\(number)") {
                while let round = next.take(below: rounds) { place(round) }
            }
        }
        for worker in workers { worker.join() }
        let after = Self.usage
        journal.write(
            "work",
            [
                ("rounds", .number(Double(rounds))),
                ("cpuSeconds", .number(after.cpu - before.cpu)),
                ("userSeconds", .number(after.user - before.user)),
                ("maximumResidentKiB", .number(after.residentKiB)),
                ("cpu", house.meters.json(processStart: 0)),
                ("agent", agent?.status.json ?? .null),
            ])
    }

    /// Bet number `round`: the same one in every run.
    private func place(_ round: Int) {
        let market = MarketID(number: Int32(round % 59 + 1))
        guard let snapshot = house.catalog.snapshot(of: market) else { return }
        let selection = round % snapshot.selections.count
        let user = UserID(number: round % 1000 + 1)
        let request = BetRequest(
            user: user, stake: Money(cents: 1), kind: "single", legs: [(market, selection)],
            device: "bench-\(round % 7)", note: nil)
        // Every fortieth round ends a market, so that the book stays small.
        if round % 40 == 39 {
            let settlement = house.settlement
            _ = AsyncBridge.wait { await settlement.settle(market, winner: selection) }
        }
        _ = try? house.place(request)
    }

    private static var usage: (cpu: Double, user: Double, residentKiB: Double) {
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        let user = Double(usage.ru_utime.tv_sec) + Double(usage.ru_utime.tv_usec) / 1e6
        let system = Double(usage.ru_stime.tv_sec) + Double(usage.ru_stime.tv_usec) / 1e6
        return (user + system, user, Double(usage.ru_maxrss))
    }

    /// Hands out the numbers from 0 on, each once.
    private final class Counter: Sendable {
        private let next = Atomic<Int>(0)

        func take(below end: Int) -> Int? {
            let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
            return number < end ? number : nil
        }
    }
}
