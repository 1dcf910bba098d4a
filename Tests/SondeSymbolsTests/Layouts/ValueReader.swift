// SPDX-License-Identifier: Apache-2.0
// Reads values by their layouts, as a probe would, and writes them as the subject does.

import SondeSymbols

/// Reads a value's bytes by its layout.
struct ValueReader {
    let image: ProbeImage

    /// The value as text; `nil` when its layout says that it is none.
    func read(_ type: TypeID, _ bytes: ArraySlice<UInt8>) -> String? {
        let layout = image.layout(of: type)
        guard layout.size <= UInt64(bytes.count) else { return "too few bytes" }
        let value = bytes.prefix(Int(layout.size))
        switch layout.kind {
        case .signed(let bits):
            let shift = UInt64(64 - bits)
            return "\(Int64(bitPattern: number(value) << shift) >> Int64(shift))"
        case .unsigned: return "\(number(value))"
        case .boolean: return number(value) == 1 ? "true" : number(value) == 0 ? "false" : nil
        case .float: return "\(Float(bitPattern: UInt32(truncatingIfNeeded: number(value))))"
        case .double: return "\(Double(bitPattern: number(value)))"
        case .unicodeScalar: return "U\(number(value))"
        case .pointer, .cString: return "pointer"
        case .swiftString: return string(value)
        case .structure(let members), .tuple(let members): return fields(members, value)
        case .object: return "ref"
        case .optional(let payload, let tag):
            switch tag.caseIndex(of: Array(value)) {
            case 0: return read(payload, cleared(value, tag))
            case 1: return "nil"
            default: return nil
            }
        case .enumeration(let cases, let tag): return enumeration(cases, tag, value)
        case .array: return "array"
        case .hashed: return "hash"
        case .weak: return "pointer"
        case .objectText: return "ref"
        case .date: return "(timeIntervalSinceReferenceDate: \(Double(bitPattern: number(value))))"
        case .duration:
            let high = Int64(bitPattern: number(value.dropFirst(8)))
            return "(_low: \(number(value)), _high: \(high))"
        case .uuid, .data, .float16, .float80: return "bytes"
        case .function: return "function"
        case .existential: return "any"
        case .cArray: return "elements"
        case .opaque(let reason): return "opaque: \(reason)"
        }
    }

    private func enumeration(
        _ cases: [TypeLayout.Case], _ tag: TagRule, _ value: ArraySlice<UInt8>
    ) -> String? {
        guard let index = tag.caseIndex(of: Array(value)), cases.indices.contains(index) else {
            return nil
        }
        let found = cases[index]
        guard let payload = found.payload else { return ".\(found.name)" }
        guard let text = read(payload, cleared(value, tag)) else { return nil }
        if case .tuple = image.layout(of: payload).kind { return ".\(found.name)\(text)" }
        return ".\(found.name)(\(text))"
    }

    private func cleared(_ value: ArraySlice<UInt8>, _ tag: TagRule) -> ArraySlice<UInt8> {
        var bytes = Array(value)
        for index in bytes.indices {
            let mask = tag.foreignMask(byteOffset: UInt64(index), bytes: 1)
            bytes[index] &= ~UInt8(truncatingIfNeeded: mask)
        }
        return bytes[...]
    }

    private func fields(
        _ members: [TypeLayout.Field], _ value: ArraySlice<UInt8>
    ) -> String? {
        var parts: [String] = []
        for member in members {
            let start = value.startIndex + Int(member.offset)
            guard start <= value.endIndex, let text = read(member.type, value[start...]) else {
                return nil
            }
            parts.append(member.name.isEmpty ? text : "\(member.name): \(text)")
        }
        return "(\(parts.joined(separator: ", ")))"
    }

    /// Only strings of up to 15 bytes hold their text themselves.
    private func string(_ value: ArraySlice<UInt8>) -> String? {
        let bytes = Array(value)
        let mark = bytes[15]
        guard mark >> 4 == 0xE || mark >> 4 == 0xA else { return "long" }
        return "\"\(String(decoding: bytes.prefix(Int(mark & 15)), as: UTF8.self))\""
    }

    private func number(_ value: ArraySlice<UInt8>) -> UInt64 {
        value.prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
