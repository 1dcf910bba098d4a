// SPDX-License-Identifier: Apache-2.0
// A floating-point number in decimal with a given count of digits, rounded exactly.

/// All decimal digits of a finite number that is not negative.
///
/// The C library is not asked: its point is a comma where the host's locale says so.
struct ExactDecimal {
    /// The digits without zeros in front; none for zero.
    private var digits: [UInt8]
    /// How many digits stand before the point; negative when zeros follow it first.
    private var point: Int

    /// The most digits that can be asked for.
    static let maximumPrecision = 64

    private init(_ value: Double) {
        // value = mantissa * 2^exponent, and 2^-n = 5^n * 10^-n: both are exact.
        let raw = Int(value.exponentBitPattern)
        let fraction = value.significandBitPattern
        var number = Natural(raw == 0 ? fraction : fraction | 1 << 52)
        let exponent = (raw == 0 ? 1 : raw) &- 1075
        var shift = exponent
        while shift > 0 {
            number.multiply(by: 1 << UInt32(min(shift, 16)))
            shift = max(0, shift &- 16)
        }
        while shift < 0 {
            // 5^13 is the largest power that fits into 32 bits.
            number.multiply(by: Self.powersOfFive[min(0 &- shift, 13)])
            shift = min(0, shift &+ 13)
        }
        digits = number.decimalDigits
        point = digits.count &+ min(exponent, 0)
    }

    private static let powersOfFive: [UInt32] = (0...13).map { power in
        var product: UInt32 = 1
        for _ in 0..<power { product &*= 5 }
        return product
    }

    /// Keeps this many digits; the rest decides about the last one, ties go to even.
    private mutating func round(to count: Int) {
        guard count >= 0 else {
            digits = []
            return
        }
        guard count < digits.count else { return }
        let rest = digits[count...]
        let isOdd = count > 0 && digits[count &- 1] & 1 == 1
        let isTie = rest.first == 5 && rest.dropFirst().allSatisfy { $0 == 0 }
        let isUp = isTie ? isOdd : rest.first.map { $0 >= 5 } ?? false
        digits.removeSubrange(count...)
        guard isUp else { return }
        var place = count &- 1
        while place >= 0, digits[place] == 9 {
            digits[place] = 0
            place &-= 1
        }
        if place >= 0 {
            digits[place] &+= 1
        } else {
            digits.insert(1, at: 0)
            point &+= 1
        }
    }

    /// The number as `printf`'s `%.<precision>f` in the C locale.
    static func fixed(_ value: Double, precision: Int) -> String {
        guard value.isFinite else { return special(value) }
        let precision = min(max(precision, 0), maximumPrecision)
        var decimal = ExactDecimal(value.magnitude)
        decimal.round(to: decimal.point &+ precision)
        var text: [UInt8] = decimal.point > 0 ? [] : [UInt8(ascii: "0")]
        for place in 0..<max(decimal.point, 0) { text.append(decimal.digit(at: place)) }
        if precision > 0 {
            text.append(UInt8(ascii: "."))
            for place in 0..<precision { text.append(decimal.digit(at: decimal.point &+ place)) }
        }
        return sign(value) + String(decoding: text, as: UTF8.self)
    }

    /// The number as `printf`'s `%.<precision>e` in the C locale.
    static func scientific(_ value: Double, precision: Int) -> String {
        guard value.isFinite else { return special(value) }
        let precision = min(max(precision, 0), maximumPrecision)
        var decimal = ExactDecimal(value.magnitude)
        let isZero = decimal.digits.isEmpty
        decimal.round(to: precision &+ 1)
        var text: [UInt8] = [decimal.digit(at: 0)]
        if precision > 0 {
            text.append(UInt8(ascii: "."))
            for place in 1...precision { text.append(decimal.digit(at: place)) }
        }
        let exponent = isZero ? 0 : decimal.point &- 1
        let size = String(exponent.magnitude)
        return sign(value) + String(decoding: text, as: UTF8.self)
            + (exponent < 0 ? "e-" : "e+") + (size.utf8.count < 2 ? "0" : "") + size
    }

    private func digit(at place: Int) -> UInt8 {
        UInt8(ascii: "0") &+ (place >= 0 && place < digits.count ? digits[place] : 0)
    }

    private static func sign(_ value: Double) -> String { value.sign == .minus ? "-" : "" }

    private static func special(_ value: Double) -> String {
        value.isNaN ? "nan" : sign(value) + "inf"
    }
}

/// A natural number of any size, least significant word first.
private struct Natural {
    private var words: [UInt32]

    init(_ value: UInt64) {
        words = [UInt32(truncatingIfNeeded: value), UInt32(truncatingIfNeeded: value >> 32)]
    }

    mutating func multiply(by factor: UInt32) {
        var carry: UInt64 = 0
        for index in words.indices {
            let product = UInt64(words[index]) &* UInt64(factor) &+ carry
            words[index] = UInt32(truncatingIfNeeded: product)
            carry = product >> 32
        }
        if carry > 0 { words.append(UInt32(truncatingIfNeeded: carry)) }
    }

    /// The digits 0...9, most significant first, without zeros in front.
    var decimalDigits: [UInt8] {
        var rest = words
        var digits: [UInt8] = []
        while let last = rest.last {
            guard last != 0 else {
                rest.removeLast()
                continue
            }
            var remainder: UInt64 = 0
            for index in rest.indices.reversed() {
                let value = remainder << 32 | UInt64(rest[index])
                rest[index] = UInt32(truncatingIfNeeded: value / 1_000_000_000)
                remainder = value % 1_000_000_000
            }
            for _ in 0..<9 {
                digits.append(UInt8(truncatingIfNeeded: remainder % 10))
                remainder /= 10
            }
        }
        while digits.last == 0 { digits.removeLast() }
        return digits.reversed()
    }
}
