// SPDX-License-Identifier: Apache-2.0
// Messages of procedures as protobuf.

package import SondeWire

extension ConnectMessage {
    /// Reads the message from untrusted protobuf.
    package init(protobuf bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        self.init()
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            var visitor = ProtobufFieldReader(reader, at: field)
            try fields(&visitor)
            reader = try visitor.finish()
        }
    }

    /// The message as protobuf.
    package var protobuf: [UInt8] {
        var visitor = ProtobufFieldWriter()
        var message = self
        message.fields(&visitor)
        return visitor.writer.bytes
    }
}

/// Writes fields as protobuf; default values are left out.
private struct ProtobufFieldWriter: FieldVisitor {
    typealias Failure = Never
    var writer = ProtobufWriter()

    mutating func field(_ number: Int, _ name: String, _ value: inout String) {
        writer.write(value, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Int64) {
        writer.write(value, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout UInt64) {
        writer.write(value, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout UInt32) {
        writer.write(UInt64(value), field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Double) {
        writer.write(value, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Bool) {
        writer.write(value, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout [UInt8]) {
        writer.write(value, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Int64?) {
        guard let value else { return }
        writer.writePresent(UInt64(bitPattern: value), field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout String?) {
        guard let value else { return }
        writer.element(value, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [String]) {
        for value in values { writer.element(value, field: number) }
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [Int64]) {
        writer.packed(values.lazy.map { UInt64(bitPattern: $0) }, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [UInt64]) {
        writer.packed(values, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [Int32]) {
        writer.packed(values.lazy.map { UInt64(bitPattern: Int64($0)) }, field: number)
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [Double]) {
        guard !values.isEmpty else { return }
        var bytes: [UInt8] = []
        for value in values {
            for shift in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: value.bitPattern >> UInt64(shift * 8)))
            }
        }
        writer.element(bytes, field: number)
    }

    mutating func field<Value: ConnectEnum>(_ number: Int, _ name: String, _ value: inout Value) {
        writer.write(Int64(value.rawValue), field: number)
    }

    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ value: inout Value?
    ) {
        guard let value else { return }
        writer.element(value.protobuf, field: number)
    }

    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ values: inout [Value]
    ) {
        for value in values { writer.element(value.protobuf, field: number) }
    }
}

/// Reads the one field at which a message's bytes stand, when the message shows it.
private struct ProtobufFieldReader: FieldVisitor, ~Copyable {
    typealias Failure = ProtobufError
    private var reader: ProtobufReader
    private let current: ProtobufReader.Field
    private var isRead = false

    init(_ reader: consuming ProtobufReader, at field: ProtobufReader.Field) {
        self.reader = reader
        current = field
    }

    /// The reader after the field, which is passed over when nobody knew it.
    consuming func finish() throws(ProtobufError) -> ProtobufReader {
        if !isRead { try reader.skip(current) }
        return reader
    }

    private mutating func takes(_ number: Int) -> Bool {
        guard number == current.number, !isRead else { return false }
        isRead = true
        return true
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout String
    ) throws(ProtobufError) {
        if takes(number) { value = try reader.string(current) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout Int64
    ) throws(ProtobufError) {
        if takes(number) { value = try reader.signed(current) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout UInt64
    ) throws(ProtobufError) {
        if takes(number) { value = try reader.unsigned(current) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout UInt32
    ) throws(ProtobufError) {
        if takes(number) { value = UInt32(truncatingIfNeeded: try reader.unsigned(current)) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout Double
    ) throws(ProtobufError) {
        if takes(number) { value = try reader.double(current) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout Bool
    ) throws(ProtobufError) {
        if takes(number) { value = try reader.bool(current) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout [UInt8]
    ) throws(ProtobufError) {
        if takes(number) { value = Array(try reader.slice(current)) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout Int64?
    ) throws(ProtobufError) {
        if takes(number) { value = try reader.signed(current) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout String?
    ) throws(ProtobufError) {
        if takes(number) { value = try reader.string(current) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [String]
    ) throws(ProtobufError) {
        guard takes(number) else { return }
        try checkRoom(values.count)
        values.append(try reader.string(current))
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [Int64]
    ) throws(ProtobufError) {
        guard takes(number) else { return }
        try reader.repeatedVarint(current) { values.append(Int64(bitPattern: $0)) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [UInt64]
    ) throws(ProtobufError) {
        guard takes(number) else { return }
        try reader.appendVarints(current, to: &values)
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [Int32]
    ) throws(ProtobufError) {
        guard takes(number) else { return }
        try reader.repeatedVarint(current) { values.append(Int32(truncatingIfNeeded: $0)) }
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [Double]
    ) throws(ProtobufError) {
        guard takes(number) else { return }
        guard current.type == .lengthDelimited else {
            values.append(try reader.double(current))
            return
        }
        var bits: UInt64 = 0
        for (index, byte) in try reader.slice(current).enumerated() {
            bits |= UInt64(byte) << UInt64(index % 8 * 8)
            guard index % 8 == 7 else { continue }
            values.append(Double(bitPattern: bits))
            bits = 0
        }
    }

    mutating func field<Value: ConnectEnum>(
        _ number: Int, _ name: String, _ value: inout Value
    ) throws(ProtobufError) {
        guard takes(number) else { return }
        let number = Int(truncatingIfNeeded: try reader.signed(current))
        // A number that is not known is as if the field were absent.
        if let known = Value(rawValue: number) { value = known }
    }

    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ value: inout Value?
    ) throws(ProtobufError) {
        if takes(number) { value = try Value(protobuf: reader.slice(current)) }
    }

    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ values: inout [Value]
    ) throws(ProtobufError) {
        guard takes(number) else { return }
        try checkRoom(values.count)
        values.append(try Value(protobuf: reader.slice(current)))
    }

    /// An element needs two bytes on the wire and many more in memory.
    private func checkRoom(_ count: Int) throws(ProtobufError) {
        guard count < EmptyMessage.elementLimit else {
            throw .tooManyElements(field: current.number, limit: EmptyMessage.elementLimit)
        }
    }
}

/// A message without fields.
package struct EmptyMessage: ConnectMessage {
    package init() {}

    package mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure)
    {}
}
