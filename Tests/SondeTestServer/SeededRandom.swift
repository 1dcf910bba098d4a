// SPDX-License-Identifier: Apache-2.0
// Random numbers that a test can have again.

/// A generator whose numbers follow from its seed (SplitMix64).
package struct SeededRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// A generator; the same seed gives the same numbers.
    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// True in about so many of a hundred cases.
    package mutating func happens(percent: Int) -> Bool {
        Int(next() % 100) < percent
    }
}
