// SPDX-License-Identifier: Apache-2.0
// Shapes, formats and messages as bytes. Source: docs/protocol/probe.proto.

internal import SondeWire

extension ValueShape {
    func write(to writer: inout ProtobufWriter) {
        writer.write(kindNumber, field: 1)
        switch self {
        case .signed(let bits), .unsigned(let bits): writer.write(UInt64(bits), field: 2)
        case .boolean, .float, .double, .unicodeScalar, .date, .uuid, .duration, .data: break
        case .pointer(let name), .cut(let name): writer.write(name, field: 3)
        case .string(let quoted): writer.write(quoted, field: 7)
        case .optional(let part), .guarded(let part):
            writer.write(UInt64(clamping: part), field: 4)
        case .structure(let name, let fields), .object(let name, let fields):
            writer.write(name, field: 3)
            Self.write(fields, to: &writer)
        case .tuple(let fields): Self.write(fields, to: &writer)
        case .enumeration(let name, let cases):
            writer.write(name, field: 3)
            for one in cases {
                writer.message(field: 6) { writer in
                    writer.write(one.name, field: 1)
                    writer.write(one.payload.map { UInt64(clamping: $0) + 1 } ?? 0, field: 2)
                }
            }
        case .array(let element, let name):
            writer.write(UInt64(clamping: element), field: 4)
            writer.write(name, field: 3)
        case .unavailable(let reason): writer.write(reason, field: 3)
        case .raw(let name, let bytes):
            writer.write(UInt64(clamping: bytes), field: 2)
            writer.write(name, field: 3)
        case .wide(let number): writer.write(UInt64(number.rawValue), field: 2)
        case .table(let key, let value, let name):
            writer.write(UInt64(clamping: key), field: 4)
            writer.write(value.map { UInt64(clamping: $0) + 1 } ?? 0, field: 2)
            writer.write(name, field: 3)
        }
    }

    private static func write(_ fields: [ShapeField], to writer: inout ProtobufWriter) {
        for field in fields {
            writer.message(field: 5) { writer in
                writer.write(field.name, field: 1)
                writer.write(UInt64(clamping: field.shape), field: 2)
            }
        }
    }

    private var kindNumber: UInt64 {
        switch self {
        case .signed: 1
        case .unsigned: 2
        case .boolean: 3
        case .float: 4
        case .double: 5
        case .unicodeScalar: 6
        case .pointer: 7
        case .string: 8
        case .optional: 9
        case .structure: 10
        case .tuple: 11
        case .object: 12
        case .enumeration: 13
        case .array: 14
        case .cut: 15
        case .guarded: 16
        case .unavailable: 17
        case .raw: 18
        case .table: 19
        case .date: 20
        case .uuid: 21
        case .duration: 22
        case .data: 23
        case .wide: 24
        }
    }

    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        var kind: UInt64 = 0
        var size: UInt64 = 0
        var text = ""
        var part: UInt64 = 0
        var fields: [ShapeField] = []
        var cases: [ShapeCase] = []
        var isQuoted = false
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: kind = try reader.number(field)
            case 2: size = try reader.number(field)
            case 3: text = try reader.text(field)
            case 4: part = try reader.number(field)
            case 5: fields.append(try ShapeField(reader.part(field)))
            case 6: cases.append(try ShapeCase(reader.part(field)))
            case 7: isQuoted = try reader.number(field) != 0
            default: try reader.skip(field)
            }
            try ProgramReader.check(fields.count, "fields", ProgramBounds.members)
            try ProgramReader.check(cases.count, "cases", ProgramBounds.members)
        }
        let index = Int(clamping: part)
        switch kind {
        case 1: self = .signed(bits: try Self.width(size))
        case 2: self = .unsigned(bits: try Self.width(size))
        case 3: self = .boolean
        case 4: self = .float
        case 5: self = .double
        case 6: self = .unicodeScalar
        case 7: self = .pointer(typeName: text)
        case 8: self = .string(quotedWhenNested: isQuoted)
        case 9: self = .optional(index)
        case 10: self = .structure(typeName: text, fields: fields)
        case 11: self = .tuple(fields)
        case 12: self = .object(typeName: text, fields: fields)
        case 13: self = .enumeration(typeName: text, cases: cases)
        case 14: self = .array(element: index, typeName: text)
        case 15: self = .cut(typeName: text)
        case 16: self = .guarded(index)
        case 17: self = .unavailable(reason: text)
        case 18:
            guard size <= UInt64(ProgramBounds.textBytes) else {
                throw .malformed("\(size) raw bytes", want: "at most \(ProgramBounds.textBytes)")
            }
            self = .raw(typeName: text, bytes: Int(size))
        case 19:
            let value = size == 0 ? nil : Int(clamping: size - 1)
            self = .table(key: index, value: value, typeName: text)
        case 20: self = .date
        case 21: self = .uuid
        case 22: self = .duration
        case 23: self = .data
        case 24:
            guard let number = WideNumber(rawValue: UInt8(clamping: size)) else {
                throw .malformed("the wide number \(size)", want: "one that this agent has")
            }
            self = .wide(number)
        default: throw .malformed("the shape \(kind)", want: "one that this agent has")
        }
    }

    private static func width(_ size: UInt64) throws(ProgramError) -> UInt8 {
        switch size {
        case 8: 8
        case 16: 16
        case 32: 32
        case 64: 64
        default: throw .malformed("a number of \(size) bits", want: "8, 16, 32 or 64")
        }
    }
}

extension ShapeField {
    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        self.init(name: "", shape: 0)
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try reader.text(field)
            case 2: shape = Int(clamping: try reader.number(field))
            default: try reader.skip(field)
            }
        }
    }
}

extension ShapeCase {
    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        self.init(name: "", payload: nil)
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: name = try reader.text(field)
            case 2:
                let number = Int(clamping: try reader.number(field))
                payload = number > 0 ? number - 1 : nil
            default: try reader.skip(field)
            }
        }
    }
}

extension TemplateSegment {
    func write(to writer: inout ProtobufWriter) {
        switch self {
        case .text(let text): writer.write(text, field: 1)
        case .value(let expression, let shape, let format):
            writer.write(expression, field: 1)
            writer.write(UInt64(clamping: shape) + 1, field: 2)
            if let format { writer.message(field: 3) { format.write(to: &$0) } }
        }
    }

    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        var text = ""
        var value = 0
        var format: ValueFormat?
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            switch field.number {
            case 1: text = try reader.text(field)
            case 2: value = Int(clamping: try reader.number(field))
            case 3: format = try ValueFormat(reader.part(field))
            default: try reader.skip(field)
            }
        }
        self =
            value > 0
            ? .value(expression: text, shape: value - 1, format: format) : .text(text)
    }
}

extension ValueFormat {
    /// The most characters of a width, and the most digits of a precision.
    package static let largestWidth: UInt16 = 256
    package static let largestPrecision: UInt16 = 64

    func write(to writer: inout ProtobufWriter) {
        writer.write(UInt64(alignment.rawValue), field: 1)
        writer.write(zeroFilled, field: 2)
        writer.write(UInt64(width), field: 3)
        writer.write(precision.map { UInt64($0) + 1 } ?? 0, field: 4)
        writer.write(UInt64(notation.rawValue), field: 5)
    }

    init(_ bytes: ArraySlice<UInt8>) throws(ProgramError) {
        self.init()
        var reader = ProgramReader(bytes)
        while let field = try reader.next() {
            let number = try reader.number(field)
            switch field.number {
            case 1:
                guard let known = Alignment(rawValue: UInt8(clamping: number)) else {
                    throw .malformed("the alignment \(number)", want: "0 to 3")
                }
                alignment = known
            case 2: zeroFilled = number != 0
            case 3: width = min(UInt16(clamping: number), Self.largestWidth)
            case 4:
                precision =
                    number > 0 ? min(UInt16(clamping: number - 1), Self.largestPrecision) : nil
            case 5:
                guard let known = Notation(rawValue: UInt8(clamping: number)) else {
                    throw .malformed("the notation \(number)", want: "0 to 6")
                }
                notation = known
            default: break
            }
        }
    }
}

/// Reads a program's messages, within its bounds.
struct ProgramReader: ~Copyable {
    private var reader: ProtobufReader

    init(_ bytes: ArraySlice<UInt8>) { reader = ProtobufReader(bytes) }

    mutating func next() throws(ProgramError) -> ProtobufReader.Field? {
        do throws(ProtobufError) { return try reader.nextField() } catch {
            throw ProgramError(error)
        }
    }

    mutating func skip(_ field: ProtobufReader.Field) throws(ProgramError) {
        do throws(ProtobufError) { try reader.skip(field) } catch { throw ProgramError(error) }
    }

    mutating func number(_ field: ProtobufReader.Field) throws(ProgramError) -> UInt64 {
        do throws(ProtobufError) { return try reader.unsigned(field) } catch {
            throw ProgramError(error)
        }
    }

    mutating func text(_ field: ProtobufReader.Field) throws(ProgramError) -> String {
        let text: String
        do throws(ProtobufError) { text = try reader.string(field) } catch {
            throw ProgramError(error)
        }
        try Self.check(text.utf8.count, "bytes of a text", ProgramBounds.textBytes)
        return text
    }

    mutating func part(_ field: ProtobufReader.Field) throws(ProgramError) -> ArraySlice<UInt8> {
        do throws(ProtobufError) { return try reader.slice(field) } catch {
            throw ProgramError(error)
        }
    }

    mutating func numbers(
        _ field: ProtobufReader.Field, into values: inout [UInt64]
    ) throws(ProgramError) {
        do throws(ProtobufError) { try reader.appendVarints(field, to: &values) } catch {
            throw ProgramError(error)
        }
    }

    static func check(_ count: Int, _ what: String, _ limit: Int) throws(ProgramError) {
        guard count <= limit else { throw .tooMany(what, count, limit: limit) }
    }
}
