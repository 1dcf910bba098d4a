// SPDX-License-Identifier: Apache-2.0
// Writes JSON straight into bytes, members in the order in which they are given.

/// Writes one JSON text.
///
///     var json = JSONWriter()
///     json.object { json in
///         json.member("name", "cpu")
///         json.member("points") { $0.array(points) { json, point in json.value(point) } }
///     }
package struct JSONWriter: Sendable {
    /// The text so far.
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// A writer that has written nothing.
    package init() {}

    /// Writes an object; `body` writes its members.
    package mutating func object(_ body: (inout JSONWriter) -> Void) {
        open(UInt8(ascii: "{"))
        body(&self)
        close(UInt8(ascii: "}"))
    }

    /// Writes an array; `element` writes each of its elements.
    package mutating func array<Elements: Sequence>(
        _ elements: Elements, _ element: (inout JSONWriter, Elements.Element) -> Void
    ) {
        open(UInt8(ascii: "["))
        for item in elements { element(&self, item) }
        close(UInt8(ascii: "]"))
    }

    /// Writes an array of integers.
    package mutating func array(_ elements: some Sequence<some FixedWidthInteger>) {
        array(elements) { json, element in json.value(element) }
    }

    /// Writes an array of texts.
    package mutating func array(_ elements: some Sequence<String>) {
        array(elements) { json, element in json.value(element) }
    }

    /// Writes a member whose value `body` writes.
    package mutating func member(_ name: String, _ body: (inout JSONWriter) -> Void) {
        value(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
        body(&self)
        needsComma = true
    }

    /// Writes a member that is a text.
    package mutating func member(_ name: String, _ text: String) { member(name) { $0.value(text) } }

    /// Writes a member that is an integer.
    package mutating func member(_ name: String, _ number: some FixedWidthInteger) {
        member(name) { $0.value(number) }
    }

    /// Writes a member that is a number.
    package mutating func member(_ name: String, _ number: Double) {
        member(name) { $0.value(number) }
    }

    /// Writes a member that is true or false.
    package mutating func member(_ name: String, _ flag: Bool) { member(name) { $0.value(flag) } }

    /// Writes a text.
    package mutating func value(_ text: String) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            for byte in utf8 { append(escaping: byte) }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes an integer.
    package mutating func value(_ number: some FixedWidthInteger) {
        comma()
        append(magnitude: UInt64(number.magnitude), isNegative: number < 0)
    }

    /// Writes a number; one that JSON cannot hold (infinite, not a number) becomes null.
    package mutating func value(_ number: Double) {
        guard number.isFinite else { return null() }
        if number == number.rounded(), abs(number) < 1e15 { return value(Int64(number)) }
        comma()
        bytes.append(contentsOf: number.description.utf8)
    }

    /// Writes true or false.
    package mutating func value(_ flag: Bool) {
        comma()
        bytes.append(contentsOf: (flag ? "true" : "false").utf8)
    }

    /// Writes null.
    package mutating func null() {
        comma()
        bytes.append(contentsOf: "null".utf8)
    }

    private mutating func open(_ bracket: UInt8) {
        comma()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func comma() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func append(escaping byte: UInt8) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            bytes.append(UInt8(ascii: "\\"))
            bytes.append(byte)
        case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
        case 0..<32:
            let digits = Array("0123456789abcdef".utf8)
            bytes.append(contentsOf: "\\u00".utf8)
            bytes.append(digits[Int(byte >> 4)])
            bytes.append(digits[Int(byte & 15)])
        default: bytes.append(byte)
        }
    }

    private mutating func append(magnitude: UInt64, isNegative: Bool) {
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        guard magnitude > 9 else {
            bytes.append(UInt8(ascii: "0") + UInt8(magnitude))
            return
        }
        let start = bytes.count
        var rest = magnitude
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }
}
