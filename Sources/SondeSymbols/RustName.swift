// SPDX-License-Identifier: Apache-2.0
// Demangles Rust's linker names, the legacy ones and v0, as far as a flame graph needs.

/// Rust's linker names.
enum RustName {
    /// The path of a legacy name (`_ZN…17h<hash>E`) without its hash; `nil` for other names.
    ///
    /// Source: rustc's `symbol_mangling::legacy`.
    static func legacy(_ name: String) -> String? {
        var rest = name.utf8.dropFirst(name.hasPrefix("__ZN") ? 4 : 3)
        guard name.hasPrefix("_ZN") || name.hasPrefix("__ZN") else { return nil }
        var parts: [Substring.UTF8View] = []
        while let first = rest.first, (0x30...0x39).contains(first) {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard let length = Int(String(Substring(digits))), length > 0 else { return nil }
            rest = rest.dropFirst(digits.count)
            guard rest.count >= length else { return nil }
            parts.append(rest.prefix(length))
            rest = rest.dropFirst(length)
        }
        guard rest.first == UInt8(ascii: "E"), let hash = parts.popLast(), isHash(hash),
            !parts.isEmpty
        else { return nil }
        return parts.map { unescaped(Substring($0)) }.joined(separator: "::")
    }

    private static func isHash(_ part: Substring.UTF8View) -> Bool {
        part.count == 17 && part.first == UInt8(ascii: "h")
            && part.dropFirst().allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
            }
    }

    private static let escapes: [String: String] = [
        "SP": "@", "BP": "*", "RF": "&", "LT": "<", "GT": ">", "LP": "(", "RP": ")", "C": ",",
    ]

    private static func unescaped(_ part: Substring) -> String {
        var rest = part
        // A leading escape is set off from the length's digits by an underscore.
        if rest.hasPrefix("_$") { rest.removeFirst() }
        var result = ""
        while let character = rest.first {
            if rest.hasPrefix("..") {
                result += "::"
                rest.removeFirst(2)
            } else if character == "$", let end = rest.dropFirst().firstIndex(of: "$") {
                let code = rest[rest.index(after: rest.startIndex)..<end]
                if let text = escapes[String(code)] {
                    result += text
                } else if code.first == "u", let number = UInt32(code.dropFirst(), radix: 16),
                    let scalar = Unicode.Scalar(number)
                {
                    result.unicodeScalars.append(scalar)
                } else {
                    result += "$\(code)$"
                }
                rest = rest[rest.index(after: end)...]
            } else {
                result.append(character)
                rest.removeFirst()
            }
        }
        return result
    }

    /// The path of a v0 name (`_R…`), without hashes; `nil` when it is none.
    static func v0(_ name: String) -> String? {
        var parser = RustV0Parser(name.utf8.dropFirst(2))
        return parser.demangled()
    }
}
