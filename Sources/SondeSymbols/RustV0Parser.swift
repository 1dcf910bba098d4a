// SPDX-License-Identifier: Apache-2.0
// Reads Rust's v0 linker names.

/// Reads one v0 name into a path such as `<alloc::vec::Vec<u8> as io::Write>::write`.
///
/// Depth, steps and output are bounded, since back references let a short name stand for a huge
/// one.
///
/// Source: The Rust RFC 2603, "Rust Symbol Name Mangling v0".
struct RustV0Parser {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private var steps = 0
    private var output = ""

    private static let maxDepth = 64
    private static let maxOutput = 4096
    private static let maxSteps = 1 << 16

    private struct Malformed: Error {}

    /// A parser of what stands behind `_R`.
    init(_ name: some Sequence<UInt8>) { bytes = Array(name) }

    /// The name for people, or `nil` when the bytes are no v0 name.
    mutating func demangled() -> String? {
        do {
            if let first = bytes.first, isDigit(first) { _ = try number() }
            try path(inType: false)
            return output
        } catch {
            return nil
        }
    }

    private func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    private mutating func next() throws -> UInt8 {
        steps += 1
        guard position < bytes.count, steps < Self.maxSteps else { throw Malformed() }
        defer { position += 1 }
        return bytes[position]
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard position < bytes.count, bytes[position] == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func write(_ text: String) throws {
        guard output.utf8.count + text.utf8.count <= Self.maxOutput else { throw Malformed() }
        output += text
    }

    private mutating func number() throws -> Int {
        var value = 0
        let first = try next()
        guard isDigit(first) else { throw Malformed() }
        value = Int(first - 0x30)
        guard value != 0 else { return 0 }
        while position < bytes.count, isDigit(bytes[position]) {
            value = value * 10 + Int(bytes[position] - 0x30)
            guard value <= bytes.count else { throw Malformed() }
            position += 1
        }
        return value
    }

    private mutating func base62() throws -> Int {
        if take("_") { return 0 }
        var value = 0
        while !take("_") {
            let digit: Int
            switch try next() {
            case let byte where isDigit(byte): digit = Int(byte) - 0x30
            case let byte where (0x61...0x7A).contains(byte): digit = Int(byte) - 0x61 + 10
            case let byte where (0x41...0x5A).contains(byte): digit = Int(byte) - 0x41 + 36
            default: throw Malformed()
            }
            let (product, overflow) = value.multipliedReportingOverflow(by: 62)
            guard !overflow, product < Int.max - 62 else { throw Malformed() }
            value = product + digit
        }
        return value + 1
    }

    /// A disambiguator: nothing, or `s` and a number.
    private mutating func disambiguator() throws -> Int { take("s") ? try base62() + 1 : 0 }

    private mutating func identifier() throws -> (name: String, disambiguator: Int) {
        let which = try disambiguator()
        let isPunycode = take("u")
        let length = try number()
        _ = take("_")
        guard bytes.count - position >= length else { throw Malformed() }
        let name = String(decoding: bytes[position..<position + length], as: UTF8.self)
        position += length
        return (isPunycode ? "punycode{\(name)}" : name, which)
    }

    /// Runs `body` at the place that a back reference names, then comes back.
    private mutating func backReference(_ body: (inout Self) throws -> Void) throws {
        let start = position - 1
        let target = try base62()
        guard target < start else { throw Malformed() }
        let here = position
        position = target
        try body(&self)
        position = here
    }

    private mutating func nested(_ body: (inout Self) throws -> Void) throws {
        guard depth < Self.maxDepth else { throw Malformed() }
        depth += 1
        defer { depth -= 1 }
        try body(&self)
    }

    private mutating func path(inType: Bool) throws {
        try nested { parser in
            switch Character(Unicode.Scalar(try parser.next())) {
            case "C": try parser.write(try parser.identifier().name)
            case "M":
                try parser.implPath()
                try parser.write("<")
                try parser.type()
                try parser.write(">")
            case "X":
                try parser.implPath()
                try parser.traitPath()
            case "Y": try parser.traitPath()
            case "N": try parser.nestedPath(inType: inType)
            case "I":
                try parser.path(inType: inType)
                try parser.write(inType ? "<" : "::<")
                try parser.list(until: "E") { try $0.genericArgument() }
                try parser.write(">")
            case "B": try parser.backReference { try $0.path(inType: inType) }
            default: throw Malformed()
            }
        }
    }

    private mutating func traitPath() throws {
        try write("<")
        try type()
        try write(" as ")
        try path(inType: true)
        try write(">")
    }

    /// Where an `impl` stands is read but not shown.
    private mutating func implPath() throws {
        _ = try disambiguator()
        let kept = output
        try path(inType: false)
        output = kept
    }

    private mutating func nestedPath(inType: Bool) throws {
        let space = try next()
        try path(inType: inType)
        let (name, which) = try identifier()
        switch space {
        case UInt8(ascii: "C"): try write("::{closure#\(which)}")
        case UInt8(ascii: "S"): try write("::{shim:\(name)#\(which)}")
        case 0x41...0x5A: try write("::{\(name)#\(which)}")
        default: if !name.isEmpty { try write("::" + name) }
        }
    }

    private mutating func list(
        until end: Character, _ element: (inout Self) throws -> Void
    ) throws {
        var isFirst = true
        while !take(end) {
            if !isFirst { try write(", ") }
            isFirst = false
            try element(&self)
        }
    }

    private mutating func genericArgument() throws {
        if take("L") {
            _ = try base62()
            try write("'_")
        } else if take("K") {
            try constant()
        } else {
            try type()
        }
    }

    private mutating func constant() throws {
        try nested { parser in
            if parser.take("B") {
                try parser.backReference { try $0.constant() }
                return
            }
            if parser.take("p") {
                try parser.write("_")
                return
            }
            _ = try parser.next()
            let sign = parser.take("n") ? "-" : ""
            var digits = ""
            while !parser.take("_") {
                digits.unicodeScalars.append(Unicode.Scalar(try parser.next()))
            }
            let value = UInt64(digits, radix: 16).map { String($0) } ?? "0x" + digits
            try parser.write(sign + (digits.isEmpty ? "0" : value))
        }
    }

    private static let basicTypes: [Character: String] = [
        "a": "i8", "b": "bool", "c": "char", "d": "f64", "e": "str", "f": "f32", "h": "u8",
        "i": "isize", "j": "usize", "l": "i32", "m": "u32", "n": "i128", "o": "u128", "p": "_",
        "s": "i16", "t": "u16", "u": "()", "v": "...", "x": "i64", "y": "u64", "z": "!",
    ]

    private mutating func type() throws {
        try nested { parser in
            let tag = Character(Unicode.Scalar(try parser.next()))
            if let name = Self.basicTypes[tag] {
                try parser.write(name)
                return
            }
            switch tag {
            case "R", "Q":
                if parser.take("L") { _ = try parser.base62() }
                try parser.write(tag == "R" ? "&" : "&mut ")
                try parser.type()
            case "P", "O":
                try parser.write(tag == "P" ? "*const " : "*mut ")
                try parser.type()
            case "A":
                try parser.write("[")
                try parser.type()
                try parser.write("; ")
                try parser.constant()
                try parser.write("]")
            case "S":
                try parser.write("[")
                try parser.type()
                try parser.write("]")
            case "T":
                try parser.write("(")
                try parser.list(until: "E") { try $0.type() }
                try parser.write(")")
            case "F": try parser.function()
            case "D": try parser.dynamic()
            case "B": try parser.backReference { try $0.type() }
            default:
                parser.position -= 1
                try parser.path(inType: true)
            }
        }
    }

    private mutating func function() throws {
        if take("G") { _ = try base62() }
        _ = take("U")
        if take("K") {
            if !take("C") { _ = try identifier() }
        }
        try write("fn(")
        try list(until: "E") { try $0.type() }
        try write(")")
        if !take("u") {
            try write(" -> ")
            try type()
        }
    }

    private mutating func dynamic() throws {
        if take("G") { _ = try base62() }
        try write("dyn ")
        var isFirst = true
        while !take("E") {
            if !isFirst { try write(" + ") }
            isFirst = false
            try path(inType: true)
            while take("p") {
                try write(" " + (try identifier().name) + "=")
                try type()
            }
        }
        if take("L") { _ = try base62() }
    }
}
