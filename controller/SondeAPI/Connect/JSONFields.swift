// SPDX-License-Identifier: Apache-2.0
// Messages of procedures as protobuf's JSON.

package import SondeWire

extension ConnectMessage {
    /// Reads the message from untrusted JSON: names in either spelling, `null` is absent, what is
    /// not known is passed over.
    package init(json bytes: [UInt8]) throws(JSONError) {
        var reader = JSONReader(bytes)
        try self.init(&reader)
        try reader.end()
    }

    init(_ reader: inout JSONReader) throws(JSONError) {
        self.init()
        var message = self
        try reader.object { reader, name throws(JSONError) in
            guard !reader.null() else { return }
            var visitor = JSONFieldReader(reader, at: name)
            try message.fields(&visitor)
            reader = try visitor.finish()
        }
        self = message
    }

    /// The message as JSON; fields that are not set are left out.
    package var json: JSONWriter {
        var visitor = JSONFieldWriter(JSONWriter())
        visitor.write(self)
        return visitor.json
    }
}

/// Writes fields as JSON: 64-bit integers in quotes, bytes in base64, default values left out.
private struct JSONFieldWriter: FieldVisitor {
    typealias Failure = Never
    var json: JSONWriter

    init(_ json: JSONWriter) { self.json = json }

    mutating func write(_ message: some ConnectMessage) {
        var message = message
        json.object { json in
            // Moved, so that there is one owner of the bytes at a time.
            var inner = JSONFieldWriter(json)
            json = JSONWriter()
            message.fields(&inner)
            json = inner.json
        }
    }

    private mutating func member(_ name: String, _ body: (inout JSONFieldWriter) -> Void) {
        json.member(jsonName(name)) { json in
            var inner = JSONFieldWriter(json)
            json = JSONWriter()
            body(&inner)
            json = inner.json
        }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout String) {
        if !value.isEmpty { json.member(jsonName(name), value) }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Int64) {
        if value != 0 { json.member(jsonName(name), String(value)) }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout UInt64) {
        if value != 0 { json.member(jsonName(name), String(value)) }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout UInt32) {
        if value != 0 { json.member(jsonName(name), value) }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Double) {
        guard value.bitPattern != 0 else { return }
        let number = value
        json.member(jsonName(name)) { Self.write(number, to: &$0) }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Bool) {
        if value { json.member(jsonName(name), true) }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout [UInt8]) {
        if !value.isEmpty { json.member(jsonName(name), Base64.text(value)) }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Int64?) {
        if let value { json.member(jsonName(name), String(value)) }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout String?) {
        if let value { json.member(jsonName(name), value) }
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [String]) {
        guard !values.isEmpty else { return }
        let texts = values
        json.member(jsonName(name)) { $0.array(texts) }
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [Int64]) {
        guard !values.isEmpty else { return }
        let numbers = values
        json.member(jsonName(name)) { $0.array(numbers.lazy.map { String($0) }) }
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [UInt64]) {
        guard !values.isEmpty else { return }
        let numbers = values
        json.member(jsonName(name)) { $0.array(numbers.lazy.map { String($0) }) }
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [Int32]) {
        guard !values.isEmpty else { return }
        let numbers = values
        json.member(jsonName(name)) { $0.array(numbers) }
    }

    mutating func field(_ number: Int, _ name: String, _ values: inout [Double]) {
        guard !values.isEmpty else { return }
        let numbers = values
        json.member(jsonName(name)) { json in
            json.array(numbers) { json, number in Self.write(number, to: &json) }
        }
    }

    mutating func field<Value: ConnectEnum>(_ number: Int, _ name: String, _ value: inout Value) {
        if value.rawValue != 0 { json.member(jsonName(name), value.name) }
    }

    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ value: inout Value?
    ) {
        guard let message = value else { return }
        member(name) { $0.write(message) }
    }

    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ values: inout [Value]
    ) {
        guard !values.isEmpty else { return }
        let messages = values
        json.member(jsonName(name)) { json in
            json.array(messages) { json, message in
                var inner = JSONFieldWriter(json)
                json = JSONWriter()
                inner.write(message)
                json = inner.json
            }
        }
    }

    /// Protobuf's JSON has words for what JSON has no numbers for.
    private static func write(_ number: Double, to json: inout JSONWriter) {
        switch number {
        case .infinity: json.value("Infinity")
        case -.infinity: json.value("-Infinity")
        case _ where number.isNaN: json.value("NaN")
        default: json.value(number)
        }
    }
}

/// Reads the one member at which an object stands, when the message shows it.
private struct JSONFieldReader: FieldVisitor {
    typealias Failure = JSONError
    private var reader: JSONReader
    private let current: String
    private var isRead = false

    init(_ reader: JSONReader, at name: String) {
        self.reader = reader
        current = name
    }

    /// The reader after the value, which is passed over when nobody knew it.
    mutating func finish() throws(JSONError) -> JSONReader {
        if !isRead { try reader.skip() }
        return reader
    }

    private mutating func takes(_ name: String) -> Bool {
        guard !isRead, name == current || jsonName(name) == current else { return false }
        isRead = true
        return true
    }

    mutating func field(
        _ number: Int, _ name: String, _ value: inout String
    ) throws(JSONError) {
        if takes(name) { value = try reader.string() }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Int64) throws(JSONError) {
        if takes(name) { value = try reader.int64() }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout UInt64) throws(JSONError) {
        if takes(name) { value = try reader.uint64() }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout UInt32) throws(JSONError) {
        if takes(name) { value = UInt32(clamping: try reader.uint64()) }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Double) throws(JSONError) {
        if takes(name) { value = try reader.protobufDouble() }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Bool) throws(JSONError) {
        if takes(name) { value = try reader.bool() }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout [UInt8]) throws(JSONError) {
        if takes(name) { value = try reader.base64() }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout Int64?) throws(JSONError) {
        if takes(name) { value = try reader.int64() }
    }

    mutating func field(_ number: Int, _ name: String, _ value: inout String?) throws(JSONError) {
        if takes(name) { value = try reader.string() }
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [String]
    ) throws(JSONError) {
        guard takes(name) else { return }
        try elements(of: &values) { reader throws(JSONError) in try reader.string() }
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [Int64]
    ) throws(JSONError) {
        guard takes(name) else { return }
        try elements(of: &values) { reader throws(JSONError) in try reader.int64() }
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [UInt64]
    ) throws(JSONError) {
        guard takes(name) else { return }
        try elements(of: &values) { reader throws(JSONError) in try reader.uint64() }
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [Int32]
    ) throws(JSONError) {
        guard takes(name) else { return }
        try elements(of: &values) { reader throws(JSONError) in
            Int32(clamping: try reader.int64())
        }
    }

    mutating func field(
        _ number: Int, _ name: String, _ values: inout [Double]
    ) throws(JSONError) {
        guard takes(name) else { return }
        try elements(of: &values) { reader throws(JSONError) in try reader.protobufDouble() }
    }

    mutating func field<Value: ConnectEnum>(
        _ number: Int, _ name: String, _ value: inout Value
    ) throws(JSONError) {
        guard takes(name) else { return }
        // A name or number that is not known is as if the field were absent.
        if reader.isAtString {
            let text = try reader.string()
            if let known = Value.allCases.first(where: { $0.name == text }) { value = known }
        } else if let known = Value(rawValue: Int(try reader.int64())) {
            value = known
        }
    }

    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ value: inout Value?
    ) throws(JSONError) {
        if takes(name) { value = try Value(&reader) }
    }

    mutating func field<Value: ConnectMessage>(
        _ number: Int, _ name: String, _ values: inout [Value]
    ) throws(JSONError) {
        guard takes(name) else { return }
        try elements(of: &values) { reader throws(JSONError) in try Value(&reader) }
    }

    private mutating func elements<Value>(
        of values: inout [Value], _ read: (inout JSONReader) throws(JSONError) -> Value
    ) throws(JSONError) {
        let limit = EmptyMessage.elementLimit
        var found = values
        try reader.array { reader throws(JSONError) in
            guard found.count < limit else {
                throw JSONError(
                    "cannot read JSON: got more than \(limit) elements of \(current); "
                        + "want at most \(limit)")
            }
            found.append(try read(&reader))
        }
        values = found
    }
}
