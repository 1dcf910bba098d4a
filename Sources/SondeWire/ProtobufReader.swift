// SPDX-License-Identifier: Apache-2.0
// Reads the protobuf wire format from bytes that nobody vouches for.

/// Reads one protobuf message, field by field, out of untrusted bytes.
///
///     var reader = ProtobufReader(body)
///     while let field = try reader.nextField() {
///         switch field.number {
///         case 1: name = try reader.string(field)
///         case 2: try reader.repeatedVarint(field) { ids.append($0) }
///         default: try reader.skip(field)
///         }
///     }
///
/// Every field that ``nextField()`` returns must be read or skipped before the next one. No call
/// reads outside of the message, and none allocates more than the message is long.
/// Source: protobuf.dev, "Encoding".
package struct ProtobufReader: ~Copyable {
    @usableFromInline let bytes: ArraySlice<UInt8>
    @usableFromInline var position: Int

    /// A reader of a whole message.
    package init(_ bytes: [UInt8]) {
        self.init(bytes[...])
    }

    /// A reader of a message that is a part of other bytes.
    @inlinable
    package init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    /// A field's number and layout.
    package struct Field: Hashable, Sendable {
        /// The field's number, 1...536870911.
        package let number: Int
        /// How its value is laid out.
        package let type: ProtobufWireType

        @inlinable
        init(number: Int, type: ProtobufWireType) {
            self.number = number
            self.type = type
        }
    }

    /// The next field, or `nil` at the end of the message.
    @inlinable
    package mutating func nextField() throws(ProtobufError) -> Field? {
        guard position < bytes.endIndex else { return nil }
        let tag = try varint()
        guard let type = ProtobufWireType(rawValue: UInt8(tag & 7)),
            (1..<1 << 29).contains(tag >> 3)
        else { throw .badTag(tag) }
        return Field(number: Int(tag >> 3), type: type)
    }

    /// Passes over a field's value.
    @inlinable
    package mutating func skip(_ field: Field) throws(ProtobufError) {
        switch field.type {
        case .varint: _ = try varint()
        case .fixed64: _ = try take(8)
        case .lengthDelimited: _ = try lengthDelimited()
        case .fixed32: _ = try take(4)
        }
    }

    /// A `uint64`, `uint32` or enum value.
    @inlinable
    package mutating func unsigned(_ field: Field) throws(ProtobufError) -> UInt64 {
        try expect(.varint, field)
        return try varint()
    }

    /// An `int64` or `int32` value.
    @inlinable
    package mutating func signed(_ field: Field) throws(ProtobufError) -> Int64 {
        Int64(bitPattern: try unsigned(field))
    }

    /// A `bool` value.
    package mutating func bool(_ field: Field) throws(ProtobufError) -> Bool {
        try unsigned(field) != 0
    }

    /// A `fixed64` value.
    package mutating func fixed64(_ field: Field) throws(ProtobufError) -> UInt64 {
        try expect(.fixed64, field)
        var bits: UInt64 = 0
        for (index, byte) in try take(8).enumerated() {
            bits |= UInt64(byte) << (8 * UInt64(index))
        }
        return bits
    }

    /// A `double` value.
    package mutating func double(_ field: Field) throws(ProtobufError) -> Double {
        Double(bitPattern: try fixed64(field))
    }

    /// A `bytes` value or a nested message, as a part of this message's bytes.
    @inlinable
    package mutating func slice(_ field: Field) throws(ProtobufError) -> ArraySlice<UInt8> {
        try expect(.lengthDelimited, field)
        return try lengthDelimited()
    }

    /// A `string` value; not valid UTF-8 is an error.
    package mutating func string(_ field: Field) throws(ProtobufError) -> String {
        let slice = try slice(field)
        guard let text = String(validating: slice, as: UTF8.self) else {
            throw .invalidUTF8(field: field.number)
        }
        return text
    }

    /// The values of a repeated varint field, packed or not.
    @inlinable
    package mutating func repeatedVarint(
        _ field: Field, _ body: (UInt64) throws(ProtobufError) -> Void
    ) throws(ProtobufError) {
        guard field.type == .lengthDelimited else {
            try body(try unsigned(field))
            return
        }
        var packed = ProtobufReader(try lengthDelimited())
        while packed.position < packed.bytes.endIndex { try body(try packed.varint()) }
    }

    /// Appends the values of a repeated varint field, packed or not, to an array.
    ///
    /// Room is made once: growing step by step takes longer than reading.
    @inlinable
    package mutating func appendVarints(
        _ field: Field, to values: inout [UInt64]
    ) throws(ProtobufError) {
        guard field.type == .lengthDelimited else {
            values.append(try unsigned(field))
            return
        }
        var packed = ProtobufReader(try lengthDelimited())
        var count = 0
        for byte in packed.bytes where byte < 0x80 { count += 1 }
        values.reserveCapacity(values.count + count)
        while packed.position < packed.bytes.endIndex { values.append(try packed.varint()) }
    }

    @inlinable
    mutating func varint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            if shift == 63, byte > 1 { throw .varintTooLong }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { throw .varintTooLong }
        }
        throw .truncated(want: 1, got: 0)
    }

    @inlinable
    mutating func lengthDelimited() throws(ProtobufError) -> ArraySlice<UInt8> {
        let length = try varint()
        guard length <= UInt64(bytes.endIndex - position) else {
            throw .truncated(want: length, got: bytes.endIndex - position)
        }
        return try take(Int(length))
    }

    @inlinable
    mutating func take(_ count: Int) throws(ProtobufError) -> ArraySlice<UInt8> {
        guard count <= bytes.endIndex - position else {
            throw .truncated(want: UInt64(count), got: bytes.endIndex - position)
        }
        defer { position += count }
        return bytes[position..<position + count]
    }

    @inlinable
    func expect(_ type: ProtobufWireType, _ field: Field) throws(ProtobufError) {
        guard field.type == type else {
            throw .wrongType(field: field.number, want: type, got: field.type)
        }
    }
}

/// Why bytes are no message of the kind that was expected.
package enum ProtobufError: Error, Hashable, CustomStringConvertible {
    /// The message ends inside a value.
    case truncated(want: UInt64, got: Int)
    /// A varint has more than 64 bits.
    case varintTooLong
    /// A field's tag has no valid number or layout.
    case badTag(UInt64)
    /// A field has another layout than its definition says.
    case wrongType(field: Int, want: ProtobufWireType, got: ProtobufWireType)
    /// A string field's bytes are not UTF-8.
    case invalidUTF8(field: Int)
    /// A repeated field has more elements than are kept.
    case tooManyElements(field: Int, limit: Int)

    package var description: String {
        switch self {
        case .truncated(let want, let got):
            "cannot read protobuf: got \(got) bytes; want \(want)"
        case .varintTooLong:
            "cannot read protobuf: got a varint of more than 64 bits; want at most 64"
        case .badTag(let tag):
            "cannot read protobuf: got the tag \(tag); want a field from 1 and a layout 0, 1, 2 or 5"
        case .wrongType(let field, let want, let got):
            "cannot read protobuf field \(field): got the layout \(got); want \(want)"
        case .invalidUTF8(let field):
            "cannot read protobuf field \(field): got bytes that are not UTF-8; want UTF-8"
        case .tooManyElements(let field, let limit):
            "cannot read protobuf field \(field): got more than \(limit) elements; want fewer"
        }
    }
}
