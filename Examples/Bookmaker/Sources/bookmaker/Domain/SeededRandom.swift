// SPDX-License-Identifier: Apache-2.0
// Random numbers that repeat with the same seed, so that two runs do the same work.

/// The generator xorshift64*, whose whole state is one word.
///
/// Source: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016.
struct SeededRandom: Sendable {
    private var state: UInt64

    init(seed: UInt64) {
        // Spreads small seeds over the word; the state must not be zero.
        state = (seed &+ 0x9E37_79B9_7F4A_7C15) &* 0xBF58_476D_1CE4_E5B9 | 1
    }

    /// Inlined wherever it is used: profiles show it as an inlined frame.
    @inline(__always)
    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_F491_4F6C_DD1D
    }

    /// A number in 0..<1.
    @inline(__always)
    mutating func nextUnit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
