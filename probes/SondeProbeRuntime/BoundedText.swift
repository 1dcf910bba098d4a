// SPDX-License-Identifier: Apache-2.0
// Text that grows up to a limit, and how characters that could do harm are shown.

/// Text of at most a number of bytes; what comes after is left out, and said to be.
struct BoundedText {
    private var bytes: [UInt8] = []
    private var isCut = false
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Adds as much as there is room for, in whole characters.
    mutating func append(_ text: String) {
        guard !isCut else { return }
        let room = limit &- bytes.count
        guard text.utf8.count > room else {
            bytes.append(contentsOf: text.utf8)
            return
        }
        isCut = true
        var used = 0
        for scalar in text.unicodeScalars {
            let width = UTF8.width(scalar)
            guard used &+ width <= room else { break }
            used &+= width
        }
        bytes.append(contentsOf: text.utf8.prefix(used))
    }

    /// The text.
    var string: String { String(decoding: bytes, as: UTF8.self) + (isCut ? "..." : "") }
}

/// Shows control characters as Swift writes them in a literal, so that none reaches a terminal.
enum Escaping {
    /// The text with control characters escaped, and in quotes if asked for.
    ///
    /// Line feeds and tabs stay as they are outside of quotes.
    static func text(_ text: String, isQuoted: Bool) -> String {
        let isHarmless = text.utf8.allSatisfy {
            $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\")
        }
        if isHarmless { return isQuoted ? "\"\(text)\"" : text }
        var result = String.UnicodeScalarView()
        if isQuoted { result.append("\"") }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22 where isQuoted, 0x5C where isQuoted:
                result.append("\\")
                result.append(scalar)
            case 0x09, 0x0A:
                if isQuoted {
                    result.append("\\")
                    result.append(scalar.value == 0x09 ? "t" : "n")
                } else {
                    result.append(scalar)
                }
            case 0x00...0x1F, 0x7F...0x9F, 0x2028...0x202E, 0x2066...0x2069:
                result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default: result.append(scalar)
            }
        }
        if isQuoted { result.append("\"") }
        return String(result)
    }
}
