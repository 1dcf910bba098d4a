// SPDX-License-Identifier: Apache-2.0
// A text that a person typed, and places in it that an error can point at.

/// A range of bytes of a template or a condition.
package struct SourceSpan: Hashable, Sendable {
    /// The first byte, counted from 0 in UTF-8.
    package var start: Int
    /// The byte after the last one.
    package var end: Int

    /// A span from its bounds; an empty one points between two bytes.
    package init(_ start: Int, _ end: Int) {
        self.start = start
        self.end = end
    }

    /// The span from the start of this one to the end of another.
    package func through(_ other: SourceSpan) -> SourceSpan {
        SourceSpan(start, max(end, other.end))
    }
}

/// A template, condition or expression as it was typed.
package struct SourceText: Hashable, Sendable {
    /// What a text is for.
    package enum Role: String, Hashable, Sendable {
        /// A log point's text with expressions in braces.
        case template
        /// A log point's condition.
        case condition
        /// One expression by itself.
        case expression
    }

    /// What the text is for, which errors name.
    package var role: Role
    /// The text.
    package var text: String

    /// A text from its parts.
    package init(_ text: String, role: Role) {
        self.text = text
        self.role = role
    }

    /// The column of a byte in its line, counted in characters from 1.
    package func column(of byte: Int) -> Int {
        let bytes = Array(text.utf8)
        let place = min(max(0, byte), bytes.count)
        let line = Self.line(around: place, in: bytes)
        return String(decoding: bytes[line.lowerBound..<place], as: UTF8.self).count + 1
    }

    /// The text of a span, cut at 80 characters.
    package func excerpt(_ span: SourceSpan) -> String {
        let bytes = Array(text.utf8)
        let start = min(max(0, span.start), bytes.count)
        let end = min(max(start, span.end), bytes.count)
        let excerpt = String(decoding: bytes[start..<end], as: UTF8.self)
        return excerpt.count > 80 ? excerpt.prefix(79) + "…" : excerpt
    }

    /// The line that a span begins in, and below it a `^` with `~` up to the span's end.
    ///
    /// A long line is cut around the span; control characters show as blanks, so that the mark
    /// stands where it should.
    package func caret(_ span: SourceSpan) -> String {
        let bytes = Array(text.utf8)
        let start = min(max(0, span.start), bytes.count)
        let line = Self.line(around: start, in: bytes)
        let end = min(max(start, span.end), line.upperBound)
        let before = Self.printable(bytes[line.lowerBound..<start])
        let marked = Self.printable(bytes[start..<end])
        let after = Self.printable(bytes[end..<line.upperBound])

        let head = before.count > 60 ? "…" + before.suffix(59) : before
        let body = marked.count > 60 ? marked.prefix(59) + "…" : marked
        let tail = after.count > 40 ? after.prefix(39) + "…" : after
        let mark = "^" + String(repeating: "~", count: max(0, body.count - 1))
        return head + body + tail + "\n" + String(repeating: " ", count: head.count) + mark
    }

    private static func printable(_ bytes: ArraySlice<UInt8>) -> String {
        String(String(decoding: bytes, as: UTF8.self).map { $0.isPrintable ? $0 : " " })
    }

    private static func line(around place: Int, in bytes: [UInt8]) -> Range<Int> {
        let newline = UInt8(ascii: "\n")
        let start = bytes[..<place].lastIndex(of: newline).map { $0 + 1 } ?? 0
        let end = bytes[place...].firstIndex(of: newline) ?? bytes.count
        return start..<end
    }
}

extension Character {
    /// Whether the character takes a column of its own on a terminal.
    fileprivate var isPrintable: Bool {
        unicodeScalars.allSatisfy {
            switch $0.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator, .surrogate: false
            default: true
            }
        }
    }
}
