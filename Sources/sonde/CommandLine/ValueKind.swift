// SPDX-License-Identifier: Apache-2.0
// The kinds of values on the command line: which are right, and how a shell completes them.

/// What values an option or argument takes.
package enum ValueKind: Sendable {
    /// Any text that is not empty.
    case text
    /// A file's path.
    case file
    /// A folder's path.
    case folder
    /// One of some words.
    case choice([String])
    /// A whole number within bounds.
    case integer(ClosedRange<Int>)
    /// A number within bounds.
    case decimal(ClosedRange<Double>)
    /// A share in percent, with or without its sign.
    case percent
    /// A point in time, as ``TimeExpression`` reads it.
    case time
    /// A length of time such as `30d`, or `never`.
    case lifetime
    /// A length of time such as `5m`.
    case duration
    /// A service's name or a whole selector.
    case selector
    /// A service's name.
    case service
    /// A program to run, with its arguments.
    case program

    /// What is wanted in place of `value`, in words; `nil` when it is right.
    package func want(insteadOf value: String) -> String? {
        switch self {
        case .text, .file, .folder, .selector, .service, .program:
            return value.isEmpty ? "a value that is not empty" : nil
        case .choice(let words):
            return words.contains(value) ? nil : Self.list(words)
        case .integer(let bounds):
            if let number = Int(value), bounds.contains(number) { return nil }
            return "a whole number from \(bounds.lowerBound) to \(bounds.upperBound)"
        case .decimal(let bounds):
            if let number = Double(value), bounds.contains(number) { return nil }
            return
                "a number from \(Self.short(bounds.lowerBound)) to \(Self.short(bounds.upperBound))"
        case .percent:
            if let share = Self.percent(value), (0...100).contains(share) { return nil }
            return "a share from 0 to 100 percent, such as 0.5"
        case .time:
            return TimeExpression(value) == nil ? TimeExpression.wanted : nil
        case .duration:
            return TimeExpression.duration(value) == nil
                ? "a length of time such as 30s, 5m or 2h" : nil
        case .lifetime:
            if value == "never" || TimeExpression.duration(value) != nil { return nil }
            return "a length of time such as 12h or 30d, or never"
        }
    }

    /// The number of a share such as `0.5` or `0.5%`.
    package static func percent(_ value: String) -> Double? {
        Double(value.hasSuffix("%") ? String(value.dropLast()) : value)
    }

    /// Words as a person lists them: `a, b or c`.
    package static func list(_ words: [String]) -> String {
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() ? String(Int(number)) : String(number)
    }
}
