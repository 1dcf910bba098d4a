// SPDX-License-Identifier: Apache-2.0
// The types of values that fit into one register.

import SondeSymbols

/// The type of a value in a register.
///
/// Integers are extended to 64 bits by their sign; `Float` and `Double` are the bits of a `Double`;
/// a `Bool` is 0 or 1.
enum ScalarType: Hashable {
    case signed(UInt8)
    case unsigned(UInt8)
    case boolean
    case float
    case double
    case unicodeScalar
    case pointer(String)

    static let int = ScalarType.signed(64)

    /// The type as Swift writes it.
    var name: String {
        switch self {
        case .signed(let bits): bits == 64 ? "Int" : "Int\(bits)"
        case .unsigned(let bits): bits == 64 ? "UInt" : "UInt\(bits)"
        case .boolean: "Bool"
        case .float: "Float"
        case .double: "Double"
        case .unicodeScalar: "Unicode.Scalar"
        case .pointer(let name): name
        }
    }

    /// Bytes of a value in memory.
    var bytes: Int {
        switch self {
        case .signed(let bits), .unsigned(let bits): Int(bits) / 8
        case .boolean: 1
        case .float, .unicodeScalar: 4
        case .double, .pointer: 8
        }
    }

    var isInteger: Bool {
        switch self {
        case .signed, .unsigned: true
        default: false
        }
    }

    var isSigned: Bool {
        if case .signed = self { true } else { false }
    }

    var isFloating: Bool { self == .float || self == .double }

    /// A literal as a `Float` or a `Double` holds it.
    func rounded(_ value: Double) -> Double { self == .float ? Double(Float(value)) : value }

    /// The scalar that a layout is, if it fits into a register.
    init?(_ layout: TypeLayout) {
        switch layout.kind {
        case .signed(let bits) where [8, 16, 32, 64].contains(bits): self = .signed(bits)
        case .unsigned(let bits) where [8, 16, 32, 64].contains(bits): self = .unsigned(bits)
        case .boolean: self = .boolean
        case .float: self = .float
        // Its seconds since 2001.
        case .double, .date: self = .double
        case .unicodeScalar: self = .unicodeScalar
        case .pointer, .cString: self = .pointer(layout.name)
        default: return nil
        }
    }

    /// The scalar that a conversion such as `Int32(x)` names.
    init?(named name: String) {
        switch name {
        case "Int", "Int64": self = .signed(64)
        case "Int32": self = .signed(32)
        case "Int16": self = .signed(16)
        case "Int8": self = .signed(8)
        case "UInt", "UInt64": self = .unsigned(64)
        case "UInt32": self = .unsigned(32)
        case "UInt16": self = .unsigned(16)
        case "UInt8": self = .unsigned(8)
        case "Double": self = .double
        default: return nil
        }
    }

    /// Whether a literal fits.
    func holds(_ literal: IntegerLiteral) -> Bool {
        switch self {
        case .signed(let bits):
            let limit = UInt64(1) << UInt64(bits - 1)
            return literal.isNegative ? literal.magnitude <= limit : literal.magnitude < limit
        case .unsigned(let bits):
            if literal.isNegative { return literal.magnitude == 0 }
            return bits == 64 || literal.magnitude < UInt64(1) << UInt64(bits)
        case .float, .double: return true
        default: return false
        }
    }
}

/// A whole number as it was typed.
struct IntegerLiteral: Hashable {
    var magnitude: UInt64
    var isNegative = false

    /// The number's low 64 bits in two's complement.
    var bits: UInt64 { isNegative ? 0 &- magnitude : magnitude }

    /// The number as a floating-point value.
    var double: Double { isNegative ? -Double(magnitude) : Double(magnitude) }

    var text: String { (isNegative ? "-" : "") + "\(magnitude)" }
}
