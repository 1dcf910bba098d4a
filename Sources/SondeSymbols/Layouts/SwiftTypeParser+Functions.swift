// SPDX-License-Identifier: Apache-2.0
// Function types, metatypes, existentials and stored references in mangled types.

extension SwiftTypeParser {
    /// `Y`: marks on function types and on their parameters.
    mutating func pushMark() throws(Mistake) {
        let letter = next()
        let text = "Y" + String(decoding: [letter], as: UTF8.self)
        switch letter {
        case UInt8(ascii: "a"), UInt8(ascii: "A"), UInt8(ascii: "b"), UInt8(ascii: "C"),
            UInt8(ascii: "T"):
            stack.append(.mark(text))
        case UInt8(ascii: "c"):
            _ = try popType()
            stack.append(.mark(text))
        case UInt8(ascii: "K"):
            _ = try popType()
            stack.append(.mark("K"))
        case UInt8(ascii: "j"):
            _ = next()
            stack.append(.mark(text))
        // These stand on a parameter and do not change its type.
        case UInt8(ascii: "i"), UInt8(ascii: "k"), UInt8(ascii: "t"), UInt8(ascii: "u"):
            try push(popType())
        default: throw mistake("the mark \(text)")
        }
    }

    mutating func popFunction(
        _ representation: SwiftType.Function.Representation = .thick
    ) throws(Mistake) -> SwiftType.Function {
        var marks: Set<String> = []
        while case .mark(let text)? = stack.last {
            marks.insert(text)
            stack.removeLast()
        }
        let parameters = popEmptyList() ? SwiftType.void : try popType()
        let result = popEmptyList() ? SwiftType.void : try popType()
        var list = [parameters]
        if case .tuple(let elements) = parameters { list = elements.map(\.type) }
        return SwiftType.Function(
            parameters: list, result: result, representation: representation,
            isAsync: marks.contains("Ya"), isThrowing: marks.contains("K"))
    }

    /// `I`: a function type as the compiler lowered it, which debug info has for closures.
    mutating func pushLoweredFunction() throws(Mistake) {
        var attributes: [UInt8] = []
        while position < bytes.count, peek != UInt8(ascii: "_") { attributes.append(next()) }
        guard nextIf("_") else { throw mistake("a closure") }
        // All types so far are its parameters and results, unless it is a part of something.
        for node in stack {
            guard case .type = node else { throw mistake("a closure in another type") }
        }
        stack = []
        // What escapes is marked in front of how the context is passed: `t` is without any.
        let convention = attributes.first { $0 != UInt8(ascii: "e") }
        try push(
            .function(
                SwiftType.Function(
                    parameters: [], result: .void,
                    representation: convention == UInt8(ascii: "t") ? .cFunction : .thick,
                    isLowered: true)))
    }

    /// `X`: what needs two letters.
    mutating func pushSpecial() throws(Mistake) {
        switch next() {
        case UInt8(ascii: "E"), UInt8(ascii: "A"), UInt8(ascii: "K"), UInt8(ascii: "U"):
            try push(.function(popFunction()))
        case UInt8(ascii: "C"), UInt8(ascii: "f"): try push(.function(popFunction(.cFunction)))
        case UInt8(ascii: "B"), UInt8(ascii: "L"): try push(.function(popFunction(.block)))
        // unowned and unowned(unsafe) both hold the object's address.
        case UInt8(ascii: "o"), UInt8(ascii: "u"): try push(.reference(.unowned, popType()))
        case UInt8(ascii: "w"): try push(.reference(.weak, popType()))
        case UInt8(ascii: "D"): try push(popType())
        case UInt8(ascii: "M"):
            _ = next()
            try push(.metatype(popType(), isExistential: false))
        case UInt8(ascii: "m"):
            _ = next()
            try push(.metatype(popType(), isExistential: true))
        case UInt8(ascii: "p"): try push(.metatype(popType(), isExistential: true))
        case UInt8(ascii: "c"):
            let superclass = try popType()
            try push(
                .existential(
                    SwiftType.Existential(
                        protocols: popProtocols(), superclass: superclass, isAnyObject: true)))
        case UInt8(ascii: "l"):
            try push(
                .existential(
                    SwiftType.Existential(protocols: popProtocols(), isAnyObject: true)))
        case UInt8(ascii: "S"): try pushSugar()
        case UInt8(ascii: "e"): try push(.unknown("a type that the compiler could not tell"))
        default: throw mistake("a special type")
        }
    }

    /// `XS`: types as they are written in the source, which debug info keeps.
    private mutating func pushSugar() throws(Mistake) {
        switch next() {
        case UInt8(ascii: "q"):
            try push(.nominal(StandardTypes.optional, arguments: [[popType()]]))
        case UInt8(ascii: "a"):
            try push(.nominal(StandardTypes.array, arguments: [[popType()]]))
        case UInt8(ascii: "D"):
            let value = try popType()
            let key = try popType()
            try push(.nominal(StandardTypes.dictionary, arguments: [[key, value]]))
        case UInt8(ascii: "p"): try push(popType())
        default: throw mistake("a type's spelling")
        }
    }
}
