// SPDX-License-Identifier: Apache-2.0
// The C machine against the plain one: the same programs, the same memory, the same ends.

import CSondeProbe
import Glibc
import SondeProbeProgram
import Testing

extension MachineSuites {
    @Suite struct Differential {
        init() { TestProbe.start() }

        @Test func bothMachinesAgreeOnRandomPrograms() throws {
            let landscape = try Landscape(pages: [100, 101, 103, 200])
            var random = SeededRandom(5)
            for page in landscape.pages {
                // Few different bytes, so that texts are often equal; and zeros that end them.
                let bytes = (0..<4096).map { _ in
                    random.next() % 40 == 0 ? 0 : UInt8(0x61 + random.next() % 2)
                }
                landscape.store(bytes, at: page * 4096)
            }
            let offsets = [
                100 * 4096, 100 * 4096 + 50, 102 * 4096 - 9, 102 * 4096 - 200, 103 * 4096 - 40,
                103 * 4096, 104 * 4096 - 1, 200 * 4096 + 64, 201 * 4096 - 100, 300 * 4096,
            ]
            let addresses = offsets.map { landscape.start + UInt64($0) }
            var ends: [UInt32: Int] = [:]
            var refused = 0
            let repetitions = 6000
            for seed in 0..<UInt64(repetitions) {
                let image = RandomProgram.image(seed, addresses: addresses)
                do {
                    _ = try compare(image, landscape, seed, &ends)
                } catch let error as ProgramError {
                    // Too expensive programs happen; wrong ones must not.
                    #expect(error.code == .tooLarge, "seed \(seed): \(error)")
                    refused += 1
                }
            }
            #expect(refused < repetitions / 5)
            for outcome in [
                SONDE_COMMITTED, SONDE_CONDITION_FALSE, SONDE_CONDITION_ERROR, SONDE_DROPPED,
            ] {
                #expect(ends[outcome.rawValue, default: 0] > repetitions / 100, "\(ends)")
            }
        }

        private func compare(
            _ image: ImageProgram, _ landscape: Landscape, _ seed: UInt64,
            _ ends: inout [UInt32: Int]
        ) throws {
            var random = SeededRandom(seed ^ 0xFFFF)
            var registers = (0..<17).map { _ in random.next() >> (random.next() % 64) }
            registers[7] = TestProbe.stackPointer()
            let vectors = (0..<16).map { _ in
                (Double(Int32(truncatingIfNeeded: random.next())).bitPattern, random.next())
            }
            var reference = ReferenceMachine(
                image, landscape, registers: registers, vectors: vectors)
            let probe = try TestProbe(image)
            let expected = reference.run()
            let result = probe.run(registers, vectors: vectors)
            ends[expected.outcome.rawValue, default: 0] += 1
            let text = { "seed \(seed)\n\(CodeText.text(of: image.code))" }
            try #require(result.outcome == expected.outcome, "\(text())")
            try #require(result.detail == expected.detail, "\(text())")
            try #require(result.body == expected.body, "\(text())")
            try #require(result.steps == reference.steps, "\(text())")
            #expect(result.steps <= UInt64(probe.cost.steps), "\(text())")
            #expect(result.bytesRead <= UInt64(probe.cost.bytesRead), "\(text())")
            #expect((result.body?.count ?? 0) <= probe.cost.recordBytes, "\(text())")
        }
    }
}
