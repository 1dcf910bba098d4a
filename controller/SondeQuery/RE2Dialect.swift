// SPDX-License-Identifier: Apache-2.0
// Keeps regular expressions to what RE2 reads, and to what it means by it.
// Source: github.com/google/re2, "Syntax"; what differs in PCRE2 is in pcre2pattern(3).

/// The dialect of regular expressions that PromQL and LogQL are written in.
///
/// PCRE2 does the matching, and knows more than RE2: what RE2 refuses is refused here, so that an
/// expression means the same in every tool. What PCRE2 reads in another way is rewritten.
enum RE2Dialect {
    /// The most times that RE2 lets something be repeated.
    static let maximumRepeat = 1000

    /// The expression for PCRE2.
    ///
    /// - Parameter pattern: The expression as it was written.
    /// - Returns: One that PCRE2 reads as RE2 reads the original.
    /// - Throws: ``PatternError`` where RE2 would refuse it for what PCRE2 would take.
    static func translate(_ pattern: String) throws(PatternError) -> String {
        var scanner = Scanner(bytes: Array(pattern.utf8))
        try scanner.scan()
        return String(decoding: scanner.output, as: UTF8.self)
    }

    private struct Scanner {
        let bytes: [UInt8]
        var position = 0
        var output: [UInt8] = []
        /// Whether what stands before can be repeated and is not yet.
        var isRepeated = false

        init(bytes: [UInt8]) { self.bytes = bytes }

        func character(_ offset: Int = 0) -> Character? {
            let index = position + offset
            guard index < bytes.count else { return nil }
            return Character(Unicode.Scalar(bytes[index]))
        }

        mutating func copy(_ count: Int = 1) {
            let end = min(bytes.count, position + count)
            output += bytes[position..<end]
            position = end
        }

        func refuse(_ what: String) -> PatternError {
            PatternError(
                offset: position,
                reason: "\(what), which regular expressions of this kind (RE2) do not have; "
                    + "want one without")
        }

        mutating func scan() throws(PatternError) {
            while let next = character() {
                switch next {
                case "\\": try escape(inClass: false)
                case "[": try characterClass()
                case "(": try group()
                case "*", "+", "?": try repetition(length: 1)
                case "{":
                    guard let length = try countLength() else {
                        isRepeated = false
                        copy()
                        continue
                    }
                    try repetition(length: length)
                default:
                    isRepeated = false
                    copy()
                }
            }
        }

        /// A repetition, with the `?` that makes it lazy.
        private mutating func repetition(length: Int) throws(PatternError) {
            guard !isRepeated else {
                throw refuse(
                    character() == "+" ? "a possessive repetition" : "a repetition of a repetition")
            }
            copy(length)
            if character() == "?" { copy() }
            isRepeated = true
        }

        /// The length of `{2}`, `{2,}` or `{2,5}`; `nil` when the brace stands for itself.
        private func countLength() throws(PatternError) -> Int? {
            var offset = 1
            var numbers: [Int] = []
            var digits = ""
            while let next = character(offset) {
                switch next {
                case "0"..."9" where digits.count < 9: digits.append(next)
                case "," where numbers.isEmpty && !digits.isEmpty:
                    numbers.append(Int(digits) ?? 0)
                    digits = ""
                case "}" where !digits.isEmpty || !numbers.isEmpty:
                    if let number = Int(digits) { numbers.append(number) }
                    guard numbers.allSatisfy({ $0 <= RE2Dialect.maximumRepeat }) else {
                        throw refuse("more than \(RE2Dialect.maximumRepeat) repetitions")
                    }
                    return offset + 1
                default: return nil
                }
                offset += 1
            }
            return nil
        }

        private mutating func group() throws(PatternError) {
            isRepeated = false
            if character(1) == "*" { throw refuse("a verb \"(*\"") }
            guard character(1) == "?" else { return copy() }
            switch character(2) {
            case "=", "!": throw refuse("a lookahead \"(?\(character(2) ?? " ")\"")
            case "<" where character(3) == "=" || character(3) == "!":
                throw refuse("a lookbehind \"(?<\(character(3) ?? " ")\"")
            case "<": copy(3)
            case "P" where character(3) == "<": copy(4)
            case "P": throw refuse("a reference to a group \"(?P\(character(3) ?? " ")\"")
            case ">": throw refuse("an atomic group \"(?>\"")
            case "|": throw refuse("a branch reset \"(?|\"")
            case "#": throw refuse("a comment \"(?#\"")
            case "(": throw refuse("a condition \"(?(\"")
            case "R", "&", "+": throw refuse("a recursion")
            case let next? where ("0"..."9").contains(next): throw refuse("a recursion")
            case "C": throw refuse("a callout \"(?C\"")
            default: try flags()
            }
        }

        /// `(?i)`, `(?s-U:` and the like.
        private mutating func flags() throws(PatternError) {
            copy(2)
            while let next = character() {
                switch next {
                case "i", "m", "s", "U", "-": copy()
                case ":", ")": return copy()
                default: throw refuse("the flag \"\(next)\"")
                }
            }
        }

        private mutating func characterClass() throws(PatternError) {
            isRepeated = false
            copy()
            if character() == "^" { copy() }
            if character() == "]" { copy() }
            while let next = character() {
                switch next {
                case "]": return copy()
                case "\\": try escape(inClass: true)
                case "[" where character(1) == ":": copy(2)
                case "[" where character(1) == "." || character(1) == "=":
                    throw refuse("a collating element")
                default: copy()
                }
            }
        }

        private mutating func escape(inClass: Bool) throws(PatternError) {
            isRepeated = false
            guard let next = character(1) else { return copy() }
            switch next {
            case "v":
                // PCRE2's \v is any vertical white space.
                output += Array("\\x{0b}".utf8)
                position += 2
            case "s" where inClass, "S" where inClass: copy(2)
            case "s":
                // PCRE2's \s takes the vertical tab too.
                output += Array("[\\t\\n\\f\\r ]".utf8)
                position += 2
            case "S":
                output += Array("[^\\t\\n\\f\\r ]".utf8)
                position += 2
            case "Q": quoted()
            case "1"..."9": try octal(next)
            case "b", "B", "A", "z":
                guard !inClass || next == "b" else { throw refuse("the escape \"\\\(next)\"") }
                copy(2)
            case "a", "f", "n", "r", "t", "d", "D", "w", "W", "p", "P", "x", "0", "E": copy(2)
            case _ where next.isLetter || next.isNumber:
                throw refuse(
                    next == "k" || next == "g" ? "a backreference" : "the escape \"\\\(next)\"")
            default: copy(2)
            }
        }

        /// `\123` is a character; `\1` alone refers to a group.
        private mutating func octal(_ first: Character) throws(PatternError) {
            guard first < "8", let second = character(2), ("0"..."7").contains(second) else {
                throw refuse("a backreference \"\\\(first)\"")
            }
            var digits = String([first, second])
            if let third = character(3), ("0"..."7").contains(third) { digits.append(third) }
            output += Array("\\o{\(digits)}".utf8)
            position += 1 + digits.count
        }

        /// `\Q...\E`: what stands between is text.
        private mutating func quoted() {
            copy(2)
            while position < bytes.count {
                if character() == "\\", character(1) == "E" { return copy(2) }
                copy()
            }
        }
    }
}
