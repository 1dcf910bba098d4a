// SPDX-License-Identifier: Apache-2.0
// Reads points in time, ranges and steps as people and programs write them in a query.

package import SondeModel

/// Reads `now`, `now-1h` and Unix milliseconds.
package enum TimeExpression {
    /// Seconds of each unit.
    private static let units: [Character: Int64] = [
        "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800,
    ]

    /// Reads a point in time.
    ///
    /// - Parameters:
    ///   - text: Unix milliseconds, `now`, or `now` with a sum of amounts after a sign:
    ///     `now-1h`, `now-1h30m`, `now+5s`.
    ///   - now: What `now` means.
    /// - Returns: The point; saturates where the range ends.
    /// - Throws: ``QueryError`` that says what is wrong.
    package static func parse(_ text: String, now: Timestamp) throws(QueryError) -> Timestamp {
        let trimmed = text.trimmingSpaces()
        if trimmed == "now" { return now }
        guard trimmed.hasPrefix("now") else {
            guard let milliseconds = Int64(trimmed) else { throw unreadable(text) }
            return Timestamp(unixMilliseconds: milliseconds)
        }
        var rest = trimmed.dropFirst(3)
        guard let sign = rest.popFirst(), sign == "-" || sign == "+", !rest.isEmpty else {
            throw unreadable(text)
        }
        var seconds: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            // Nine digits keep the sum far from overflow, whatever the unit.
            guard digits.count <= 9, let amount = Int64(digits), let unit = rest.popFirst(),
                let length = units[unit]
            else { throw unreadable(text) }
            seconds = min(seconds + amount * length, 9_000_000_000)
        }
        return now.advanced(
            byNanoseconds: (sign == "-" ? -seconds : seconds) * 1_000_000_000)
    }

    /// Reads a range.
    ///
    /// - Parameters:
    ///   - from: The first point; absent or empty is `now-1h`.
    ///   - until: The last point; absent or empty is `now`.
    ///   - now: What `now` means.
    /// - Returns: The range.
    /// - Throws: ``QueryError`` that says what is wrong, also when the range ends before it begins.
    package static func range(
        from: String?, until: String?, now: Timestamp
    ) throws(QueryError) -> TimeRange {
        let from = from.flatMap { $0.isEmpty ? nil : $0 } ?? "now-1h"
        let until = until.flatMap { $0.isEmpty ? nil : $0 } ?? "now"
        var last = try parse(until, now: now)
        // Milliseconds are rounded down, so the last one is meant as a whole.
        if !until.contains("now") { last = last.advanced(byNanoseconds: 999_999) }
        guard let range = TimeRange(from: try parse(from, now: now), until: last) else {
            throw QueryError(
                .invalidArgument,
                "cannot read time range: got from=\(from) after until=\(until); "
                    + "want from before until")
        }
        return range
    }

    private static func unreadable(_ text: String) -> QueryError {
        QueryError(
            .invalidArgument,
            "cannot read time: got \"\(text.prefix(60))\"; want Unix milliseconds, now, or now-1h "
                + "(units s, m, h, d, w)")
    }
}

extension String {
    fileprivate func trimmingSpaces() -> String {
        var rest = self[...]
        while rest.first == " " { rest = rest.dropFirst() }
        while rest.last == " " { rest = rest.dropLast() }
        return String(rest)
    }
}
