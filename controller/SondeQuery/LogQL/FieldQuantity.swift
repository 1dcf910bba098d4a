// SPDX-License-Identifier: Apache-2.0
// Numbers, durations and sizes, as they stand in queries and in the fields of lines.

/// An amount that fields are compared with.
struct FieldQuantity: Hashable, Sendable {
    /// What kind of amount it is: a field is read as the same kind.
    enum Kind: String, Sendable {
        case number = "a number such as 1.5"
        case duration = "a duration such as 1.5s"
        case size = "a size such as 10KB or 1MiB"

        /// What a text says as this kind, in seconds or bytes; `nil` when it is none.
        func read(_ text: String) -> Double? {
            switch self {
            case .number: FieldQuantity.number(text[...])
            case .duration: FieldQuantity.duration(text[...])
            case .size: FieldQuantity.size(text[...])
            }
        }
    }

    let kind: Kind
    let value: Double

    /// The amount that a word of a query says.
    init?(_ word: String) {
        for kind in [Kind.number, .duration, .size] {
            guard let value = kind.read(word) else { continue }
            (self.kind, self.value) = (kind, value)
            return
        }
        return nil
    }

    private static func number(_ text: Substring) -> Double? {
        guard text.utf8.count <= 64, let value = Double(text), value.isFinite else { return nil }
        return value
    }

    private static let seconds: [String: Double] = [
        "ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1, "m": 60, "h": 3600,
        "d": 86_400, "w": 604_800, "y": 31_536_000,
    ]

    /// Amounts with units one after another: `1h30m`, `-1.5s`.
    static func duration(_ text: Substring) -> Double? {
        var rest = text
        let sign: Double = rest.first == "-" ? -1 : 1
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        guard !rest.isEmpty, rest.utf8.count <= 64 else { return nil }
        if rest == "0" { return 0 }
        var sum = 0.0
        while !rest.isEmpty {
            let digits = rest.prefix(while: isDigitOrDot)
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { !isDigitOrDot($0) }
            rest = rest.dropFirst(unit.count)
            guard let amount = number(digits), let factor = seconds[String(unit)] else {
                return nil
            }
            sum += amount * factor
        }
        return sign * sum
    }

    private static let factors: [String: Double] = [
        "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15, "eb": 1e18, "kib": 1024,
        "mib": 1_048_576, "gib": 1_073_741_824, "tib": 1_099_511_627_776,
        "pib": 1_125_899_906_842_624, "eib": 1_152_921_504_606_846_976, "": 1, "k": 1e3, "m": 1e6,
        "g": 1e9, "t": 1e12,
    ]

    /// An amount with a unit: `10KB` is 10000 bytes, `1MiB` 1048576.
    private static func size(_ text: Substring) -> Double? {
        let digits = text.prefix(while: isDigitOrDot)
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard unit.utf8.count <= 3, let amount = number(digits),
            let factor = factors[unit.lowercased()]
        else { return nil }
        return amount * factor
    }

    private static func isDigitOrDot(_ character: Character) -> Bool {
        character == "." || ("0"..."9").contains(character)
    }
}
