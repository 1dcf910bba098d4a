// SPDX-License-Identifier: Apache-2.0
// A point in time and a closed range of them, in the units that the store and the APIs use.

/// A point in time: nanoseconds since the Unix epoch, UTC.
package struct Timestamp: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z; negative before it.
    package var unixNanoseconds: Int64

    /// A point in time from nanoseconds since the Unix epoch.
    package init(unixNanoseconds: Int64) {
        self.unixNanoseconds = unixNanoseconds
    }

    /// A point in time from milliseconds since the Unix epoch; saturates where the range ends.
    package init(unixMilliseconds: Int64) {
        let (product, overflow) = unixMilliseconds.multipliedReportingOverflow(by: 1_000_000)
        self.unixNanoseconds = overflow ? (unixMilliseconds < 0 ? .min : .max) : product
    }

    /// Milliseconds since the Unix epoch, rounded down.
    package var unixMilliseconds: Int64 {
        let (quotient, remainder) = unixNanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.unixNanoseconds < right.unixNanoseconds
    }

    /// The point `nanoseconds` later; saturates where the range ends.
    package func advanced(byNanoseconds nanoseconds: Int64) -> Timestamp {
        let (sum, overflow) = unixNanoseconds.addingReportingOverflow(nanoseconds)
        return Timestamp(unixNanoseconds: overflow ? (nanoseconds < 0 ? .min : .max) : sum)
    }
}

/// A range of time, both ends included, as Pyroscope's query API counts it.
package struct TimeRange: Hashable, Sendable {
    /// The first point of the range.
    package var from: Timestamp
    /// The last point of the range; not before ``from``.
    package var until: Timestamp

    /// A range, or `nil` when `until` lies before `from`.
    package init?(from: Timestamp, until: Timestamp) {
        guard from <= until else { return nil }
        self.from = from
        self.until = until
    }

    /// Whether the range holds this point.
    package func contains(_ time: Timestamp) -> Bool {
        from <= time && time <= until
    }
}
