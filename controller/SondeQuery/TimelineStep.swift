// SPDX-License-Identifier: Apache-2.0
// How long one step of a timeline is.

package import SondeModel

/// The length of a timeline's steps.
package enum TimelineStep {
    /// The lengths to choose from, in seconds: each divides a day or is made of days.
    private static let rounded: [Int64] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200,
        86_400, 172_800, 604_800,
    ]
    /// The most points that a timeline of a chosen step has: an hour in steps of 10 s.
    private static let wantedPoints: Int64 = 360
    /// The most points that may be asked for.
    package static let maximumPoints: Int64 = 11_000

    /// A round length that gives about 300 points, in nanoseconds.
    package static func choose(for range: TimeRange) -> Int64 {
        let seconds = Self.seconds(of: range)
        let step = rounded.first { seconds / $0 <= wantedPoints } ?? seconds / wantedPoints
        return max(1, step) * 1_000_000_000
    }

    /// Reads a length in seconds.
    ///
    /// - Parameters:
    ///   - text: Seconds, with a fraction if need be (`0.5`), or nothing for a chosen length.
    ///   - range: The range that the timeline covers.
    /// - Returns: The length in nanoseconds, at least a millisecond.
    /// - Throws: ``QueryError`` when it is no length, or would give more than ``maximumPoints``.
    package static func parse(_ text: String?, for range: TimeRange) throws(QueryError) -> Int64 {
        guard let text, !text.isEmpty else { return choose(for: range) }
        guard let seconds = Double(text), seconds >= 0.001, seconds <= 1e9 else {
            throw QueryError(
                .invalidArgument,
                "cannot read step: got \"\(text.prefix(60))\"; want seconds, at least 0.001")
        }
        let points = Double(Self.seconds(of: range)) / seconds
        guard points <= Double(maximumPoints) else {
            throw QueryError(
                .invalidArgument,
                "cannot read step: got \(text) s, which gives \(Int64(points)) points; "
                    + "want at most \(maximumPoints)")
        }
        return Int64(seconds * 1_000) * 1_000_000
    }

    private static func seconds(of range: TimeRange) -> Int64 {
        let (length, overflow) = range.until.unixNanoseconds.subtractingReportingOverflow(
            range.from.unixNanoseconds)
        return (overflow ? .max : length) / 1_000_000_000
    }
}
