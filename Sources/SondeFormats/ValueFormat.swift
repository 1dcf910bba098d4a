// SPDX-License-Identifier: Apache-2.0
// Writes a profile's values and shares for people, by unit.

/// Writes values of one unit for people: `1.23 s`, `4.0 MiB`, `12345`.
package struct ValueFormat: Hashable, Sendable {
    /// The unit as a profile type states it, such as `nanoseconds`, `bytes` or `count`.
    package var unit: String

    /// A format for values of a unit.
    package init(unit: String) { self.unit = unit }

    /// A value with its unit; counts have none.
    ///
    /// Times have three significant digits from nanoseconds to hours, bytes one decimal and binary
    /// prefixes. Values of units that are not known are written as they are.
    package func string(_ value: Int64) -> String {
        switch unit {
        case "nanoseconds", "ns", "nanosecond": Self.time(Double(value))
        case "microseconds", "us", "microsecond": Self.time(Double(value) * 1e3)
        case "milliseconds", "ms", "millisecond": Self.time(Double(value) * 1e6)
        case "seconds", "s", "second": Self.time(Double(value) * 1e9)
        case "bytes", "byte", "B": Self.bytes(value)
        case "count", "": String(value)
        default: "\(value) \(unit)"
        }
    }

    /// A part of a whole in percent with one decimal, such as `12.3%`, and `0.0%` of nothing.
    package static func share(_ part: Int64, of whole: Int64) -> String {
        guard whole != 0 else { return "0.0%" }
        return decimal(Double(part) / Double(whole) * 100, places: 1) + "%"
    }

    private static let timeUnits: [(size: Double, name: String)] = [
        (3600e9, "h"), (60e9, "min"), (1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1, "ns"),
    ]

    private static func time(_ nanoseconds: Double) -> String {
        let size = abs(nanoseconds)
        // 0.9995 of a unit would be written as 1000 of the one below.
        let unit = timeUnits.first { size >= $0.size * 0.9995 } ?? (1, "ns")
        let value = nanoseconds / unit.size
        let places = unit.size == 1 || abs(value) >= 99.95 ? 0 : abs(value) >= 9.995 ? 1 : 2
        return decimal(value, places: places) + " " + unit.name
    }

    private static func bytes(_ bytes: Int64) -> String {
        guard abs(Double(bytes)) >= 1023.5 else { return "\(bytes) B" }
        var value = Double(bytes) / 1024
        var prefixes = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"][...]
        while abs(value) >= 1023.95, prefixes.count > 1 {
            value /= 1024
            prefixes.removeFirst()
        }
        return decimal(value, places: 1) + " " + (prefixes.first ?? "")
    }

    /// A number with so many digits after its point, 0...3, rounded half away from zero.
    static func decimal(_ value: Double, places: Int) -> String {
        let scale = [1, 10, 100, 1000][min(max(places, 0), 3)]
        let scaled = (abs(value) * Double(scale)).rounded()
        // Beyond this, Double has no decimals left; and it must not leave Int64's range.
        guard scaled < 9e15 else { return "\(value)" }
        let number = Int64(scaled)
        let sign = value < 0 && number != 0 ? "-" : ""
        guard places > 0 else { return sign + String(number) }
        let fraction = String(number % Int64(scale))
        let zeros = String(repeating: "0", count: max(0, places - fraction.utf8.count))
        return "\(sign)\(number / Int64(scale)).\(zeros)\(fraction)"
    }
}
