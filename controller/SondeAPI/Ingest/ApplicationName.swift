// SPDX-License-Identifier: Apache-2.0
// The `name` of /ingest: an application and its labels, `app.cpu{region=eu,host=a}`.

package import SondeModel

/// The `name` of a profile that comes through `/ingest`.
package struct ApplicationName: Hashable, Sendable {
    /// What stands before the labels, trimmed; never empty.
    package var application: String
    /// The labels in the order in which they stand; a name that stands twice has its last value.
    package var labels: [Label]

    /// Reads a name.
    ///
    /// Keys and values are trimmed; a value may stand in quotes, in which commas and braces are
    /// its own.
    ///
    /// - Throws: ``APIError`` `invalidArgument` when there is no application or the labels do not
    ///   end.
    package init(_ text: String) throws(APIError) {
        let bytes = Array(text.utf8)
        let open = bytes.firstIndex(of: UInt8(ascii: "{")) ?? bytes.endIndex
        application = Self.trimmed(bytes[..<open])
        labels = []
        guard !application.isEmpty else {
            throw Self.malformed(text, "want an application before the labels")
        }
        guard open < bytes.endIndex else { return }
        var position = open + 1
        while true {
            var key: ArraySlice<UInt8> = []
            key = bytes[position...].prefix { !",}=".utf8.contains($0) }
            position += key.count
            guard position < bytes.endIndex else { throw Self.malformed(text, "want } at its end") }
            if bytes[position] == UInt8(ascii: "=") {
                let value = try Self.value(bytes, &position, text)
                try add(Self.trimmed(key), value, text)
            } else if !Self.trimmed(key).isEmpty {
                throw Self.malformed(text, "want key=value")
            }
            position += 1
            if bytes[position - 1] == UInt8(ascii: "}") { break }
        }
        guard Self.trimmed(bytes[position...]).isEmpty else {
            throw Self.malformed(text, "want nothing behind the labels")
        }
    }

    /// The label of a name.
    package subscript(name: String) -> String? { labels.first { $0.name == name }?.value }

    private mutating func add(_ key: String, _ value: String, _ text: String) throws(APIError) {
        guard !key.isEmpty else { throw Self.malformed(text, "want a key before each =") }
        labels.removeAll { $0.name == key }
        labels.append(Label(name: key, value: value))
    }

    /// The value after the `=` at a position, which moves to the comma or brace behind it.
    private static func value(
        _ bytes: [UInt8], _ position: inout Int, _ text: String
    ) throws(APIError) -> String {
        position += 1
        let quote = UInt8(ascii: "\"")
        let start = bytes[position...].prefix { $0 == UInt8(ascii: " ") }.endIndex
        if start < bytes.endIndex, bytes[start] == quote,
            let end = bytes[(start + 1)...].firstIndex(of: quote)
        {
            let next = bytes[(end + 1)...].prefix { $0 == UInt8(ascii: " ") }.endIndex
            if next < bytes.endIndex, ",}".utf8.contains(bytes[next]) {
                position = next
                return String(decoding: bytes[(start + 1)..<end], as: UTF8.self)
            }
        }
        let value = bytes[position...].prefix { !",}".utf8.contains($0) }
        position = value.endIndex
        guard position < bytes.endIndex else { throw malformed(text, "want } at its end") }
        return trimmed(value)
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> String {
        func isBlank(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
        let front = bytes.drop(while: isBlank)
        let count = front.reversed().drop(while: isBlank).count
        return String(decoding: front.prefix(count), as: UTF8.self)
    }

    private static func malformed(_ text: String, _ want: String) -> APIError {
        APIError(
            .invalidArgument,
            "cannot read the name: got \(text.quotedForMessage); \(want), such as app.cpu{region=eu}"
        )
    }
}
