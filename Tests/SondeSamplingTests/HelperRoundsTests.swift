// SPDX-License-Identifier: Apache-2.0
// How often the helper thread does what costs something.

import Testing

@testable import SondeSampling

struct HelperRoundsTests {
    @Test(arguments: [0, 1, 4, 50, 200, 1000, 2000])
    func listingThreadsCostsTheSameSmallShareHoweverManyThereAre(threads: Int) {
        let pause = HelperRounds.scanEvery(threads: threads)
        let cost = Double(threads) * 1500
        #expect(cost / Double(pause) <= 0.0003)
        // A thread that took another one's place is seen soon where there are few.
        #expect(pause <= 500_000_000 + Int64(threads) * 5_000_000)
    }

    @Test func theNumberOfThreadsCannotMakeThePauseEndlessOrNone() {
        #expect(HelperRounds.scanEvery(threads: .max) == 10_500_000_000)
        #expect(HelperRounds.scanEvery(threads: -1) == 500_000_000)
    }
}
