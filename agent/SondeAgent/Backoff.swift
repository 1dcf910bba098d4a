// SPDX-License-Identifier: Apache-2.0
// How long to wait after a failure: exponential, with full jitter, or as the server says.

/// Counts failures in a row and tells how long to wait after each.
struct Backoff: Sendable {
    private let first: Double
    private let longest: Double
    private var failures = 0

    /// The longest wait that a server's `Retry-After` can cause, in seconds.
    static let longestRetryAfter = 600.0

    /// A backoff with its first and longest wait, in seconds.
    init(first: Double, longest: Double) {
        self.first = first
        self.longest = longest
    }

    /// Whether the last attempt failed.
    var isFailing: Bool { failures > 0 }

    /// Notes that an attempt worked.
    mutating func succeed() { failures = 0 }

    /// Notes that an attempt failed.
    ///
    /// - Parameter retryAfter: The seconds that the server asked to wait, if it did.
    /// - Returns: The seconds to wait: never less than asked for, and spread at random so that many
    ///   agents do not come back at once.
    mutating func fail(retryAfter: Double? = nil) -> Double {
        failures = min(failures + 1, 32)
        var limit = first
        for _ in 1..<failures where limit < longest { limit *= 2 }
        let jitter = Double.random(in: 0...min(limit, longest))
        return min(max(retryAfter ?? 0, 0), Self.longestRetryAfter) + jitter
    }

    /// The seconds that a `Retry-After` field asks for, or `nil` when it is none.
    ///
    /// - Parameters:
    ///   - value: Seconds, or a date such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    ///   - unixNow: The time now, in seconds since the Unix epoch.
    /// - Returns: Seconds from now, not negative.
    static func seconds(ofRetryAfter value: String, unixNow: Double) -> Double? {
        if let seconds = Double(value), seconds.isFinite { return max(0, seconds) }
        let parts = value.split(whereSeparator: { " ,:".contains($0) })
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        guard parts.count == 8, parts[7] == "GMT", let day = Int(parts[1]),
            let month = months.firstIndex(of: String(parts[2])), let year = Int(parts[3]),
            let hour = Int(parts[4]), let minute = Int(parts[5]), let second = Int(parts[6]),
            (1970...9999).contains(year), (1...31).contains(day), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        // Days since the epoch in the Gregorian calendar, counting years from March.
        let shifted = month < 2 ? year - 1 : year
        let dayOfYear = (153 * ((month + 10) % 12) + 2) / 5 + day - 1
        let days = 365 * shifted + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return max(0, Double(days * 86_400 + hour * 3600 + minute * 60 + second) - unixNow)
    }
}
