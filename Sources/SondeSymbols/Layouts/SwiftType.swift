// SPDX-License-Identifier: Apache-2.0
// A Swift type as its mangled name states it.

/// A Swift type.
indirect enum SwiftType: Hashable, Sendable {
    /// A struct, enum, class or protocol; generic arguments by level of nesting, outermost first.
    case nominal(SwiftNominal, arguments: [[SwiftType]])
    case tuple([Element])
    case function(Function)
    case existential(Existential)
    case metatype(SwiftType, isExistential: Bool)
    /// A generic parameter, counted as the mangling does.
    case parameter(depth: Int, index: Int)
    /// A type of the compiler, by what follows its `B`.
    case builtin(String)
    /// A stored reference that is not strong.
    case reference(TypeLayout.Ownership, SwiftType)
    /// A type that the mangling states in a way that is not read, and why.
    case unknown(String)

    /// One element of a tuple.
    struct Element: Hashable, Sendable {
        var label = ""
        var type: SwiftType
    }

    /// What a function takes and gives.
    struct Function: Hashable, Sendable {
        enum Representation: Hashable, Sendable {
            /// Code and context, two words.
            case thick
            /// Code alone, one word.
            case cFunction
            /// An Objective-C block, one word.
            case block
        }
        var parameters: [SwiftType]
        var result: SwiftType
        var representation = Representation.thick
        var isAsync = false
        var isThrowing = false
        /// Whether the name is the compiler's for a closure, whose parameters are not told apart.
        var isLowered = false
    }

    /// The protocols and the class that a value's type has to fit.
    struct Existential: Hashable, Sendable {
        var protocols: [SwiftNominal]
        var superclass: SwiftType?
        var isAnyObject = false
    }

    static let void = SwiftType.tuple([])

    /// How many types there are in the type, itself included; stops counting above `limit`.
    ///
    /// Types share parts, so a short name may stand for a type that is too large to write down.
    func weight(atMost limit: Int) -> Int {
        var left = limit
        weigh(&left)
        return limit - left
    }

    private func weigh(_ left: inout Int) {
        left -= 1
        guard left > 0 else { return }
        switch self {
        case .nominal(_, let arguments):
            for level in arguments { for type in level where left > 0 { type.weigh(&left) } }
        case .tuple(let elements):
            for element in elements where left > 0 { element.type.weigh(&left) }
        case .function(let function):
            function.result.weigh(&left)
            for type in function.parameters where left > 0 { type.weigh(&left) }
        case .existential(let existential):
            left -= existential.protocols.count
            existential.superclass?.weigh(&left)
        case .metatype(let type, _), .reference(_, let type): type.weigh(&left)
        case .parameter, .builtin, .unknown: break
        }
    }

    /// The type with generic parameters replaced; those without an argument stay.
    ///
    /// Arguments are given by depth: one list for each level of nesting that has parameters.
    func substituting(_ arguments: [[SwiftType]]) -> SwiftType {
        if arguments.isEmpty { return self }
        switch self {
        case .parameter(let depth, let index):
            guard arguments.indices.contains(depth), arguments[depth].indices.contains(index)
            else { return self }
            // Behind a parameter, a metatype is stored even where its type is known.
            if case .metatype(let type, _) = arguments[depth][index] {
                return .metatype(type, isExistential: true)
            }
            return arguments[depth][index]
        case .nominal(let nominal, let own):
            return .nominal(
                nominal, arguments: own.map { $0.map { $0.substituting(arguments) } })
        case .tuple(let elements):
            return .tuple(
                elements.map {
                    Element(label: $0.label, type: $0.type.substituting(arguments))
                })
        case .function(var function):
            function.parameters = function.parameters.map { $0.substituting(arguments) }
            function.result = function.result.substituting(arguments)
            return .function(function)
        case .existential(var existential):
            existential.superclass = existential.superclass?.substituting(arguments)
            return .existential(existential)
        case .metatype(let type, let isExistential):
            return .metatype(type.substituting(arguments), isExistential: isExistential)
        case .reference(let ownership, let type):
            return .reference(ownership, type.substituting(arguments))
        case .builtin, .unknown: return self
        }
    }
}

/// A struct, enum, class or protocol as it is declared, without generic arguments.
struct SwiftNominal: Hashable, Sendable {
    enum Kind: Character, Sendable {
        case structure = "V"
        case enumeration = "O"
        case classType = "C"
        case protocolType = "P"
        case other = "Y"
    }

    /// The mangled name without substitutions, which identifies the type: `4main5PointV`.
    var key: String
    /// The name in the source.
    var name: String
    /// The types that it is declared in, outermost first.
    var enclosing: [String]
    var kind: Kind

    /// Whether the type is one of C, which Swift imported.
    var isImported: Bool { key.hasPrefix("So") || key.hasPrefix("SC") }

    static func == (left: Self, right: Self) -> Bool { left.key == right.key }
    func hash(into hasher: inout Hasher) { hasher.combine(key) }

    /// A type of the standard library.
    static func standard(_ name: String, _ kind: Kind) -> SwiftNominal {
        SwiftNominal(
            key: "s\(name.utf8.count)\(name)\(kind.rawValue)", name: name, enclosing: [],
            kind: kind)
    }
}
