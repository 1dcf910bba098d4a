// SPDX-License-Identifier: Apache-2.0
// The format of a template's value as the program carries it.

import SondeProbeLanguage
import SondeProbeProgram

extension ValueFormat {
    /// The format that was written.
    init(_ written: FormatSpecification) {
        let alignment: Alignment =
            switch written.alignment {
            case .left: .left
            case .right: .right
            case .center: .center
            case nil: .natural
            }
        let notation: Notation =
            switch written.notation {
            case .fixed: .fixed
            case .exponent: .exponent
            case .hex: .hex
            case .upperHex: .upperHex
            case .octal: .octal
            case .binary: .binary
            case nil: .natural
            }
        self.init(
            alignment: alignment, zeroFilled: written.zeroFilled,
            width: UInt16(clamping: written.width ?? 0),
            precision: written.precision.map { UInt16(clamping: $0) }, notation: notation)
    }
}
