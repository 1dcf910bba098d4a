// SPDX-License-Identifier: Apache-2.0
// Reads JSON from bytes that nobody vouches for, value by value, without building a tree of it.

/// Reads one JSON text out of untrusted bytes, as the caller asks for its values.
///
///     var reader = JSONReader(body)
///     try reader.object { (reader, name) throws(JSONError) in
///         switch name {
///         case "name": user = try reader.string()
///         default: try reader.skip()
///         }
///     }
///     try reader.end()
///
/// Memory stays proportional to what is kept: values that are skipped are never built. Nesting is
/// followed without recursion and at most ``depthLimit`` deep. Source: RFC 8259.
package struct JSONReader {
    /// How deep values that are skipped may be nested.
    package static let depthLimit = 64

    let bytes: [UInt8]
    var position = 0

    /// A reader of a whole text.
    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Reads an object: `member` gets each name and must read or skip its value.
    package mutating func object(
        _ member: (inout JSONReader, String) throws(JSONError) -> Void
    ) throws(JSONError) {
        try expect("{", "an object")
        if take("}") { return }
        repeat {
            let name = try string()
            try expect(":", "a colon")
            try member(&self, name)
        } while take(",")
        try expect("}", "a comma or }")
    }

    /// Reads an array: `element` must read or skip each element.
    package mutating func array(
        _ element: (inout JSONReader) throws(JSONError) -> Void
    ) throws(JSONError) {
        try expect("[", "an array")
        if take("]") { return }
        repeat { try element(&self) } while take(",")
        try expect("]", "a comma or ]")
    }

    /// Passes over `null` and says so; any other value stays to be read.
    package mutating func null() -> Bool { takeWord("null") }

    /// Reads true or false.
    package mutating func bool() throws(JSONError) -> Bool {
        if takeWord("true") { return true }
        if takeWord("false") { return false }
        throw unexpected("true or false")
    }

    /// Reads a number.
    package mutating func double() throws(JSONError) -> Double {
        let start = position
        guard let value = Double(numberText()), value.isFinite else {
            position = start
            throw unexpected("a number")
        }
        return value
    }

    /// Reads a number: exactly where it is a 64-bit integer, and otherwise the nearest double.
    package mutating func number() throws(JSONError) -> JSONNumber {
        whitespace()
        let start = position
        // Digits alone are by far the most common, and need no text.
        var digits: Int64 = 0
        while let byte = current, byte >= 48, byte <= 57, position - start < 18 {
            digits = digits &* 10 &+ Int64(byte &- 48)
            position += 1
        }
        let next = current
        let isWhole = next.map { !"+-.0123456789eE".utf8.contains($0) } ?? true
        if isWhole, position > start, position == start + 1 || bytes[start] != 48 {
            return .integer(digits)
        }
        position = start
        let text = numberText()
        if let value = Int64(text) { return .integer(value) }
        if let value = Double(text), value.isFinite { return .double(value) }
        position = start
        throw unexpected("a number")
    }

    /// Reads an integer, which may stand in quotes as protobuf's JSON has it.
    package mutating func int64() throws(JSONError) -> Int64 {
        whitespace()
        let start = position
        let text = current == UInt8(ascii: "\"") ? try string() : numberText()
        if let value = Int64(text) { return value }
        // 1e3 and 5.0 are integers too.
        if let value = Double(text).flatMap({ Int64(exactly: $0) }) { return value }
        position = start
        throw unexpected("a 64-bit integer")
    }

    /// Reads an integer from 0, which may stand in quotes as protobuf's JSON has it.
    package mutating func uint64() throws(JSONError) -> UInt64 {
        whitespace()
        let start = position
        let text = current == UInt8(ascii: "\"") ? try string() : numberText()
        if let value = UInt64(text) { return value }
        if let value = Double(text).flatMap({ UInt64(exactly: $0) }) { return value }
        position = start
        throw unexpected("a 64-bit integer from 0")
    }

    /// Passes over any value.
    package mutating func skip() throws(JSONError) {
        // What closes each open bracket, outermost first.
        var open: [UInt8] = []
        repeat {
            whitespace()
            switch current {
            case UInt8(ascii: "{"):
                position += 1
                open.append(UInt8(ascii: "}"))
                if !take("}") {
                    try memberName()
                    try checkDepth(open.count)
                    continue
                }
                open.removeLast()
            case UInt8(ascii: "["):
                position += 1
                if !take("]") {
                    open.append(UInt8(ascii: "]"))
                    try checkDepth(open.count)
                    continue
                }
            default: try scalar()
            }
            try leaveClosed(&open)
        } while !open.isEmpty
    }

    /// Checks that nothing but white space follows.
    package mutating func end() throws(JSONError) {
        whitespace()
        guard position == bytes.count else { throw unexpected("the end") }
    }

    private mutating func leaveClosed(_ open: inout [UInt8]) throws(JSONError) {
        while let bracket = open.last {
            if take(",") {
                if bracket == UInt8(ascii: "}") { try memberName() }
                return
            }
            let closing = Unicode.Scalar(bracket)
            try expect(closing, "a comma or \(closing)")
            open.removeLast()
        }
    }

    private mutating func memberName() throws(JSONError) {
        try skipString()
        try expect(":", "a colon")
    }

    private mutating func scalar() throws(JSONError) {
        switch current {
        case UInt8(ascii: "\""): try skipString()
        case UInt8(ascii: "t"), UInt8(ascii: "f"): _ = try bool()
        case UInt8(ascii: "n") where null(): break
        default: _ = try double()
        }
    }

    private func checkDepth(_ depth: Int) throws(JSONError) {
        guard depth <= Self.depthLimit else {
            throw JSONError(
                "cannot read JSON: got values nested more than \(Self.depthLimit) deep at byte \(position); want at most \(Self.depthLimit)"
            )
        }
    }

    /// The byte that comes next, or `nil` at the end.
    package var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    /// Passes over white space, so that ``current`` says what kind of value follows.
    package mutating func whitespace() {
        while let byte = current, byte == 32 || byte == 10 || byte == 13 || byte == 9 {
            position += 1
        }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        whitespace()
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func takeWord(_ word: String) -> Bool {
        whitespace()
        guard bytes[position...].starts(with: word.utf8) else { return false }
        position += word.utf8.count
        return true
    }

    mutating func expect(_ character: Unicode.Scalar, _ want: String) throws(JSONError) {
        guard take(character) else { throw unexpected(want) }
    }

    /// The error that says what stands here instead of `want`.
    package func unexpected(_ want: String) -> JSONError {
        guard position < bytes.count else {
            return JSONError("cannot read JSON: got the end at byte \(position); want \(want)")
        }
        let found = String(decoding: bytes[position...].prefix(12), as: UTF8.self)
        return JSONError(
            "cannot read JSON: got \(found.debugDescription) at byte \(position); want \(want)")
    }

    private mutating func numberText() -> String {
        whitespace()
        let start = position
        while let byte = current, "+-.0123456789eE".utf8.contains(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        // RFC 8259 has no leading plus and no leading zeros.
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let hasLeadingZero =
            digits.utf8.count > 1 && digits.hasPrefix("0")
            && digits.dropFirst().first.map { $0.isNumber } == true
        return digits.first?.isNumber == true && !hasLeadingZero ? text : ""
    }
}

/// A number of JSON.
package enum JSONNumber: Hashable, Sendable {
    /// A 64-bit integer.
    case integer(Int64)
    /// Any other number, as near as a double comes.
    case double(Double)

    /// The number, as near as a double comes.
    package var double: Double {
        switch self {
        case .integer(let value): Double(value)
        case .double(let value): value
        }
    }
}

/// Why bytes are not the JSON that was expected.
package struct JSONError: Error, Hashable, CustomStringConvertible {
    /// `cannot read JSON: <what was found>; want <what>`.
    package var description: String

    /// An error with its whole message.
    package init(_ description: String) { self.description = description }
}
