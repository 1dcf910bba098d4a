// SPDX-License-Identifier: Apache-2.0
// Why a question to the store cannot be answered as it was asked.

/// Why a question cannot be answered as it was asked: always the asker's to mend.
package struct QueryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kind of failure.
    package var code: Code
    /// `cannot <do what>: <what was found>; want <what>`, and where a text could not be read two
    /// more lines: the text, and a caret under the place.
    package var message: String

    /// An error from its parts.
    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// An error at a place in a text.
    ///
    /// - Parameters:
    ///   - what: What cannot be done, such as `read selector`.
    ///   - text: The text as it was given.
    ///   - offset: The place, in bytes from the start of `text`.
    ///   - found: What stands there; want after it.
    package init(cannot what: String, in text: String, at offset: Int, found: String) {
        let bytes = Array(text.utf8)
        let offset = min(max(0, offset), bytes.count)
        // 60 bytes on each side are enough to find the place, and bound the message.
        let first = offset > 60 ? offset - 60 : 0
        let last = min(bytes.count, offset + 60)
        let before = Self.printable(bytes[first..<offset])
        let after = Self.printable(bytes[offset..<last])
        let place = String(decoding: bytes[..<offset], as: UTF8.self).count + 1
        self.init(
            .invalidArgument,
            "cannot \(what): at position \(place) got \(found)\n  \(before)\(after)\n  "
                + String(repeating: " ", count: before.count) + "^")
    }

    package var description: String { message }

    /// The kinds of failure.
    package enum Code: String, Sendable {
        /// The question has no meaning.
        case invalidArgument
        /// The question has a meaning, but answering it would take too much.
        case tooExpensive
    }

    /// Text for a line of its own: control characters and broken UTF-8 would move the caret.
    private static func printable(_ bytes: ArraySlice<UInt8>) -> String {
        var rest = bytes
        while let byte = rest.first, byte & 0xC0 == 0x80 { rest = rest.dropFirst() }
        return String(
            String(decoding: rest, as: UTF8.self).map {
                $0.isNewline || $0.asciiValue.map { $0 < 32 || $0 == 127 } == true ? " " : $0
            })
    }
}
