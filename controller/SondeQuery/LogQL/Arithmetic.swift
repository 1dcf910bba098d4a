// SPDX-License-Identifier: Apache-2.0
// Arithmetic of numbers and of `vector(n)`: the part of LogQL's metric queries that asks no store.

internal import Glibc

/// Evaluates expressions of numbers, `vector(n)`, brackets and `+ - * / % ^`.
package enum Arithmetic {
    /// What an expression is worth.
    package struct Value: Hashable, Sendable {
        /// The number.
        package var number: Double
        /// Whether a vector was among what it was made of: then it is a vector of one sample.
        package var isVector: Bool

        /// The number as Loki writes it.
        package var text: String { Arithmetic.text(of: number) }
    }

    /// A number as Loki writes it: the shortest digits that tell it apart, without an exponent.
    package static func text(of number: Double) -> String {
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Inf" : "+Inf" }
        if number == number.rounded(), abs(number) < 1e15 { return String(Int64(number)) }
        let parts = number.magnitude.description.split(separator: "e")
        guard parts.count == 2, let exponent = Int(parts[1]) else {
            // Without an exponent, a whole number has ".0" at its end.
            let text = number.description
            return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
        }
        let mantissa = parts[0].split(separator: ".")
        let whole = mantissa.first ?? ""
        let fraction = mantissa.count > 1 && mantissa[1] != "0" ? mantissa[1] : ""
        let digits = String(whole + fraction)
        let point = whole.count + exponent  // how many digits stand before the point
        let text: String
        if point <= 0 {
            text = "0." + String(repeating: "0", count: -point) + digits
        } else if point >= digits.count {
            text = digits + String(repeating: "0", count: point - digits.count)
        } else {
            text = digits.prefix(point) + "." + digits.dropFirst(point)
        }
        return (number < 0 ? "-" : "") + text
    }

    /// What an expression is worth.
    ///
    /// - Parameter text: The expression.
    /// - Returns: Its value.
    /// - Throws: ``QueryError`` that names the place, also for metric queries over lines.
    package static func evaluate(_ text: String) throws(QueryError) -> Value {
        var parser = ArithmeticParser(scanner: try SelectorParser(text, what: "LogQL"))
        let value = try parser.sum()
        guard parser.isAtEnd else { throw parser.scanner.unexpected(want: "one of + - * / % ^") }
        return value
    }
}

/// Reads and evaluates in one go.
private struct ArithmeticParser {
    var scanner: SelectorParser
    private var depth = 0

    init(scanner: SelectorParser) { self.scanner = scanner }

    var isAtEnd: Bool {
        mutating get {
            scanner.skipSpace()
            return scanner.peek() == nil
        }
    }

    mutating func sum() throws(QueryError) -> Arithmetic.Value {
        var value = try product()
        while let operation = take("+-") {
            value = combine(value, operation, try product())
        }
        return value
    }

    private mutating func product() throws(QueryError) -> Arithmetic.Value {
        var value = try power()
        while let operation = take("*/%") {
            value = combine(value, operation, try power())
        }
        return value
    }

    /// The only operation that binds to the right.
    private mutating func power() throws(QueryError) -> Arithmetic.Value {
        let base = try operand()
        guard let operation = take("^") else { return base }
        depth += 1
        defer { depth -= 1 }
        guard depth < 64 else { throw scanner.unexpected(want: "at most 64 levels") }
        return combine(base, operation, try power())
    }

    private mutating func operand() throws(QueryError) -> Arithmetic.Value {
        scanner.skipSpace()
        depth += 1
        defer { depth -= 1 }
        guard depth < 64 else { throw scanner.unexpected(want: "at most 64 levels") }
        if take("(") != nil {
            let value = try sum()
            guard take(")") != nil else { throw scanner.unexpected(want: "\")\"") }
            return value
        }
        let start = scanner.position
        let word = takeWord()
        if word == "vector", take("(") != nil {
            let value = try sum()
            guard !value.isVector, take(")") != nil else {
                throw scanner.unexpected(want: "a number and \")\"")
            }
            return Arithmetic.Value(number: value.number, isVector: true)
        }
        guard let number = Double(word), word.utf8.first.map({ (46...57).contains($0) }) == true
        else {
            scanner.position = start
            throw scanner.unexpected(
                want: "a number, vector(number), or a metric query such as "
                    + "sum by (level) (count_over_time({service_name=\"shop\"}[5m]))")
        }
        return Arithmetic.Value(number: number, isVector: false)
    }

    private func combine(
        _ left: Arithmetic.Value, _ operation: UInt8, _ right: Arithmetic.Value
    ) -> Arithmetic.Value {
        let number =
            switch operation {
            case UInt8(ascii: "+"): left.number + right.number
            case UInt8(ascii: "-"): left.number - right.number
            case UInt8(ascii: "*"): left.number * right.number
            case UInt8(ascii: "/"): left.number / right.number
            case UInt8(ascii: "%"):
                left.number.truncatingRemainder(dividingBy: right.number)
            default: pow(left.number, right.number)
            }
        return Arithmetic.Value(number: number, isVector: left.isVector || right.isVector)
    }

    private mutating func take(_ characters: String) -> UInt8? {
        scanner.skipSpace()
        guard let byte = scanner.peek(), characters.utf8.contains(byte) else { return nil }
        scanner.position += 1
        return byte
    }

    private mutating func takeWord() -> String {
        let start = scanner.position
        while let byte = scanner.peek(),
            SelectorParser.isNameByte(byte) || byte == UInt8(ascii: ".")
        {
            scanner.position += 1
        }
        return String(decoding: scanner.bytes[start..<scanner.position], as: UTF8.self)
    }
}
