// SPDX-License-Identifier: Apache-2.0
// Points in time as people type them, turned into what the controller's API takes.

internal import Glibc

/// A point in time: `1h` (ago), `now`, `now-1h`, Unix milliseconds, or a date with or without a time.
package struct TimeExpression: Hashable, Sendable {
    /// What the API takes: `now`, `now-1h` or Unix milliseconds.
    package var parameter: String

    /// What is wanted of a value that is none.
    package static let wanted =
        "a time such as 15m, 2h, 7d (ago), now, 2026-01-31, 2026-01-31T09:30, 2026-01-31T09:30Z"
        + " or Unix milliseconds"

    /// A point in time from what a person typed; `nil` when it is none.
    package init?(_ text: String) {
        if text == "now" {
            parameter = text
        } else if text.hasPrefix("now-"), Self.duration(String(text.dropFirst(4))) != nil {
            parameter = text
        } else if Self.duration(text) != nil {
            parameter = "now-" + text
        } else if text.count >= 9, text.utf8.allSatisfy({ (48...57).contains($0) }),
            Int64(text) != nil
        {
            parameter = text
        } else if let milliseconds = Self.calendar(text) {
            parameter = String(milliseconds)
        } else {
            return nil
        }
    }

    /// The milliseconds of a length of time such as `90s`, `15m`, `2h`, `7d`, `1w`.
    package static func duration(_ text: String) -> Int64? {
        let units: [Character: Int64] = [
            "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000,
        ]
        guard let last = text.last, let unit = units[last] else { return nil }
        let digits = text.dropLast()
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let count = Int64(digits)
        else { return nil }
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }

    /// Reads `2026-01-31`, `2026-01-31T09:30`, `2026-01-31T09:30:15`, each local, or with `Z` or
    /// `+02:00` at the end.
    private static func calendar(_ text: String) -> Int64? {
        var rest = Substring(text)
        var fields = tm()
        guard let year = number(&rest, digits: 4), eat(&rest, "-"),
            let month = number(&rest, digits: 2), eat(&rest, "-"),
            let day = number(&rest, digits: 2),
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        fields.tm_year = Int32(year - 1900)
        fields.tm_mon = Int32(month - 1)
        fields.tm_mday = Int32(day)
        fields.tm_isdst = -1
        if eat(&rest, "T") || eat(&rest, " ") {
            guard let hour = number(&rest, digits: 2), eat(&rest, ":"),
                let minute = number(&rest, digits: 2), hour < 24, minute < 60
            else { return nil }
            fields.tm_hour = Int32(hour)
            fields.tm_min = Int32(minute)
            if eat(&rest, ":") {
                guard let second = number(&rest, digits: 2), second < 61 else { return nil }
                fields.tm_sec = Int32(second)
            }
        }
        guard let seconds = seconds(of: &fields, zone: rest) else { return nil }
        guard fields.tm_mday == day, fields.tm_mon == month - 1 else { return nil }  // 31 February
        return Int64(seconds) * 1000
    }

    private static func seconds(of fields: inout tm, zone: Substring) -> Int? {
        if zone.isEmpty { return mktime(&fields) }
        if zone == "Z" { return timegm(&fields) }
        var rest = zone
        let sign: Int
        if eat(&rest, "+") { sign = 1 } else if eat(&rest, "-") { sign = -1 } else { return nil }
        guard let hours = number(&rest, digits: 2), eat(&rest, ":"),
            let minutes = number(&rest, digits: 2), rest.isEmpty, hours < 24, minutes < 60
        else { return nil }
        return timegm(&fields) - sign * (hours * 3600 + minutes * 60)
    }

    private static func number(_ text: inout Substring, digits: Int) -> Int? {
        let head = text.prefix(digits)
        guard head.count == digits, head.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return nil
        }
        text = text.dropFirst(digits)
        return Int(head)
    }

    private static func eat(_ text: inout Substring, _ mark: Character) -> Bool {
        guard text.first == mark else { return false }
        text = text.dropFirst()
        return true
    }
}
