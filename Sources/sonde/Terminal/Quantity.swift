// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them, where they are no profile's values: counts, decimals, points in time.

internal import Glibc
internal import SondeFormats

/// Numbers in words.
package enum Quantity {
    /// A number with its thousands apart.
    package static func count(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        var text = number < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(" ") }
            text.append(digit)
        }
        return text
    }

    /// A number of things: `1 profile`, `1 234 profiles`.
    package static func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        count(Int64(number)) + " " + (number == 1 ? one : many ?? one + "s")
    }

    /// A number with a fixed count of decimal places.
    package static func decimal(_ number: Double, places: Int) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return String(number) }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((abs(number) * scale).rounded())
        let sign = number < 0 && scaled != 0 ? "-" : ""
        guard places > 0 else { return sign + String(scaled) }
        let fraction = String(scaled % Int64(scale))
        let zeros = String(repeating: "0", count: places - fraction.count)
        return sign + String(scaled / Int64(scale)) + "." + zeros + fraction
    }

    /// How long ago a point in time was: `3 s ago`.
    package static func ago(milliseconds: Int64, now: Int64) -> String {
        let (difference, overflow) = now.subtractingReportingOverflow(milliseconds)
        let seconds = overflow ? 0 : max(0, difference / 1000)
        if seconds < 120 { return "\(seconds) s ago" }
        if seconds < 7200 { return "\(seconds / 60) min ago" }
        return seconds < 172_800 ? "\(seconds / 3600) h ago" : "\(seconds / 86_400) d ago"
    }

    /// A point in time on this machine's clock: `2026-01-31 09:30:15`.
    package static func clock(milliseconds: Int64) -> String {
        var seconds = time_t(milliseconds / 1000)
        var fields = tm()
        // Safety: both point to locals that outlive the call.
        guard localtime_r(&seconds, &fields) != nil else { return "\(milliseconds) ms" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(fields.tm_year + 1900)-\(two(fields.tm_mon + 1))-\(two(fields.tm_mday))"
        return "\(date) \(two(fields.tm_hour)):\(two(fields.tm_min)):\(two(fields.tm_sec))"
    }

    /// Milliseconds since the Unix epoch, now.
    package static func nowMilliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}

extension Outlet {
    /// A profile's value by its unit, in characters that this outlet shows.
    package func value(_ value: Int64, unit: String) -> String {
        let text = ValueFormat(unit: unit).string(value).forTerminal
        return hasUnicode ? text : String(text.map { $0 == "µ" ? "u" : $0 })
    }
}
