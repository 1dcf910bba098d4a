// SPDX-License-Identifier: Apache-2.0
// Reads the types in Swift's mangled names, and in the strings of reflection metadata.

/// Reads a mangled type.
///
/// A mangling is a program for a stack machine: letters push names and types, or take some off and
/// push what they make of them. What is not understood ends reading; nothing is guessed.
/// Source: Swift's ABI document "Mangling".
struct SwiftTypeParser {
    /// What lies on the stack.
    enum Node {
        case identifier(String)
        /// The name of a declaration that needs more than its name: local, private, an operator.
        case declaration(key: String, name: String)
        case module(String)
        case type(SwiftType)
        /// A function, variable or extension, in which others are declared.
        case scope(Scope)
        case emptyList
        case firstElement
        case variadic
        case requirement(String)
        case signature(String)
        /// A mark on a function type: `Ya`, `K`, `Yb` ...
        case mark(String)
    }

    /// A scope that is no type.
    struct Scope {
        var key: String
        /// The type that the scope belongs to, for a stored property or an extension.
        var owner: SwiftNominal?
        /// For a variable: its name.
        var name = ""
    }

    /// Why reading ended early.
    struct Mistake: Error {
        var reason: String
    }

    /// Finds the type behind a symbolic reference: the kind of reference and its place in `bytes`.
    typealias Resolver = (_ kind: UInt8, _ offset: Int) -> SwiftNominal?

    static let maxLength = 4096
    static let maxWeight = 2048

    let bytes: [UInt8]
    var position = 0
    var stack: [Node] = []
    var substitutions: [Node] = []
    var words: [[UInt8]] = []
    private let resolve: Resolver?

    init(_ bytes: [UInt8], resolve: Resolver? = nil) {
        self.bytes = bytes
        self.resolve = resolve
    }

    /// The type of a name as DWARF states it: `$s4main5PointVD`.
    static func type(mangledName name: String) throws(Mistake) -> SwiftType {
        var text = Array(name.utf8)
        guard text.count <= maxLength, text.starts(with: Array("$s".utf8)) else {
            throw Mistake(reason: "not a Swift type's name")
        }
        text.removeFirst(2)
        guard text.last == UInt8(ascii: "D") else { throw Mistake(reason: "not a type") }
        text.removeLast()
        return try type(text, resolve: nil)
    }

    /// The type of a string of reflection metadata.
    static func type(_ text: [UInt8], resolve: Resolver?) throws(Mistake) -> SwiftType {
        guard text.count <= maxLength else { throw Mistake(reason: "too long a name") }
        var parser = SwiftTypeParser(text, resolve: resolve)
        try parser.run()
        let type = try parser.popType()
        guard parser.stack.isEmpty else { throw parser.mistake("a rest") }
        return type
    }

    mutating func run() throws(Mistake) {
        // Each step consumes at least one byte; a step pushes a bounded number of nodes.
        while position < bytes.count {
            try step()
            // A step adds at most one substitution, so the name's length bounds them.
            guard stack.count <= Self.maxWeight else { throw mistake("too long a name") }
        }
    }

    func mistake(_ what: String) -> Mistake {
        Mistake(reason: "a type's name is not understood: \(what) at byte \(position)")
    }

    // MARK: Bytes

    var peek: UInt8 { position < bytes.count ? bytes[position] : 0 }

    mutating func next() -> UInt8 {
        guard position < bytes.count else { return 0 }
        position += 1
        return bytes[position - 1]
    }

    mutating func nextIf(_ letter: Unicode.Scalar) -> Bool {
        guard position < bytes.count, bytes[position] == UInt8(ascii: letter) else { return false }
        position += 1
        return true
    }

    mutating func natural() -> Int? {
        guard isDigit(peek) else { return nil }
        var number = 0
        while isDigit(peek) {
            number = number * 10 + Int(next() - UInt8(ascii: "0"))
            guard number <= 1 << 20 else { return nil }
        }
        return number
    }

    /// `_` is 0, `0_` is 1, and so on.
    mutating func index() throws(Mistake) -> Int {
        if nextIf("_") { return 0 }
        guard let number = natural(), nextIf("_") else { throw mistake("an index") }
        return number + 1
    }

    // MARK: The stack

    mutating func push(_ type: SwiftType) throws(Mistake) {
        guard type.weight(atMost: Self.maxWeight) < Self.maxWeight else {
            throw mistake("too large a type")
        }
        stack.append(.type(type))
    }

    mutating func popType() throws(Mistake) -> SwiftType {
        guard case .type(let type)? = stack.last else { throw mistake("no type") }
        stack.removeLast()
        return type
    }

    mutating func popNominal() throws(Mistake) -> SwiftNominal {
        guard case .nominal(let nominal, _) = try popType() else { throw mistake("no named type") }
        return nominal
    }

    mutating func popEmptyList() -> Bool {
        guard case .emptyList? = stack.last else { return false }
        stack.removeLast()
        return true
    }

    mutating func popFirstElement() -> Bool {
        guard case .firstElement? = stack.last else { return false }
        stack.removeLast()
        return true
    }

    /// A list of types that ends with the mark of its first element.
    mutating func popTypeList() throws(Mistake) -> [SwiftType] {
        if popEmptyList() { return [] }
        var types: [SwiftType] = []
        while true {
            let isFirst = popFirstElement()
            types.append(try popType())
            if isFirst { return types.reversed() }
        }
    }

    // MARK: Steps

    private mutating func step() throws(Mistake) {
        let letter = next()
        switch letter {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            position -= 1
            try pushIdentifier()
        case UInt8(ascii: "A"): try pushSubstitution()
        case UInt8(ascii: "S"): try pushStandard()
        case UInt8(ascii: "B"): try pushBuiltin()
        case UInt8(ascii: "C"): try pushNominal(.classType)
        case UInt8(ascii: "O"): try pushNominal(.enumeration)
        case UInt8(ascii: "V"): try pushNominal(.structure)
        case UInt8(ascii: "P"): try pushNominal(.protocolType)
        case UInt8(ascii: "a"): try pushNominal(.other)
        case UInt8(ascii: "s"): stack.append(.module("s"))
        case UInt8(ascii: "y"): stack.append(.emptyList)
        case UInt8(ascii: "_"): stack.append(.firstElement)
        case UInt8(ascii: "d"): stack.append(.variadic)
        case UInt8(ascii: "K"): stack.append(.mark("K"))
        // How an argument is passed does not change its type.
        case UInt8(ascii: "z"), UInt8(ascii: "h"), UInt8(ascii: "n"): try push(popType())
        case UInt8(ascii: "G"): try pushBoundGeneric()
        case UInt8(ascii: "t"): try push(.tuple(popTupleElements()))
        case UInt8(ascii: "c"): try push(.function(popFunction()))
        case UInt8(ascii: "m"): try push(.metatype(popType(), isExistential: false))
        case UInt8(ascii: "p"):
            try push(.existential(SwiftType.Existential(protocols: popProtocols())))
        case UInt8(ascii: "x"): try push(.parameter(depth: 0, index: 0))
        case UInt8(ascii: "q"): try push(genericParameter())
        case UInt8(ascii: "X"): try pushSpecial()
        case 1...0x1F: try pushSymbolicReference(letter)
        // Padding in front of a symbolic reference.
        case 0xFF: break
        default: try stepOfDeclaration(letter)
        }
    }

    private mutating func pushSymbolicReference(_ kind: UInt8) throws(Mistake) {
        let width = kind < 0x18 ? 4 : 8
        let place = position
        guard bytes.count - position >= width else { throw mistake("a reference") }
        position += width
        guard kind == 1 || kind == 2 else {
            throw Mistake(reason: "the type is only known to code in the program")
        }
        guard let nominal = resolve?(kind, place) else {
            throw Mistake(reason: "the type's name lies in another image")
        }
        let node = Node.type(.nominal(nominal, arguments: []))
        stack.append(node)
        substitutions.append(node)
    }

    private mutating func pushBuiltin() throws(Mistake) {
        let letter = next()
        let name = String(decoding: [letter], as: UTF8.self)
        switch letter {
        case UInt8(ascii: "f"), UInt8(ascii: "i"):
            guard let bits = natural(), nextIf("_") else { throw mistake("a built-in type") }
            try push(.builtin("\(name)\(bits)_"))
        case UInt8(ascii: "v"), UInt8(ascii: "V"): throw mistake("a vector")
        case 0: throw mistake("a built-in type")
        default: try push(.builtin(name))
        }
    }

    private mutating func pushBoundGeneric() throws(Mistake) {
        var levels: [[SwiftType]] = []
        while true {
            var level: [SwiftType] = []
            while case .type(let type)? = stack.last {
                level.append(type)
                stack.removeLast()
            }
            levels.append(level.reversed())
            if popEmptyList() { break }
            guard popFirstElement() else { throw mistake("generic arguments") }
        }
        let nominal = try popNominal()
        try push(.nominal(nominal, arguments: levels.reversed()))
        if let node = stack.last { substitutions.append(node) }
    }

    mutating func genericParameter() throws(Mistake) -> SwiftType {
        if nextIf("d") {
            let depth = try index() + 1
            return .parameter(depth: depth, index: try index())
        }
        if nextIf("z") { return .parameter(depth: 0, index: 0) }
        if nextIf("s") { throw mistake("a constrained existential") }
        return .parameter(depth: 0, index: try index() + 1)
    }

    private mutating func popTupleElements() throws(Mistake) -> [SwiftType.Element] {
        if popEmptyList() { return [] }
        var elements: [SwiftType.Element] = []
        while true {
            let isFirst = popFirstElement()
            if case .variadic? = stack.last { stack.removeLast() }
            var label = ""
            if case .identifier(let name)? = stack.last {
                label = name
                stack.removeLast()
            }
            elements.append(SwiftType.Element(label: label, type: try popType()))
            if isFirst { return elements.reversed() }
        }
    }
}
