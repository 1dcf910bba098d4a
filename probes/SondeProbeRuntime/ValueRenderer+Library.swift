// SPDX-License-Identifier: Apache-2.0
// Renders dictionaries, sets, and what libraries' types stand for.

internal import SondeProbeProgram

extension ValueRenderer {
    /// A dictionary, or a set without values, in the order of its storage, as Swift prints it.
    mutating func table(_ key: Int, _ entry: Int?, _ spot: Spot) {
        guard let count = reader.number(8), let captured = reader.number(4) else {
            text.append(Self.missing)
            return
        }
        text.append("[")
        var shown: UInt64 = 0
        var looked: UInt64 = 0
        while looked < captured, !reader.isExhausted, nodes < limits.nodes {
            looked &+= 1
            guard let isThere = reader.number(1), isThere != 0 else { continue }
            if shown > 0 { text.append(", ") }
            shown &+= 1
            let name = keyText(key, spot)
            text.append(name)
            guard let entry else { continue }
            text.append(": ")
            // `["password": "x"]` is as good as a field of that name.
            named(name, entry, spot)
        }
        if count > shown {
            text.append(shown > 0 ? ", ... \(count &- shown) more" : "... \(count) more")
        } else if count == 0, entry != nil {
            text.append(":")
        }
        text.append("]")
    }

    /// A key by itself, since its text decides about its value.
    private mutating func keyText(_ key: Int, _ spot: Spot) -> String {
        let whole = text
        text = BoundedText(limit: limits.textBytes)
        value(key, spot, nil)
        let name = text.string
        text = whole
        return name
    }

    /// Reads bytes and adds their text; says so when they are not there.
    mutating func words(_ count: Int, _ words: (ArraySlice<UInt8>) -> String) {
        let bytes = reader.bytes(count)
        text.append(bytes.count == count ? words(bytes) : Self.missing)
    }

    /// Bytes that are no text, in hexadecimal digits.
    mutating func data() {
        guard let full = reader.number(4), let captured = reader.number(4) else {
            text.append(Self.missing)
            return
        }
        text.append("<\(full) bytes")
        for (place, byte) in reader.bytes(Int(captured)).enumerated() {
            if place == 0 { text.append(": ") }
            text.append(LibraryText.hex(byte))
        }
        text.append(full > captured && captured > 0 ? "...>" : ">")
    }
}

/// The texts of values of library types.
enum LibraryText {
    /// Two hexadecimal digits.
    static func hex(_ byte: UInt8) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    /// 16 bytes as Foundation writes a UUID; what is no 16 bytes, without its dashes.
    static func uuid(_ bytes: ArraySlice<UInt8>) -> String {
        var text = ""
        for (place, byte) in bytes.enumerated() {
            if place == 4 || place == 6 || place == 8 || place == 10 { text += "-" }
            text += hex(byte).uppercased()
        }
        return text
    }

    /// A number of 2 or 16 bytes, as Swift writes it.
    static func number(_ wide: WideNumber, _ bytes: ArraySlice<UInt8>) -> String {
        var low: UInt64 = 0
        var high: UInt64 = 0
        for (place, byte) in bytes.enumerated() where place < 16 {
            if place < 8 {
                low |= UInt64(byte) << UInt64(place &* 8)
            } else {
                high |= UInt64(byte) << UInt64((place &- 8) &* 8)
            }
        }
        switch wide {
        case .float16: return "\(Float16(bitPattern: UInt16(truncatingIfNeeded: low)))"
        case .float80:
            // The highest bit of the significand says whether the number is a normal one; Swift
            // derives it from the exponent.
            let exponent = UInt(high & 0x7FFF)
            let value = Float80(
                sign: high & 0x8000 != 0 ? .minus : .plus, exponentBitPattern: exponent,
                significandBitPattern: low)
            return "\(value)"
        case .signed128: return "\(Int128(truncatingIfNeeded: high) << 64 | Int128(low))"
        case .unsigned128: return "\(UInt128(high) << 64 | UInt128(low))"
        }
    }

    /// Attoseconds as a signed number of 16 bytes, as Swift writes a duration.
    static func duration(_ bytes: ArraySlice<UInt8>) -> String {
        var words: [UInt64] = [0, 0]
        for (place, byte) in bytes.enumerated() where place < 16 {
            words[place >> 3] |= UInt64(byte) << UInt64((place & 7) &* 8)
        }
        let isNegative = words[1] >> 63 != 0
        if isNegative {
            // The magnitude: all bits turned, plus one.
            words[0] = ~words[0] &+ 1
            words[1] = ~words[1] &+ (words[0] == 0 ? 1 : 0)
        }
        let second: UInt64 = 1_000_000_000_000_000_000
        guard words[1] < second else { return "<no duration>" }
        let (seconds, rest) = second.dividingFullWidth((words[1], words[0]))
        let value = Double(seconds) + Double(rest) / 1e18
        return "\(isNegative ? -value : value) seconds"
    }

    /// Seconds since 2001 as a date of the proleptic Gregorian calendar, UTC, with milliseconds.
    static func date(_ seconds: Double) -> String {
        let limit = 1e12
        guard seconds > -limit, seconds < limit else { return "Date(\(seconds))" }
        let milliseconds = (seconds * 1000).rounded(.down)
        guard let all = Int64(exactly: milliseconds) else { return "Date(\(seconds))" }
        let day: Int64 = 86_400_000
        // Down to the day before, also for dates before 2001.
        let days = (all &- (all % day &+ day) % day) / day
        let inDay = all &- days &* day
        let (year, month, dayOfMonth) = civil(days &+ 11_323)
        return "\(digits(year, 4))-\(digits(month, 2))-\(digits(dayOfMonth, 2))T"
            + "\(digits(inDay / 3_600_000, 2)):\(digits(inDay / 60_000 % 60, 2)):"
            + "\(digits(inDay / 1000 % 60, 2)).\(digits(inDay % 1000, 3))Z"
    }

    /// The date of a day, counted from 1970-01-01.
    ///
    /// Years are taken to begin in March, so that the day that comes and goes is their last; 400 of
    /// them have 146 097 days.
    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days &+ 719_468
        let era = (shifted >= 0 ? shifted : shifted &- 146_096) / 146_097
        let inEra = shifted &- era &* 146_097
        let year = (inEra &- inEra / 1460 &+ inEra / 36_524 &- inEra / 146_096) / 365
        let inYear = inEra &- (365 &* year &+ year / 4 &- year / 100)
        let month = (5 &* inYear &+ 2) / 153
        let day = inYear &- (153 &* month &+ 2) / 5 &+ 1
        let calendarMonth = month < 10 ? month &+ 3 : month &- 9
        return (year &+ era &* 400 &+ (calendarMonth <= 2 ? 1 : 0), calendarMonth, day)
    }

    private static func digits(_ number: Int64, _ width: Int) -> String {
        let text = String(number.magnitude)
        let zeros = String(repeating: "0", count: max(0, width &- text.utf8.count))
        return (number < 0 ? "-" : "") + zeros + text
    }
}
