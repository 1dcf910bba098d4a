// SPDX-License-Identifier: Apache-2.0
// Days in UTC, which the stores' files are named after.

package import SondeModel

/// A day in UTC, counted from 1970-01-01.
package struct UTCDay: Hashable, Comparable, Sendable {
    /// Days since 1970-01-01; negative before it.
    package var number: Int64

    private static let nanoseconds: Int64 = 86_400_000_000_000

    /// The day of a number.
    package init(number: Int64) { self.number = number }

    /// The day that holds a point in time.
    package init(of time: Timestamp) {
        let (quotient, remainder) = time.unixNanoseconds.quotientAndRemainder(
            dividingBy: Self.nanoseconds)
        number = remainder < 0 ? quotient - 1 : quotient
    }

    /// The day's first nanosecond; saturates where the range ends.
    var begin: Timestamp {
        let (begin, overflow) = number.multipliedReportingOverflow(by: Self.nanoseconds)
        return Timestamp(unixNanoseconds: overflow ? (number < 0 ? .min : .max) : begin)
    }

    /// The day's last nanosecond; saturates where the range ends.
    var end: Timestamp {
        let (next, overflow) = (number + 1).multipliedReportingOverflow(by: Self.nanoseconds)
        return Timestamp(unixNanoseconds: overflow ? (number < 0 ? .min : .max) : next - 1)
    }

    /// A day from its name, or `nil` when it is none.
    package init?(name: String) {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard name.utf8.count == 10, parts.count == 3, let year = Int64(parts[0]),
            let month = Int64(parts[1]), let day = Int64(parts[2]), (1...12).contains(month),
            (1...31).contains(day)
        else { return nil }
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil: years
        // begin in March, so that the leap day is the last of its year.
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        number =
            era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
        guard self.name == name else { return nil }  // 2026-02-31
    }

    /// The day as `2026-01-31`.
    package var name: String {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return [Self.digits(year, 4), Self.digits(month, 2), Self.digits(day, 2)]
            .joined(separator: "-")
    }

    package static func < (left: UTCDay, right: UTCDay) -> Bool { left.number < right.number }

    private static func digits(_ value: Int64, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
