// SPDX-License-Identifier: Apache-2.0
// What every message of our protocols can do: be written, and be read from untrusted bytes.

/// A message that can be written as protobuf and read back.
package protocol ProtobufMessage: Sendable, Hashable {
    /// Reads the message from untrusted bytes. Fields that are not known are passed over.
    ///
    /// - Parameter bytes: The whole message.
    /// - Throws: ``ProtobufError`` when the bytes are no such message, or hold more elements than
    ///   the message's limits allow.
    init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError)

    /// Writes the message's fields.
    func write(to writer: inout ProtobufWriter)
}

extension ProtobufMessage {
    /// The message's bytes.
    package func encode() -> [UInt8] {
        var writer = ProtobufWriter()
        write(to: &writer)
        return writer.bytes
    }
}

extension ProtobufWriter {
    /// Writes a message field when there is a value.
    mutating func write(_ value: (some ProtobufMessage)?, field: Int) {
        guard let value else { return }
        message(field: field) { value.write(to: &$0) }
    }

    /// Writes a repeated message field.
    mutating func write(_ values: [some ProtobufMessage], field: Int) {
        for value in values { message(field: field) { value.write(to: &$0) } }
    }
}

extension ProtobufReader {
    /// The most elements of one repeated field that are kept.
    ///
    /// An element needs two bytes on the wire and many more in memory, so a bound on the body alone
    /// would not bound memory.
    static let maximumElements = 65_536

    /// Reads one element of a repeated message field and appends it.
    mutating func append<Message: ProtobufMessage>(
        _ field: Field, to elements: inout [Message]
    ) throws(ProtobufError) {
        try checkRoom(field, elements.count)
        elements.append(try Message(decoding: slice(field)))
    }

    /// Reads one element of a repeated string field and appends it.
    mutating func append(_ field: Field, to elements: inout [String]) throws(ProtobufError) {
        try checkRoom(field, elements.count)
        elements.append(try string(field))
    }

    private func checkRoom(_ field: Field, _ count: Int) throws(ProtobufError) {
        guard count < Self.maximumElements else {
            throw .tooManyElements(field: field.number, limit: Self.maximumElements)
        }
    }
}
