// SPDX-License-Identifier: Apache-2.0
// Shortens demangled C++ names to what tells functions apart at a glance.

/// Takes the parameters and the return type off a demangled C++ name.
enum CxxName {
    /// The name with its scopes and template arguments.
    ///
    /// `int main::Foo::bar<int>(char)` becomes `main::Foo::bar<int>`. A name that it cannot make
    /// sense of comes back as it was.
    static func withoutParameters(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        /// Where the name proper begins: after the last space outside of brackets, which ends the
        /// return type.
        var nameStart = 0
        var index = 0
        while index < bytes.count {
            if startsOperator(bytes, index) {
                // The name ends with the operator's symbols or type; nothing in it is a bracket.
                let end = endOfOperator(bytes, index)
                output += bytes[index..<end]
                index = end
                // "operator< <int>": the space is part of the name.
                if bytes[index...].starts(with: " <".utf8) {
                    output.append(bytes[index])
                    index += 1
                }
                if index < bytes.count, bytes[index] != UInt8(ascii: "("),
                    bytes[index] != UInt8(ascii: "<")
                {
                    return text
                }
                continue
            }
            switch bytes[index] {
            case UInt8(ascii: "<"), UInt8(ascii: "{"), UInt8(ascii: "["):
                guard let end = endOfGroup(bytes, index) else { return text }
                output += bytes[index..<end]
                index = end
            case UInt8(ascii: "("):
                guard let end = endOfGroup(bytes, index) else { return text }
                if isNamePart(bytes, index) {
                    output += bytes[index..<end]
                } else if endsName(bytes, end) {
                    return String(decoding: output[nameStart...], as: UTF8.self)
                } else if let scope = scopeAfter(bytes, end) {
                    index = scope
                    continue
                } else {
                    output += bytes[index..<end]
                }
                index = end
            case UInt8(ascii: " "):
                output.append(bytes[index])
                nameStart = output.count
                index += 1
            default:
                output.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: output[nameStart...], as: UTF8.self)
    }

    /// `(anonymous namespace)` and `('lambda'(int))` are parts of a name.
    private static func isNamePart(_ bytes: [UInt8], _ index: Int) -> Bool {
        bytes[index...].starts(with: "(anonymous".utf8) || bytes[index...].starts(with: "('".utf8)
    }

    private static let qualifiers = ["const", "volatile", "&&", "&", "noexcept"]

    private static func afterQualifiers(_ bytes: [UInt8], _ index: Int) -> Int {
        var rest = index
        search: while true {
            var start = rest
            while start < bytes.count, bytes[start] == UInt8(ascii: " ") { start += 1 }
            for word in qualifiers where bytes[start...].starts(with: word.utf8) {
                rest = start + word.utf8.count
                continue search
            }
            return rest
        }
    }

    private static func endsName(_ bytes: [UInt8], _ index: Int) -> Bool {
        let rest = afterQualifiers(bytes, index)
        return rest == bytes.count || bytes[rest...].starts(with: " [".utf8)
            || bytes[rest] == UInt8(ascii: ".")
    }

    /// Where the name goes on after the parameters of a function that it is local to.
    private static func scopeAfter(_ bytes: [UInt8], _ index: Int) -> Int? {
        let rest = afterQualifiers(bytes, index)
        return bytes[rest...].starts(with: "::".utf8) ? rest : nil
    }

    /// The place after the bracket that closes the one at `index`.
    private static func endOfGroup(_ bytes: [UInt8], _ index: Int) -> Int? {
        var depth = 0
        var place = index
        while place < bytes.count {
            if startsOperator(bytes, place) {
                place = endOfOperator(bytes, place)
                continue
            }
            switch bytes[place] {
            case UInt8(ascii: "("), UInt8(ascii: "<"), UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
            case UInt8(ascii: ">") where place > 0 && bytes[place - 1] == UInt8(ascii: "-"):
                break
            case UInt8(ascii: ")"), UInt8(ascii: ">"), UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                if depth == 0 { return place + 1 }
            default: break
            }
            place += 1
        }
        return nil
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "_") || byte >= 0x80 || (0x30...0x39).contains(byte)
            || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private static func startsOperator(_ bytes: [UInt8], _ index: Int) -> Bool {
        let word = "operator"
        guard bytes[index] == UInt8(ascii: "o"), bytes[index...].starts(with: word.utf8),
            index == 0 || !isWordByte(bytes[index - 1])
        else { return false }
        let after = index + word.utf8.count
        return after == bytes.count || !isWordByte(bytes[after])
    }

    /// The place after `operator` and its symbols, or after the type of a conversion.
    private static func endOfOperator(_ bytes: [UInt8], _ index: Int) -> Int {
        var place = index + 8
        if bytes[place...].starts(with: "()".utf8) || bytes[place...].starts(with: "[]".utf8) {
            return place + 2
        }
        let symbols = Set("<>=+-*/%^&|~!,".utf8)
        if place < bytes.count, symbols.contains(bytes[place]) {
            // "operator<" may be followed by template arguments, so at most one of a kind more.
            let known = [
                "<=>", "<<=", ">>=", "->*", "<<", ">>", "<=", ">=", "->", "==", "!=", "&&",
            ]
            let more = ["||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "&=", "|="]
            for text in known + more where bytes[place...].starts(with: text.utf8) {
                return place + text.utf8.count
            }
            return place + 1
        }
        while place < bytes.count, bytes[place] != UInt8(ascii: "("),
            bytes[place] != UInt8(ascii: "<")
        {
            place += 1
        }
        return place
    }
}
