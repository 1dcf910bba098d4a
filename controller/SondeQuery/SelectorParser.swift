// SPDX-License-Identifier: Apache-2.0
// Reads selectors: PromQL's vector selector and the bare name of a service.

internal import SondeModel

/// Reads one selector, byte by byte; every error names its place.
///
/// Source: prometheus.io, "Querying basics", "Time series selectors" and "String literals".
struct SelectorParser {
    /// The most bytes of a selector.
    static let maximumLength = 16 * 1024
    /// The most matchers of a selector.
    static let maximumMatchers = 64

    let text: String
    let bytes: [UInt8]
    /// Where reading stands.
    var position = 0
    /// What a person calls the text.
    private let what: String

    init(_ text: String, what: String = "selector") throws(QueryError) {
        guard text.utf8.count <= Self.maximumLength else {
            throw QueryError(
                .invalidArgument,
                "cannot read \(what): got \(text.utf8.count) bytes; "
                    + "want at most \(Self.maximumLength)")
        }
        self.text = text
        self.what = what
        bytes = Array(text.utf8)
    }

    /// Reads the whole text.
    mutating func selector() throws(QueryError) -> [Selector.Matcher] {
        skipSpace()
        guard let first = peek() else { return [] }
        var matchers: [Selector.Matcher] = []
        if first != UInt8(ascii: "{") {
            let word = try bareWord()
            skipSpace()
            guard peek() != nil else {
                return [word.contains(":") ? Self.metric(word) : Self.service(word)]
            }
            matchers.append(Self.metric(word))
        }
        matchers += try braces(counting: matchers.count)
        skipSpace()
        if peek() != nil { throw unexpected(want: "the end after \"}\"") }
        return matchers
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func service(_ name: String) -> Selector.Matcher {
        Selector.Matcher(name: LabelName.service, equals: name)
    }

    private static func metric(_ name: String) -> Selector.Matcher {
        let type = ProfileType(name)
        return Selector.Matcher(
            name: type == nil ? LabelName.metric : LabelName.profileType,
            equals: type?.description ?? name)
    }

    /// Reads matchers in braces.
    mutating func braces(counting before: Int = 0) throws(QueryError) -> [Selector.Matcher] {
        guard peek() == UInt8(ascii: "{") else {
            throw unexpected(want: "\"{\", or one word: the name of a service")
        }
        position += 1
        var matchers: [Selector.Matcher] = []
        while true {
            skipSpace()
            if peek() == UInt8(ascii: "}") { break }
            guard before + matchers.count < Self.maximumMatchers else {
                throw unexpected(want: "at most \(Self.maximumMatchers) matchers")
            }
            matchers.append(try matcher())
            skipSpace()
            switch peek() {
            case UInt8(ascii: ","): position += 1
            case UInt8(ascii: "}"): continue
            default: throw unexpected(want: "\",\" or \"}\"")
            }
        }
        position += 1
        return matchers
    }

    private mutating func matcher() throws(QueryError) -> Selector.Matcher {
        let name = try labelName()
        skipSpace()
        if name.isQuoted, peek() == UInt8(ascii: ",") || peek() == UInt8(ascii: "}") {
            return Self.metric(name.text)  // {"a.metric"} is how PromQL quotes a metric's name
        }
        let operation = try self.operation()
        skipSpace()
        let start = position
        guard isQuote(peek()) else { throw unexpected(want: "a value in quotes") }
        let value = try quoted()
        do {
            return try Selector.Matcher(name: name.text, operation: operation, value: value)
        } catch {
            // The place inside the pattern is that in the text unless escapes stand before it.
            throw failure(at: start + 1 + error.offset, error.reason)
        }
    }

    private mutating func labelName() throws(QueryError) -> (text: String, isQuoted: Bool) {
        let start = position
        if isQuote(peek()) {
            let name = try quoted()
            guard !name.isEmpty else {
                throw failure(at: start, "an empty label name; want a name")
            }
            return (name, true)
        }
        while let byte = peek(), Self.isNameByte(byte) { position += 1 }
        let name = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let first = name.utf8.first else { throw unexpected(want: "a label name") }
        if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) {
            throw failure(
                at: start,
                "the name \"\(name)\"; want one that does not begin with a digit, "
                    + "or quotes around it")
        }
        return (name, false)
    }

    private mutating func operation() throws(QueryError) -> Selector.Operation {
        let rest = bytes[position...]
        for operation in [Selector.Operation.matches, .notMatches, .notEqual, .equal]
        where rest.starts(with: operation.rawValue.utf8) {
            position += operation.rawValue.utf8.count
            return operation
        }
        throw unexpected(want: "one of = != =~ !~")
    }

    private mutating func bareWord() throws(QueryError) -> String {
        let start = position
        while let byte = peek(), !Self.endsWord(byte) { position += 1 }
        guard position > start else {
            throw unexpected(want: "\"{\", or the name of a service")
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private static func endsWord(_ byte: UInt8) -> Bool {
        byte <= UInt8(ascii: " ") || "{}()[],=!~\"'`".utf8.contains(byte)
    }

    func isQuote(_ byte: UInt8?) -> Bool {
        byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") || byte == UInt8(ascii: "`")
    }

    mutating func quoted() throws(QueryError) -> String {
        let start = position
        var literal = StringLiteral(bytes: bytes, start: position)
        do throws(StringLiteral.Failure) {
            let value = try literal.read()
            position = literal.position
            return value
        } catch {
            throw failure(at: error.isUnterminated ? start : error.offset, error.reason)
        }
    }

    func peek() -> UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    mutating func skipSpace() {
        while let byte = peek(), byte == 32 || (9...13).contains(byte) { position += 1 }
    }

    func unexpected(want: String) -> QueryError {
        guard position < bytes.count else { return failure(at: position, "the end; want \(want)") }
        let rest = String(decoding: bytes[position...].prefix(8), as: UTF8.self)
        let character = rest.first.map(String.init) ?? ""
        return failure(at: position, "\"\(character)\"; want \(want)")
    }

    func failure(at offset: Int, _ found: String) -> QueryError {
        QueryError(cannot: "read \(what)", in: text, at: offset, found: found)
    }
}
