// SPDX-License-Identifier: Apache-2.0
// Walks a protobuf message without keeping its bytes alive: the inner loop of reading pprof.

internal import SondeWire

/// A place in a protobuf message that someone else holds.
///
/// ``ProtobufReader`` holds the bytes that it reads, which costs two atomic operations for each
/// nested message; a profile has tens of thousands of them. A cursor is two numbers, and every
/// call gets the bytes. Its rules and errors are the same.
struct WireCursor {
    private(set) var position: Int
    let end: Int

    /// The whole of some bytes.
    init(_ bytes: Span<UInt8>) {
        position = 0
        end = bytes.count
    }

    private init(position: Int, end: Int) {
        self.position = position
        self.end = end
    }

    /// A field's number and layout.
    struct Field {
        var number: Int
        var type: ProtobufWireType
    }

    /// Whether nothing is left.
    var isAtEnd: Bool { position >= end }

    /// How many bytes are left.
    var count: Int { end - position }

    @inline(__always)
    mutating func varint(_ bytes: Span<UInt8>) throws(ProtobufError) -> UInt64 {
        if position < end {
            let byte = bytes[position]
            if byte < 0x80 {
                position += 1
                return UInt64(byte)
            }
        }
        return try longVarint(bytes)
    }

    private mutating func longVarint(_ bytes: Span<UInt8>) throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end {
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

    /// The next field, or `nil` at the end of the message.
    @inline(__always)
    mutating func nextField(_ bytes: Span<UInt8>) throws(ProtobufError) -> Field? {
        guard position < end else { return nil }
        let tag = try varint(bytes)
        let type: ProtobufWireType
        switch tag & 7 {
        case 0: type = .varint
        case 1: type = .fixed64
        case 2: type = .lengthDelimited
        case 5: type = .fixed32
        default: throw .badTag(tag)
        }
        guard tag >= 8, tag >> 3 < 1 << 29 else { throw .badTag(tag) }
        return Field(number: Int(tag >> 3), type: type)
    }

    /// Passes over a field's value.
    mutating func skip(_ field: Field, _ bytes: Span<UInt8>) throws(ProtobufError) {
        switch field.type {
        case .varint: _ = try varint(bytes)
        case .fixed64: try advance(8)
        case .lengthDelimited: _ = try lengthDelimited(bytes)
        case .fixed32: try advance(4)
        }
    }

    private mutating func advance(_ count: Int) throws(ProtobufError) {
        guard count <= end - position else {
            throw .truncated(want: UInt64(count), got: end - position)
        }
        position += count
    }

    @inline(__always)
    private mutating func lengthDelimited(
        _ bytes: Span<UInt8>
    ) throws(ProtobufError) -> WireCursor {
        let length = try varint(bytes)
        guard length <= UInt64(end - position) else {
            throw .truncated(want: length, got: end - position)
        }
        let start = position
        position += Int(length)
        return WireCursor(position: start, end: position)
    }

    @inline(__always)
    private func expect(_ type: ProtobufWireType, _ field: Field) throws(ProtobufError) {
        guard field.type == type else {
            throw .wrongType(field: field.number, want: type, got: field.type)
        }
    }

    /// A nested message.
    @inline(__always)
    mutating func message(
        _ field: Field, _ bytes: Span<UInt8>
    ) throws(ProtobufError) -> WireCursor {
        try expect(.lengthDelimited, field)
        return try lengthDelimited(bytes)
    }

    /// A `uint64`, `int64` or `bool` value.
    @inline(__always)
    mutating func unsigned(_ field: Field, _ bytes: Span<UInt8>) throws(ProtobufError) -> UInt64 {
        try expect(.varint, field)
        return try varint(bytes)
    }

    /// An `int64` value.
    @inline(__always)
    mutating func signed(_ field: Field, _ bytes: Span<UInt8>) throws(ProtobufError) -> Int64 {
        Int64(bitPattern: try unsigned(field, bytes))
    }

    /// A `string` value; not valid UTF-8 is an error.
    mutating func string(_ field: Field, _ bytes: Span<UInt8>) throws(ProtobufError) -> String {
        let text = try message(field, bytes)
        do {
            return String(
                copying: try UTF8Span(validating: bytes.extracting(text.position..<text.end)))
        } catch {
            throw .invalidUTF8(field: field.number)
        }
    }

    /// Appends the values of a repeated varint field, packed or not.
    ///
    /// Room is made once: growing step by step takes longer than reading.
    mutating func appendVarints<Number: FixedWidthInteger>(
        _ field: Field, _ bytes: Span<UInt8>, to values: inout [Number]
    ) throws(ProtobufError) {
        guard field.type == .lengthDelimited else {
            values.append(Number(truncatingIfNeeded: try unsigned(field, bytes)))
            return
        }
        var packed = try lengthDelimited(bytes)
        var count = 0
        for index in packed.position..<packed.end where bytes[index] < 0x80 { count += 1 }
        values.reserveCapacity(values.count + count)
        while packed.position < packed.end {
            values.append(Number(truncatingIfNeeded: try packed.varint(bytes)))
        }
    }
}
