// SPDX-License-Identifier: Apache-2.0
// The times of `from` and `until`, as Pyroscope's older clients write them ("attime").

package import SondeModel

/// Reads the times of `/ingest` and `/render`.
///
/// Digits alone are a date (`20260131`, midnight UTC) when there are eight of them and they are
/// one, else Unix milliseconds (13 digits), microseconds (16), nanoseconds (19) or seconds. All
/// else is the present, with terms such as `-1h30min` added: `now-1h`, `+5s`.
package enum AttimeExpression {
    /// The point in time that a text means; no text is wrong, because clients rely on it.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - now: The present.
    /// - Returns: The point in time; saturates where the range ends.
    package static func time(_ text: String, now: Timestamp) -> Timestamp {
        let bytes = text.utf8.filter { byte in !"_, ".utf8.contains(byte) }
        guard !bytes.isEmpty else { return now }
        if bytes.allSatisfy(isDigit) { return absolute(bytes) ?? now }
        guard let sign = bytes.firstIndex(where: { $0 == plus || $0 == minus }) else { return now }
        let seconds = offset(bytes[(sign + 1)...])
        let signed = bytes[sign] == minus ? -seconds : seconds
        let (product, overflow) = signed.multipliedReportingOverflow(by: 1_000_000_000)
        return now.advanced(byNanoseconds: overflow ? (signed < 0 ? .min : .max) : product)
    }

    private static let plus = UInt8(ascii: "+")
    private static let minus = UInt8(ascii: "-")

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func absolute(_ digits: [UInt8]) -> Timestamp? {
        if digits.count == 8, let midnight = date(digits) { return midnight }
        guard let number = Int64(String(decoding: digits, as: UTF8.self)) else { return nil }
        let factor: Int64 =
            switch digits.count {
            case 13: 1_000_000
            case 16: 1000
            case 19: 1
            default: 1_000_000_000
            }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return Timestamp(unixNanoseconds: overflow ? .max : product)
    }

    /// Midnight of `YYYYMMDD`; `nil` when there is no such day after 1900.
    private static func date(_ digits: [UInt8]) -> Timestamp? {
        let values = digits.map { Int64($0 - UInt8(ascii: "0")) }
        let year = values[0] * 1000 + values[1] * 100 + values[2] * 10 + values[3]
        let month = values[4] * 10 + values[5]
        let day = values[6] * 10 + values[7]
        guard year > 1900, (1...12).contains(month), day >= 1,
            day <= days(in: month, of: year)
        else { return nil }
        // Days since 1970-03-01-based years: H. Hinnant, "chrono-compatible low-level date
        // algorithms", days_from_civil.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let (product, overflow) = (era * 146_097 + dayOfEra - 719_468)
            .multipliedReportingOverflow(by: 86_400_000_000_000)
        return overflow ? nil : Timestamp(unixNanoseconds: product)
    }

    private static func days(in month: Int64, of year: Int64) -> Int64 {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// The seconds of terms such as `1h30min`; what is none ends them.
    private static func offset(_ terms: ArraySlice<UInt8>) -> Int64 {
        var rest = terms
        var sum: Int64 = 0
        while !rest.isEmpty {
            let digits = rest.prefix(while: isDigit)
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !isDigit($0) }
            rest = rest.dropFirst(unit.count)
            guard let seconds = seconds(of: String(decoding: unit, as: UTF8.self)) else { break }
            let count =
                Int64(String(decoding: digits, as: UTF8.self)) ?? (digits.isEmpty ? 0 : .max)
            let (product, overflow) = count.multipliedReportingOverflow(by: seconds)
            let (next, tooFar) = sum.addingReportingOverflow(overflow ? .max : product)
            sum = tooFar ? .max : next
        }
        return sum
    }

    private static func seconds(of unit: String) -> Int64? {
        if unit == "M" || unit.hasPrefix("mon") { return 30 * 86_400 }
        if unit == "m" || unit.hasPrefix("min") { return 60 }
        return switch unit.first {
        case "s": 1
        case "h": 3600
        case "d": 86_400
        case "w": 7 * 86_400
        case "y": 365 * 86_400
        default: nil
        }
    }
}
