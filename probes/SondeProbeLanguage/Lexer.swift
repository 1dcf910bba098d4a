// SPDX-License-Identifier: Apache-2.0
// Cuts an expression into tokens, one at a time.

/// Cuts an expression into tokens, one at a time.
struct Lexer {
    let source: SourceText
    let bytes: [UInt8]
    /// Where the next token is looked for.
    var position: Int
    /// Whether the last token was a dot: `.0.1` are two elements and not a fraction.
    private var followsDot = false

    init(_ source: SourceText, from position: Int = 0) {
        self.source = source
        self.bytes = Array(source.text.utf8)
        self.position = position
    }

    /// The byte at an offset from the position, or 0 behind the end.
    func peek(_ offset: Int = 0) -> UInt8 {
        position + offset < bytes.count ? bytes[position + offset] : 0
    }

    func failure(
        _ code: LanguageError.Code, found: String, want: String, _ start: Int, _ end: Int
    ) -> LanguageError {
        LanguageError(
            code: code, found: found, want: want, span: SourceSpan(start, end), source: source)
    }

    /// The next token; ``Token/Kind/end`` for ever at the end.
    mutating func next() throws(LanguageError) -> Token {
        let before = position
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
        let start = position
        let kind = try kind()
        followsDot = kind == .symbol(.dot)
        return Token(
            kind: kind, span: SourceSpan(start, position),
            followsSpace: start > before || start == 0)
    }

    private mutating func kind() throws(LanguageError) -> Token.Kind {
        guard position < bytes.count else { return .end }
        let first = bytes[position]
        if Self.isDigit(first) { return try number(asElement: followsDot) }
        if first == UInt8(ascii: "\"") { return .string(try string()) }
        if first == UInt8(ascii: "`") { return .name(try quotedName()) }
        if first == UInt8(ascii: "#") { return try context() }
        if isNameStart { return .name(name()) }
        for (symbol, spelling) in Symbol.spellings
        where bytes[position...].starts(with: spelling) {
            position += spelling.count
            return .symbol(symbol)
        }
        throw unexpectedCharacter()
    }

    /// A name; the position stands on its first scalar.
    private mutating func name() -> String {
        let start = position
        while let scalar = scalar(at: position), Self.continuesName(scalar) {
            position += String(scalar).utf8.count
        }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private var isNameStart: Bool {
        guard let scalar = scalar(at: position) else { return false }
        return Self.startsName(scalar)
    }

    private mutating func quotedName() throws(LanguageError) -> String {
        let start = position
        position += 1
        guard isNameStart else {
            throw failure(
                .unexpectedCharacter, found: "a backtick without a name",
                want: "a name between backticks, such as `default`", start, position)
        }
        let text = name()
        guard peek() == UInt8(ascii: "`") else {
            throw failure(
                .unbalanced, found: "a backtick that is not closed",
                want: "a second backtick behind the name", start, position)
        }
        position += 1
        return text
    }

    private mutating func context() throws(LanguageError) -> Token.Kind {
        let start = position
        position += 1
        guard isNameStart else {
            throw failure(
                .unexpectedCharacter, found: "`#` without a name",
                want: "one of \(ContextValue.list)", start, position)
        }
        return .context(name())
    }

    private func unexpectedCharacter() -> LanguageError {
        let scalar = scalar(at: position) ?? "\u{FFFD}"
        let end = position + String(scalar).utf8.count
        let want =
            switch scalar {
            case "'", "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}", "\u{AB}", "\u{BB}":
                "straight double quotes around a string: \"…\""
            case "\u{A0}", "\u{2007}", "\u{202F}", "\u{200B}", "\u{FEFF}": "an ordinary blank"
            case "\u{2013}", "\u{2014}", "\u{2212}": "the ASCII minus sign `-`"
            default: "Swift expression syntax"
            }
        let isVisible = scalar.properties.generalCategory != .control
        let code = String(scalar.value, radix: 16, uppercase: true)
        let padded = String(repeating: "0", count: max(0, 4 - code.count)) + code
        let found =
            isVisible && scalar.value > 0x20
            ? "the character `\(scalar)` (U+\(padded))" : "the character U+\(padded)"
        return failure(.unexpectedCharacter, found: found, want: want, position, end)
    }

    /// The scalar at a byte; the text is valid UTF-8, as every `String` is.
    func scalar(at place: Int) -> Unicode.Scalar? {
        guard place < bytes.count else { return nil }
        let end = min(place + 4, bytes.count)
        return String(decoding: bytes[place..<end], as: UTF8.self).unicodeScalars.first
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func startsName(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "_" || scalar == "$" || scalar.properties.isXIDStart
            || (scalar.value > 0xFF && scalar.properties.isEmoji)
    }

    static func continuesName(_ scalar: Unicode.Scalar) -> Bool {
        startsName(scalar) || scalar.properties.isXIDContinue
    }
}
