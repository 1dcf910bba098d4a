// SPDX-License-Identifier: Apache-2.0
// Takes a multipart/form-data body apart.

/// The parts of a `multipart/form-data` body.
///
/// Source: RFC 7578 and RFC 2046, section 5.1. Lenient where clients differ: a part needs no
/// `filename`, lines may end in LF alone, and what stands before the first boundary is passed over.
package struct MultipartForm: Sendable {
    /// The most parts of a body.
    package static let partLimit = 64
    /// The most bytes of one part's header fields.
    package static let headLimit = 16 << 10

    /// One part.
    package struct Part: Sendable {
        /// The field's name.
        package var name: String
        /// The content.
        package var content: ArraySlice<UInt8>
    }

    /// The parts in their order.
    package private(set) var parts: [Part] = []

    /// Takes a body apart.
    ///
    /// - Parameters:
    ///   - body: The body.
    ///   - contentType: The value of `Content-Type`, which names the boundary.
    /// - Throws: ``MultipartError``.
    package init(_ body: [UInt8], contentType: String) throws(MultipartError) {
        guard let boundary = Self.parameter("boundary", of: contentType),
            (1...200).contains(boundary.utf8.count)
        else {
            throw MultipartError(got: "no boundary in Content-Type", want: "boundary=...")
        }
        let delimiter = Array("--\(boundary)".utf8)
        var search = Search(body, delimiter)
        guard var position = search.next(from: 0, isFirst: true) else {
            throw MultipartError(got: "no part", want: "a line --\(boundary)")
        }
        while true {
            position += delimiter.count
            if body[position...].starts(with: "--".utf8) { return }
            position += body[position...].prefix { $0 == 32 || $0 == 9 }.count
            guard let start = Self.lineEnd(body, position) else {
                throw MultipartError(got: "a boundary without an end of line", want: "one")
            }
            guard let end = search.next(from: start, isFirst: false) else {
                throw MultipartError(got: "a body that ends inside a part", want: "--\(boundary)--")
            }
            guard parts.count < Self.partLimit else {
                throw MultipartError(
                    got: "more than \(Self.partLimit) parts", want: "at most \(Self.partLimit)")
            }
            // The line feed before a boundary belongs to it, and so does its carriage return.
            var contentEnd = max(start, end - 1)
            if contentEnd > start, body[contentEnd - 1] == 13 { contentEnd -= 1 }
            if let part = try Self.part(body[start..<contentEnd]) { parts.append(part) }
            position = end
        }
    }

    /// The content of the first part of a name, or `nil` when there is none.
    package subscript(name: String) -> ArraySlice<UInt8>? {
        parts.first { $0.name == name }?.content
    }

    /// A part's name and content; `nil` when it has no name.
    private static func part(_ bytes: ArraySlice<UInt8>) throws(MultipartError) -> Part? {
        var position = bytes.startIndex
        var name: String?
        while true {
            let line = bytes[position...].prefix(headLimit + 1).prefix { $0 != 10 }
            guard line.endIndex - bytes.startIndex <= headLimit else {
                throw MultipartError(
                    got: "a part with more than \(headLimit) bytes of header fields",
                    want: "at most \(headLimit)")
            }
            guard line.endIndex < bytes.endIndex else {
                throw MultipartError(
                    got: "a part without an end of its header fields", want: "an empty line")
            }
            position = line.endIndex + 1
            let text = String(decoding: line.last == 13 ? line.dropLast() : line, as: UTF8.self)
            if text.isEmpty { break }
            let halves = text.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, halves[0].lowercased() == "content-disposition" else {
                continue
            }
            name = parameter("name", of: String(halves[1]))
        }
        return name.map { Part(name: $0, content: bytes[position...]) }
    }

    private static func lineEnd(_ body: [UInt8], _ position: Int) -> Int? {
        if body[position...].starts(with: [13, 10]) { return position + 2 }
        return position < body.endIndex && body[position] == 10 ? position + 1 : nil
    }

    /// The value of a parameter such as `; name="x"`, without its quotes.
    static func parameter(_ name: String, of value: String) -> String? {
        let bytes = Array(value.utf8)
        var position = bytes.firstIndex(of: UInt8(ascii: ";")) ?? bytes.endIndex
        while position < bytes.endIndex {
            position += 1
            let key = bytes[position...].prefix { !"=;".utf8.contains($0) }
            position = key.endIndex
            guard position < bytes.endIndex, bytes[position] == UInt8(ascii: "=") else { continue }
            var text: [UInt8] = []
            position += 1
            if position < bytes.endIndex, bytes[position] == UInt8(ascii: "\"") {
                position += 1
                while position < bytes.endIndex, bytes[position] != UInt8(ascii: "\"") {
                    if bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.endIndex {
                        position += 1
                    }
                    text.append(bytes[position])
                    position += 1
                }
                position = bytes[position...].firstIndex(of: UInt8(ascii: ";")) ?? bytes.endIndex
            } else {
                text = Array(bytes[position...].prefix { $0 != UInt8(ascii: ";") })
                position += text.count
                text.removeAll { $0 == 32 }
            }
            let spelled = String(decoding: key.filter { $0 != 32 && $0 != 9 }, as: UTF8.self)
            if spelled.lowercased() == name { return String(decoding: text, as: UTF8.self) }
        }
        return nil
    }

    /// Finds boundaries that stand at the beginning of a line.
    private struct Search {
        private let body: [UInt8]
        private let delimiter: [UInt8]

        init(_ body: [UInt8], _ delimiter: [UInt8]) {
            self.body = body
            self.delimiter = delimiter
        }

        /// The next boundary; the first one may stand at the very beginning.
        mutating func next(from start: Int, isFirst: Bool) -> Int? {
            var line = start
            while line + delimiter.count <= body.count {
                let isLine = line == 0 ? isFirst : body[line - 1] == 10
                if isLine, body[line...].starts(with: delimiter) { return line }
                guard let end = body[line...].firstIndex(of: 10) else { return nil }
                line = end + 1
            }
            return nil
        }
    }
}

/// Why a body is no form.
package struct MultipartError: Error, Hashable, CustomStringConvertible {
    /// `cannot read the form: <what was found>; want <what>`.
    package var description: String

    init(got: String, want: String) {
        description = "cannot read the form: got \(got); want \(want)"
    }
}
