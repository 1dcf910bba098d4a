// SPDX-License-Identifier: Apache-2.0
// A value's text as its format in the template asks for it.

internal import SondeProbeProgram

extension ValueFormat {
    /// A whole number out of its bits, which are not sign-extended.
    static func integer(
        _ raw: UInt64, bits: Int, isSigned: Bool, _ format: ValueFormat?
    ) -> String {
        let unused = UInt64(64 &- min(max(bits, 8), 64))
        let signed = Int64(bitPattern: raw << unused) >> Int64(unused)
        switch format?.notation {
        case .hex: return String(raw, radix: 16)
        case .upperHex: return String(raw, radix: 16, uppercase: true)
        case .octal: return String(raw, radix: 8)
        case .binary: return String(raw, radix: 2)
        case .exponent:
            return ExactDecimal.scientific(
                isSigned ? Double(signed) : Double(raw), precision: digits(format))
        case .fixed:
            let zeros = digits(format)
            let whole = isSigned ? String(signed) : String(raw)
            return zeros > 0 ? whole + "." + String(repeating: "0", count: zeros) : whole
        case .natural, nil: return isSigned ? String(signed) : String(raw)
        }
    }

    /// A floating-point number; `natural` is how Swift prints it.
    static func floating(_ value: Double, natural: String, _ format: ValueFormat?) -> String {
        guard let format else { return natural }
        if format.notation == .exponent {
            return ExactDecimal.scientific(value, precision: digits(format))
        }
        guard format.notation == .fixed || format.precision != nil else { return natural }
        return ExactDecimal.fixed(value, precision: digits(format))
    }

    /// A text, cut to the precision's characters.
    static func text(_ text: String, _ format: ValueFormat?) -> String {
        format?.precision.map { String(text.prefix(Int($0))) } ?? text
    }

    /// The value's text, filled up to the width; a number stands to the right of its own accord.
    static func padded(_ text: String, isNumber: Bool, _ format: ValueFormat?) -> String {
        guard let format, format.width > 0 else { return text }
        let missing = min(Int(format.width), maximumWidth) &- text.count
        guard missing > 0 else { return text }
        if format.zeroFilled, isNumber {
            let sign = text.hasPrefix("-") ? "-" : ""
            return sign + String(repeating: "0", count: missing) + text.dropFirst(sign.utf8.count)
        }
        let blanks: (Int) -> String = { String(repeating: " ", count: $0) }
        switch format.alignment {
        case .right: return blanks(missing) + text
        case .left: return text + blanks(missing)
        case .center: return blanks(missing >> 1) + text + blanks(missing &- missing >> 1)
        case .natural: return isNumber ? blanks(missing) + text : text + blanks(missing)
        }
    }

    /// As many as C's `printf` gives when nobody says.
    private static func digits(_ format: ValueFormat?) -> Int { Int(format?.precision ?? 6) }

    private static var maximumWidth: Int { 256 }
}
