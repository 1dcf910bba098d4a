// SPDX-License-Identifier: Apache-2.0
// Reads JSON, with a limit to its depth.

/// Why a text is no JSON.
struct JSONError: Error, CustomStringConvertible {
    let offset: Int
    let wanted: String
    var description: String {
        "cannot read JSON: got something else at byte \(offset); want \(wanted)"
    }
}

/// Reads one value from bytes.
struct JSONReader {
    private let bytes: [UInt8]
    private var index = 0
    private static let maximumDepth = 16

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func read(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        var reader = JSONReader(bytes)
        let value = try reader.value(depth: 0)
        reader.skipBlank()
        guard reader.index == bytes.count else { throw reader.error("the end") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth < Self.maximumDepth else { throw error("at most \(Self.maximumDepth) levels") }
        skipBlank()
        switch peek {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        var members: [(String, JSONValue)] = []
        index += 1
        skipBlank()
        if take("}") { return .object([]) }
        repeat {
            skipBlank()
            let name = try string()
            skipBlank()
            guard take(":") else { throw error("a colon") }
            members.append((name, try value(depth: depth + 1)))
            skipBlank()
        } while take(",")
        guard take("}") else { throw error("a closing brace") }
        return .object(members)
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        var values: [JSONValue] = []
        index += 1
        skipBlank()
        if take("]") { return .array([]) }
        repeat {
            values.append(try value(depth: depth + 1))
            skipBlank()
        } while take(",")
        guard take("]") else { throw error("a closing bracket") }
        return .array(values)
    }

    private mutating func string() throws(JSONError) -> String {
        guard take("\"") else { throw error("a string") }
        var out: [UInt8] = []
        while let byte = peek {
            index += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: out, as: UTF8.self) else {
                    throw error("UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &out)
            case 0..<0x20: throw error("no control characters in a string")
            default: out.append(byte)
            }
        }
        throw error("a closing quote")
    }

    private mutating func escape(into out: inout [UInt8]) throws(JSONError) {
        guard let byte = peek else { throw error("an escape") }
        index += 1
        switch byte {
        case UInt8(ascii: "n"): out.append(10)
        case UInt8(ascii: "r"): out.append(13)
        case UInt8(ascii: "t"): out.append(9)
        case UInt8(ascii: "b"): out.append(8)
        case UInt8(ascii: "f"): out.append(12)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "u"):
            guard index + 4 <= bytes.count,
                let code = UInt32(
                    String(decoding: bytes[index..<(index + 4)], as: UTF8.self), radix: 16),
                let scalar = Unicode.Scalar(code)
            else { throw error("four hexadecimal digits of a character outside the surrogates") }
            index += 4
            out.append(contentsOf: String(scalar).utf8)
        default: throw error("an escape")
        }
    }

    private mutating func number() throws(JSONError) -> JSONValue {
        let start = index
        while let byte = peek,
            (48...57).contains(byte) || "+-.eE".utf8.contains(byte)
        {
            index += 1
        }
        guard let value = Double(String(decoding: bytes[start..<index], as: UTF8.self)),
            value.isFinite
        else { throw error("a value") }
        return .number(value)
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        guard bytes[index...].starts(with: text.utf8) else { throw error(text) }
        index += text.utf8.count
        return value
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipBlank() {
        while let byte = peek, [32, 9, 10, 13].contains(byte) { index += 1 }
    }

    private func error(_ wanted: String) -> JSONError { JSONError(offset: index, wanted: wanted) }
}
