// SPDX-License-Identifier: Apache-2.0
// Formats of values: numbers as C's printf writes them, widths, sides.

import Foundation
import SondeProbeProgram
import Testing

@testable import SondeProbeRuntime

struct FormatTests {
    @Test func fixedAndScientificNumbersAreThoseOfPrintf() {
        var random = SplitMix(state: 7)
        var values: [Double] = [
            0, -0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 9.5, 99.5, 0.05, 0.005, 0.004, 0.006, 1e22, 1e23,
            .leastNonzeroMagnitude, .greatestFiniteMagnitude, .leastNormalMagnitude, 123_456.789,
            -2.675, 1e-10,
            0.999, 9.999, 0.0999,
        ]
        for _ in 0..<600 {
            let any = Double(bitPattern: random.next())
            values += [any.isFinite ? any : 1, Double.random(in: -1000...1000, using: &random)]
        }
        for value in values {
            for precision in [0, 1, 2, 3, 6, 17, 40] {
                let fixed = String(format: "%.\(precision)f", value)
                #expect(ExactDecimal.fixed(value, precision: precision) == fixed)
                let scientific = String(format: "%.\(precision)e", value)
                #expect(ExactDecimal.scientific(value, precision: precision) == scientific)
            }
        }
        #expect(ExactDecimal.fixed(.nan, precision: 2) == "nan")
        #expect(ExactDecimal.scientific(-.infinity, precision: 2) == "-inf")
    }

    private func integer(_ raw: UInt64, _ bits: Int, _ isSigned: Bool, _ format: ValueFormat)
        -> String
    {
        ValueFormat.padded(
            ValueFormat.integer(raw, bits: bits, isSigned: isSigned, format), isNumber: true, format
        )
    }

    @Test func wholeNumbersHaveTheirNotations() {
        #expect(integer(255, 8, true, ValueFormat(notation: .hex)) == "ff")
        #expect(integer(255, 8, true, ValueFormat()) == "-1")
        #expect(integer(0xBEEF, 64, false, ValueFormat(notation: .upperHex)) == "BEEF")
        #expect(integer(8, 64, false, ValueFormat(notation: .octal)) == "10")
        #expect(integer(5, 64, false, ValueFormat(width: 8, notation: .binary)) == "     101")
        #expect(
            integer(5, 64, false, ValueFormat(zeroFilled: true, width: 8, notation: .binary))
                == "00000101")
        #expect(integer(.max, 64, true, ValueFormat(zeroFilled: true, width: 5)) == "-0001")
        #expect(integer(7, 64, true, ValueFormat(precision: 2, notation: .fixed)) == "7.00")
        #expect(
            integer(.max, 64, true, ValueFormat(precision: 1, notation: .exponent)) == "-1.0e+00")
    }

    @Test func widthsFillOnTheRightSide() {
        let pad = { (text: String, isNumber: Bool, side: ValueFormat.Alignment) in
            ValueFormat.padded(
                text, isNumber: isNumber, ValueFormat(alignment: side, width: 6))
        }
        #expect(pad("abc", false, .natural) == "abc   ")
        #expect(pad("abc", true, .natural) == "   abc")
        #expect(pad("abc", false, .right) == "   abc")
        #expect(pad("abc", true, .left) == "abc   ")
        #expect(pad("abc", false, .center) == " abc  ")
        #expect(pad("abcdefg", false, .center) == "abcdefg")
        #expect(pad("Ä😀", false, .natural) == "Ä😀    ")
    }

    @Test func aFloatingPointNumberIsSwiftsUnlessAFormatAsksForDigits() {
        #expect(ValueFormat.floating(0.1, natural: "0.1", nil) == "0.1")
        #expect(ValueFormat.floating(0.1, natural: "0.1", ValueFormat(width: 4)) == "0.1")
        #expect(ValueFormat.floating(2.0 / 3, natural: "", ValueFormat(precision: 2)) == "0.67")
        #expect(
            ValueFormat.floating(2.0 / 3, natural: "", ValueFormat(notation: .fixed)) == "0.666667")
    }

    @Test func aTextsPrecisionIsItsMostCharacters() {
        #expect(ValueFormat.text("Ä😀x", ValueFormat(precision: 2)) == "Ä😀")
        #expect(ValueFormat.text("ab", ValueFormat(precision: 9)) == "ab")
    }
}
