// SPDX-License-Identifier: Apache-2.0
// The names in mangled types: identifiers with word substitutions, abbreviations, named types.

extension SwiftTypeParser {
    func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
    private func isUpper(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
    }
    private func isLower(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
    }

    /// Reads a name with its length in front; parts of it may refer to words of earlier names.
    mutating func pushIdentifier() throws(Mistake) {
        var text: [UInt8] = []
        var hasWords = false
        if nextIf("0") {
            // Punycode: kept as it is, it identifies the name as well.
            if nextIf("0") { text = Array("00".utf8) } else { hasWords = true }
        }
        let isPunycode = !text.isEmpty
        repeat {
            while hasWords, isUpper(peek) || isLower(peek) {
                let letter = next()
                hasWords = isLower(letter)
                let word = Int(letter - UInt8(ascii: hasWords ? "a" : "A"))
                guard words.indices.contains(word) else { throw mistake("a word") }
                text += words[word]
            }
            if nextIf("0") { break }
            guard let count = natural(), count > 0 else { throw mistake("a name") }
            if isPunycode { _ = nextIf("_") }
            guard bytes.count - position >= count else { throw mistake("a name") }
            let slice = Array(bytes[position..<position + count])
            position += count
            text += slice
            if !isPunycode { collectWords(slice) }
        } while hasWords
        // Behind the mark of punycode there has to be a name.
        guard text.count > (isPunycode ? 2 : 0), text.count <= Self.maxLength else {
            throw mistake("a name")
        }
        let node = Node.identifier(String(decoding: text, as: UTF8.self))
        stack.append(node)
        substitutions.append(node)
    }

    private mutating func collectWords(_ text: [UInt8]) {
        var start: Int?
        for index in 0...text.count {
            let byte = index < text.count ? text[index] : 0
            if let begin = start, index > 0 {
                let isEnd =
                    byte == 0 || byte == UInt8(ascii: "_")
                    || (!isUpper(text[index - 1]) && isUpper(byte))
                if isEnd {
                    if index - begin >= 2, words.count < 26 {
                        words.append(Array(text[begin..<index]))
                    }
                    start = nil
                }
            }
            if start == nil, byte != 0, byte != UInt8(ascii: "_"), !isDigit(byte) { start = index }
        }
    }

    /// `A`: names and types that occurred before.
    mutating func pushSubstitution() throws(Mistake) {
        var repeats: Int?
        while true {
            // Behind the end nothing is consumed, so it would never end.
            guard position < bytes.count else { throw mistake("a substitution") }
            let letter = next()
            if isLower(letter) || isUpper(letter) {
                let isLast = isUpper(letter)
                let base = isLast ? UInt8(ascii: "A") : UInt8(ascii: "a")
                try pushSubstitution(Int(letter - base), times: repeats ?? 1)
                if isLast { return }
                repeats = nil
            } else if letter == UInt8(ascii: "_") {
                // A number of its own stands for the substitutions behind the first 26.
                return try pushSubstitution((repeats ?? -1) + 27, times: 1)
            } else {
                position -= 1
                guard let number = natural() else { throw mistake("a substitution") }
                repeats = number
            }
        }
    }

    private mutating func pushSubstitution(_ index: Int, times: Int) throws(Mistake) {
        guard substitutions.indices.contains(index), times <= Self.maxWeight else {
            throw mistake("a substitution")
        }
        for _ in 0..<max(1, times) { stack.append(substitutions[index]) }
        guard stack.count <= 2 * Self.maxWeight else { throw mistake("too long a name") }
    }

    /// `S`: the standard library's types, `Optional`, and the modules of C.
    mutating func pushStandard() throws(Mistake) {
        switch peek {
        case UInt8(ascii: "o"):
            position += 1
            stack.append(.module("So"))
        case UInt8(ascii: "C"):
            position += 1
            stack.append(.module("SC"))
        case UInt8(ascii: "g"):
            position += 1
            let wrapped = try popType()
            try push(.nominal(StandardTypes.optional, arguments: [[wrapped]]))
            if let node = stack.last { substitutions.append(node) }
        default:
            let times = natural() ?? 1
            let isSecond = nextIf("c")
            let letter = next()
            let nominal =
                isSecond
                ? StandardTypes.abbreviatedSecond(letter) : StandardTypes.abbreviated(letter)
            guard let nominal, times <= Self.maxWeight else { throw mistake("a standard type") }
            for _ in 0..<max(1, times) { try push(.nominal(nominal, arguments: [])) }
        }
    }

    /// A type that is declared: takes its name and what it is declared in off the stack.
    mutating func pushNominal(_ kind: SwiftNominal.Kind) throws(Mistake) {
        let name = try popDeclarationName()
        var nominal = try popContext(for: name)
        nominal.kind = kind
        nominal.key += kind == .other ? "a" : String(kind.rawValue)
        guard nominal.key.utf8.count <= 2 * Self.maxLength else { throw mistake("too long a name") }
        try push(.nominal(nominal, arguments: []))
        if let node = stack.last { substitutions.append(node) }
    }

    mutating func popDeclarationName() throws(Mistake) -> (key: String, name: String) {
        switch stack.popLast() {
        case .identifier(let name)?: return (Self.keyOfName(name), name)
        case .declaration(let key, let name)?: return (key, name)
        default: throw mistake("no name")
        }
    }

    /// A name in a key; punycode stands as it was read.
    static func keyOfName(_ name: String) -> String {
        guard name.hasPrefix("00") else { return SwiftType.identifier(name) }
        let rest = name.dropFirst(2)
        // The first byte may be a digit, which would read as a part of the length.
        return "00\(rest.utf8.count)_\(rest)"
    }

    /// What the type with a name is declared in, as a type that still lacks its kind.
    mutating func popContext(
        for name: (key: String, name: String)
    ) throws(Mistake) -> SwiftNominal {
        let context = try popContext()
        return SwiftNominal(
            key: context.key + name.key, name: name.name, enclosing: context.names, kind: .other)
    }

    /// A module, type, function or extension.
    mutating func popContext() throws(Mistake) -> (key: String, names: [String]) {
        switch stack.popLast() {
        case .identifier(let name)?: return (Self.keyOfName(name), [])
        case .module(let name)?: return (name, [])
        case .scope(let scope)?:
            let names = scope.owner.map { $0.enclosing + [$0.name] } ?? []
            return (scope.key, names)
        case .type(.nominal(let nominal, _))?:
            return (nominal.key, nominal.enclosing + [nominal.name])
        default: throw mistake("no context")
        }
    }

    mutating func popModule() throws(Mistake) -> String {
        switch stack.popLast() {
        case .identifier(let name)?: return Self.keyOfName(name)
        case .module(let name)?: return name
        default: throw mistake("no module")
        }
    }

    mutating func popProtocol() throws(Mistake) -> SwiftNominal {
        if case .type(.nominal(let nominal, _))? = stack.last {
            stack.removeLast()
            return nominal
        }
        let name = try popDeclarationName()
        var nominal = try popContext(for: name)
        nominal.kind = .protocolType
        nominal.key += "P"
        return nominal
    }

    mutating func popProtocols() throws(Mistake) -> [SwiftNominal] {
        if popEmptyList() { return [] }
        var protocols: [SwiftNominal] = []
        while true {
            let isFirst = popFirstElement()
            protocols.append(try popProtocol())
            if isFirst { return protocols.reversed() }
        }
    }
}
