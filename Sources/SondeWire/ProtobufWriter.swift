// SPDX-License-Identifier: Apache-2.0
// Writes the protobuf wire format.

/// Writes one protobuf message, field by field.
///
/// Default values (0, false, empty) are left out of singular fields, as proto3 says.
/// Source: protobuf.dev, "Encoding".
package struct ProtobufWriter: Sendable {
    /// The message's bytes so far.
    package private(set) var bytes: [UInt8] = []

    /// A writer with room for `capacity` bytes.
    package init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    /// Writes a `uint64`, `uint32` or enum field.
    package mutating func write(_ value: UInt64, field: Int) {
        guard value != 0 else { return }
        tag(field, .varint)
        varint(value)
    }

    /// Writes a varint field with presence (`optional`), also when it is 0.
    package mutating func writePresent(_ value: UInt64, field: Int) {
        tag(field, .varint)
        varint(value)
    }

    /// Writes an `int64` or `int32` field (two's complement, not zigzag).
    package mutating func write(_ value: Int64, field: Int) {
        write(UInt64(bitPattern: value), field: field)
    }

    /// Writes a `bool` field.
    package mutating func write(_ value: Bool, field: Int) {
        write(value ? 1 as UInt64 : 0, field: field)
    }

    /// Writes a `double` field.
    package mutating func write(_ value: Double, field: Int) {
        guard value.bitPattern != 0 else { return }
        tag(field, .fixed64)
        withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes a `string` field.
    package mutating func write(_ value: String, field: Int) {
        guard !value.isEmpty else { return }
        element(value, field: field)
    }

    /// Writes a `bytes` field.
    package mutating func write(_ value: [UInt8], field: Int) {
        guard !value.isEmpty else { return }
        tag(field, .lengthDelimited)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes one element of a `repeated string` field, also when it is empty.
    package mutating func element(_ value: String, field: Int) {
        tag(field, .lengthDelimited)
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    /// Writes one element of a `repeated bytes` field, also when it is empty.
    package mutating func element(_ value: [UInt8], field: Int) {
        tag(field, .lengthDelimited)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    /// Writes a message field, or one element of a repeated one, also when it is empty.
    package mutating func message(field: Int, _ body: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        body(&inner)
        tag(field, .lengthDelimited)
        varint(UInt64(inner.bytes.count))
        bytes.append(contentsOf: inner.bytes)
    }

    /// Writes a packed repeated varint field; nothing when it is empty.
    package mutating func packed(_ values: some Collection<UInt64>, field: Int) {
        guard !values.isEmpty else { return }
        var inner = ProtobufWriter(capacity: values.count * 2)
        for value in values { inner.varint(value) }
        tag(field, .lengthDelimited)
        varint(UInt64(inner.bytes.count))
        bytes.append(contentsOf: inner.bytes)
    }

    private mutating func tag(_ field: Int, _ type: ProtobufWireType) {
        varint(UInt64(field) << 3 | UInt64(type.rawValue))
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

/// How a field's value is laid out.
package enum ProtobufWireType: UInt8, Sendable {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
}
