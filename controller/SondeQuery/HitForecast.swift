// SPDX-License-Identifier: Apache-2.0
// How often a line is passed, and what a probe on it would cost, judged by samples of CPU time.

/// How often a line is passed, and what a log point on it would cost, in one instance.
///
/// Samples tell how long a line's own instructions run, not how often. The time of one pass follows
/// from how much code the line has, at the pace of a core that waits for little; a line that waits
/// for memory is passed less often than this says, and one of which a pass runs only a part, more
/// often. So the forecast is an order of magnitude, good for the question whether a probe is harmless.
package struct HitForecast: Hashable, Sendable {
    /// Passes in each second of wall time.
    package var hitsPerSecond: Double
    /// The cost of a log point there, as a share of one core: 0.01 is a hundredth.
    package var share: Double

    /// Nanoseconds of a byte of code: four bytes an instruction, and three instructions a nanosecond.
    static let nanosecondsPerByte = 1.0 / 12
    /// The shortest pass, in nanoseconds: no line is passed more than once in a few cycles.
    static let shortestPass = 1.0
    /// What a hit costs that is over its limit or whose condition is false: `Benchmarks/ProbeHit`.
    static let nanosecondsPerHit = 40.0
    /// What is added by a hit that makes a line, with two strings: `Benchmarks/ProbeMachine`.
    static let nanosecondsPerLine = 2_500.0

    /// A forecast; `nil` when there is nothing to judge by.
    ///
    /// - Parameters:
    ///   - ownNanoseconds: CPU time of the line's own instructions.
    ///   - seconds: The wall time of all profiles, in which that was seen.
    ///   - codeBytes: The bytes of the line's code in all copies.
    ///   - copies: How often the line's code stands in the image.
    ///   - linesPerSecond: The limit of lines.
    package init?(
        ownNanoseconds: Int64, seconds: Double, codeBytes: UInt64, copies: UInt64,
        linesPerSecond: Double = 100
    ) {
        guard ownNanoseconds > 0, seconds > 0, codeBytes > 0, copies > 0 else { return nil }
        let pass = Double(codeBytes) / Double(copies) * Self.nanosecondsPerByte
        hitsPerSecond = Double(ownNanoseconds) / seconds / max(pass, Self.shortestPass)
        let lines = min(hitsPerSecond, linesPerSecond)
        share = (hitsPerSecond * Self.nanosecondsPerHit + lines * Self.nanosecondsPerLine) / 1e9
    }
}
