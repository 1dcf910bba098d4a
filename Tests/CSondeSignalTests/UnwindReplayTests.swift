// SPDX-License-Identifier: Apache-2.0
// The unwinder on stacks from files, and on noise.

import CSondeSignal
import Testing

@Suite struct UnwindReplay {
    @Test func thereAreStacksToReplay() {
        #expect(StackFixture.all.count >= 25)
    }

    @Test(arguments: StackFixture.all)
    func aStackGivesItsFrames(fixture: StackFixture) {
        let (frames, end) = fixture.walk()
        #expect(frames == fixture.frames, "\(fixture.name)")
        #expect(end == fixture.end, "\(fixture.name)")
    }

    @Test func noCapacityMeansNoFrame() {
        var fixture = StackFixture.all[0]
        fixture.capacity = 0
        #expect(fixture.walk().frames.isEmpty)
    }

    @Test func noiseNeverEndsAWalkOutsideItsMemory() {
        // Any word of the window may be a frame pointer; the walk has to end, and with frames that
        // the window held.
        var random = SystemRandomNumberGenerator()
        for _ in 0..<5_000 {
            var fixture = StackFixture(name: "noise", text: "")
            fixture.low = 0x7f00_0000_1000
            fixture.words = (0..<32).map { _ in
                switch UInt8.random(in: 0..<4, using: &random) {
                case 0: fixture.low + UInt64.random(in: 0..<300, using: &random)
                case 1: fixture.low + UInt64.random(in: 0..<32, using: &random) * 8
                case 2: UInt64.random(in: 0x401000..<0x402000, using: &random)
                default: UInt64.random(in: .min ... .max, using: &random)
                }
            }
            fixture.registers = sonde_sig_registers(
                pc: 0x401000, sp: fixture.low,
                fp: fixture.low + UInt64.random(in: 0..<32, using: &random) * 8)
            let (frames, end) = fixture.walk()
            #expect((1...17).contains(frames.count), "each frame takes two words")
            #expect(frames.dropFirst().allSatisfy(fixture.words.contains))
            #expect(end != "depth" && end != "unreadable")
        }
    }
}
