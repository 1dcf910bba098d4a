// SPDX-License-Identifier: Apache-2.0
// Names whose values never leave the service.

/// Decides by a name whether its value is shown.
///
/// A listed name of five letters or more is found anywhere inside of a name, whatever the case and
/// with or without `_` between its words: `token` hides `accessToken`, `AUTH_TOKEN` and
/// `tokenizer`. A shorter one must be a whole word, or several: `ssn` hides `customerSSN` and not
/// `classname`.
package struct RedactedNames: Hashable, Sendable {
    /// The names that are hidden when nothing else is said.
    package static let builtIn: Set<String> = [
        "password", "passwd", "passphrase", "passcode", "pwd", "secret", "token", "apikey",
        "privatekey", "accesskey", "authorization", "bearer", "cookie", "credential", "sessionid",
        "ssn", "card", "cvv", "cvc", "iban", "pin",
    ]

    private let anywhere: [[UInt8]]
    private let words: Set<[UInt8]>

    /// A list.
    ///
    /// - Parameter changes: Names to add; one with a minus in front is taken off the built-in list.
    package init(_ changes: [String] = []) {
        var names = Self.builtIn
        for change in changes {
            let isRemoval = change.utf8.first == UInt8(ascii: "-")
            let name = String(decoding: Self.joined(Self.words(of: change)), as: UTF8.self)
            guard !name.isEmpty else { continue }
            if isRemoval { names.remove(name) } else { names.insert(name) }
        }
        anywhere = names.filter { $0.utf8.count >= 5 }.map { Array($0.utf8) }.sorted {
            $0.lexicographicallyPrecedes($1)
        }
        words = Set(names.filter { $0.utf8.count < 5 }.map { Array($0.utf8) })
    }

    /// Whether the value of this name is hidden; a name may be an expression or a type as well.
    package func hides(_ name: String) -> Bool {
        // A name that no person wrote is not looked through to its end.
        let parts = Self.words(of: String(decoding: name.utf8.prefix(4096), as: UTF8.self))
        guard !parts.isEmpty else { return false }
        if parts.contains(where: { isShort($0) }) { return true }
        // `api.key` is two names and `apiKey` one, but a secret by any other spelling is hidden.
        let whole = Self.joined(parts)
        return anywhere.contains { Self.contains(whole, $0) }
    }

    private func isShort(_ word: [UInt8]) -> Bool {
        if words.contains(word) { return true }
        guard word.last == UInt8(ascii: "s") else { return false }
        return words.contains(Array(word.dropLast()))
    }

    private static func joined(_ words: [[UInt8]]) -> [UInt8] { words.flatMap { $0 } }

    /// The words of a name in lower case: `userAPIKey_2` is `user`, `api`, `key`, `2`.
    private static func words(of name: String) -> [[UInt8]] {
        var words: [[UInt8]] = []
        var word: [UInt8] = []
        let bytes = Array(name.utf8)
        for (index, byte) in bytes.enumerated() {
            let isUpper = (0x41...0x5A).contains(byte)
            let isLetter = isUpper || (0x61...0x7A).contains(byte) || byte >= 0x80
            guard isLetter || (0x30...0x39).contains(byte) else {
                if !word.isEmpty { words.append(word) }
                word = []
                continue
            }
            let before = index > 0 ? bytes[index &- 1] : 0
            let after = index &+ 1 < bytes.count ? bytes[index &+ 1] : 0
            let isLower: (UInt8) -> Bool = { (0x61...0x7A).contains($0) || $0 >= 0x80 }
            let beginsWord =
                isUpper && (isLower(before) || (0x41...0x5A).contains(before) && isLower(after))
            if beginsWord, !word.isEmpty {
                words.append(word)
                word = []
            }
            word.append(isUpper ? byte | 0x20 : byte)
        }
        if !word.isEmpty { words.append(word) }
        return words
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard part.count <= text.count else { return false }
        for start in 0...(text.count &- part.count)
        where text[start..<(start &+ part.count)].elementsEqual(part) { return true }
        return false
    }
}
