// SPDX-License-Identifier: Apache-2.0
// Reads a record by its shapes, and prints it as text.

import SondeProbeProgram

/// Reads a record by its shapes.
struct RecordText {
    let shapes: [ValueShape]
    var rest: ArraySlice<UInt8>

    /// The whole message of a record, without formats.
    static func message(_ program: ImageProgram, _ record: [UInt8]) -> String {
        var reader = RecordText(shapes: program.shapes, rest: record[...])
        var text = ""
        for segment in program.template {
            switch segment {
            case .text(let words): text += words
            case .value(_, let shape, _): text += reader.value(shape, isNested: false)
            }
        }
        return reader.rest.isEmpty ? text : text + " <\(reader.rest.count) bytes left>"
    }

    private mutating func number(_ bytes: Int) -> UInt64 {
        var word: UInt64 = 0
        for byte in rest.prefix(bytes).reversed() { word = word << 8 | UInt64(byte) }
        rest = rest.dropFirst(bytes)
        return word
    }

    private mutating func value(_ index: Int, isNested: Bool = true) -> String {
        switch shapes[index] {
        case .signed(let bits):
            let unused = 64 - Int64(bits)
            return "\((Int64(bitPattern: number(Int(bits) / 8)) << unused) >> unused)"
        case .unsigned(let bits): return "\(number(Int(bits) / 8))"
        case .boolean: return number(1) == 0 ? "false" : "true"
        case .float: return "\(Float(bitPattern: UInt32(number(4))))"
        case .double: return "\(Double(bitPattern: number(8)))"
        case .unicodeScalar: return "U+" + String(number(4), radix: 16)
        case .pointer: return "0x" + String(number(8), radix: 16)
        case .string:
            let length = number(4), captured = Int(number(4))
            let text = String(decoding: rest.prefix(captured), as: UTF8.self)
            rest = rest.dropFirst(captured)
            let cut = Int(length) > captured ? "…(\(length))" : ""
            return (isNested ? "\"\(text)\"" : text) + cut
        case .optional(let part):
            return number(1) == 0 ? "nil" : value(part, isNested: isNested)
        case .structure(let name, let fields): return name + list(fields)
        case .tuple(let fields): return list(fields)
        case .object(let name, let fields):
            return number(8) == 0 ? "nil" : name + list(fields)
        case .enumeration(_, let cases):
            let index = Int(number(2))
            guard index < cases.count else { return "<case \(number(8))>" }
            let name = "." + cases[index].name
            return cases[index].payload.map { name + "(" + value($0) + ")" } ?? name
        case .array(let element, _):
            let count = number(8), captured = Int(number(4))
            var parts: [String] = []
            for _ in 0..<captured { parts.append(value(element)) }
            if UInt64(captured) < count { parts.append("… \(count - UInt64(captured)) more") }
            return "[" + parts.joined(separator: ", ") + "]"
        case .cut(let name): return number(8) == 0 ? "\(name){…}" : "\(name){…}"
        case .guarded(let part):
            let status = number(1)
            guard status != 0 else { return value(part, isNested: isNested) }
            let kind = FaultKind(rawValue: UInt8(status)).map { "\($0)" } ?? "?"
            let detail = number(8)
            return "<\(kind)" + (detail == 0 ? "" : " 0x" + String(detail, radix: 16)) + ">"
        case .unavailable(let reason): return "<\(reason)>"
        case .table(let key, let entry, _): return table(key, entry)
        case .date: return "date \(Double(bitPattern: number(8)))"
        case .uuid, .duration:
            return (0..<16).map { _ in hex(number(1)) }.joined()
        case .wide(let wide):
            let low = number(min(8, wide.bytes)), high = wide.bytes > 8 ? number(8) : 0
            switch wide {
            case .float16: return "\(Float16(bitPattern: UInt16(low)))"
            case .float80:
                return
                    "\(Float80(sign: high & 0x8000 == 0 ? .plus : .minus, exponentBitPattern: UInt(high & 0x7FFF), significandBitPattern: low))"
            case .signed128: return "\(Int128(truncatingIfNeeded: high) << 64 | Int128(low))"
            case .unsigned128: return "\(UInt128(high) << 64 | UInt128(low))"
            }
        case .data:
            let length = number(4), captured = Int(number(4))
            return "\(length): " + (0..<captured).map { _ in hex(number(1)) }.joined()
        case .raw(_, let bytes):
            return "0x" + (0..<bytes).map { _ in String(number(1), radix: 16) }.joined()
        }
    }

    private func hex(_ byte: UInt64) -> String {
        (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    private mutating func table(_ key: Int, _ entry: Int?) -> String {
        let count = number(8), captured = Int(number(4))
        var parts: [String] = []
        for _ in 0..<captured where number(1) != 0 {
            let name = value(key)
            parts.append(entry.map { name + ": " + value($0) } ?? name)
        }
        // The order of the buckets is another one in each process.
        parts.sort()
        if UInt64(parts.count) < count { parts.append("… \(count - UInt64(parts.count)) more") }
        return "[" + parts.joined(separator: ", ") + "]"
    }

    private mutating func list(_ fields: [ShapeField]) -> String {
        var parts: [String] = []
        for field in fields {
            parts.append((field.name.isEmpty ? "" : field.name + ": ") + value(field.shape))
        }
        return "(" + parts.joined(separator: ", ") + ")"
    }
}
