// SPDX-License-Identifier: Apache-2.0
// Functions, variables and extensions in mangled types: local types are declared in them.

extension SwiftTypeParser {
    mutating func stepOfDeclaration(_ letter: UInt8) throws(Mistake) {
        switch letter {
        case UInt8(ascii: "L"): try pushLocalName()
        case UInt8(ascii: "F"): try pushFunctionScope()
        case UInt8(ascii: "f"): try pushSpecialFunctionScope()
        case UInt8(ascii: "v"): try pushVariableScope(isSubscript: false)
        case UInt8(ascii: "i"): try pushVariableScope(isSubscript: true)
        case UInt8(ascii: "Z"):
            guard case .scope(var scope)? = stack.popLast() else { throw mistake("static") }
            scope.key += "Z"
            stack.append(.scope(scope))
        case UInt8(ascii: "E"): try pushExtension()
        case UInt8(ascii: "o"): try pushOperator()
        case UInt8(ascii: "l"): pushSignature("l")
        case UInt8(ascii: "r"): try pushCountedSignature()
        case UInt8(ascii: "R"): try pushRequirement()
        case UInt8(ascii: "u"):
            guard case .signature? = stack.popLast() else { throw mistake("a signature") }
        case UInt8(ascii: "Q"): try pushAssociatedType()
        case UInt8(ascii: "Y"): try pushMark()
        case UInt8(ascii: "I"): try pushLoweredFunction()
        default: throw mistake("the operator \(Unicode.Scalar(letter))")
        }
    }

    /// `L`: names that need a number or a file to be unique.
    private mutating func pushLocalName() throws(Mistake) {
        if nextIf("L") {
            guard case .identifier(let file)? = stack.popLast() else { throw mistake("a file") }
            let (key, name) = try popDeclarationName()
            stack.append(.declaration(key: key + Self.keyOfName(file) + "LL", name: name))
        } else if nextIf("l") {
            guard case .identifier(let file)? = stack.popLast() else { throw mistake("a file") }
            stack.append(.declaration(key: Self.keyOfName(file) + "Ll", name: file))
        } else if peek == UInt8(ascii: "_") || isDigit(peek) {
            let number = try index()
            let (key, name) = try popDeclarationName()
            let text = number == 0 ? "_" : "\(number - 1)_"
            stack.append(.declaration(key: key + "L" + text, name: name))
        } else {
            let letter = String(decoding: [next()], as: UTF8.self)
            let (key, name) = try popDeclarationName()
            stack.append(.declaration(key: key + "L" + letter, name: name))
        }
    }

    private mutating func pushOperator() throws(Mistake) {
        guard case .identifier(let name)? = stack.popLast() else { throw mistake("an operator") }
        let kind = String(decoding: [next()], as: UTF8.self)
        stack.append(.declaration(key: Self.keyOfName(name) + "o" + kind, name: name))
    }

    /// A scope's text goes into the keys of what is declared in it, as a name of its own.
    private mutating func pushScope(
        _ context: (key: String, names: [String]), _ text: String, owner: SwiftNominal? = nil,
        name: String = ""
    ) throws(Mistake) {
        let key = SwiftType.identifier("$" + context.key + text)
        guard key.utf8.count <= 2 * Self.maxLength else { throw mistake("too long a name") }
        stack.append(.scope(Scope(key: key, owner: owner, name: name)))
    }

    private mutating func popSignature() -> String {
        guard case .signature(let text)? = stack.last else { return "" }
        stack.removeLast()
        return text
    }

    private mutating func pushFunctionScope() throws(Mistake) {
        let signature = popSignature()
        let type = SwiftType.function(try popFunction())
        let labels = try popLabels(of: type)
        let name = try popDeclarationName()
        try pushScope(popContext(), name.key + labels + type.mangled + signature + "F")
    }

    /// The labels of a function's parameters: none at all, or as many as there are parameters.
    private mutating func popLabels(of type: SwiftType) throws(Mistake) -> String {
        if popEmptyList() { return "y" }
        guard case .function(let function) = type else { return "" }
        var labels: [String] = []
        for _ in function.parameters {
            switch stack.popLast() {
            case .identifier(let name)?: labels.append(Self.keyOfName(name))
            case .firstElement?: labels.append("_")
            default: throw mistake("a label")
            }
        }
        return labels.reversed().joined()
    }

    private mutating func pushSpecialFunctionScope() throws(Mistake) {
        let letter = next()
        let kind = "f" + String(decoding: [letter], as: UTF8.self)
        switch letter {
        case UInt8(ascii: "C"), UInt8(ascii: "c"):
            var file = ""
            if case .declaration(let key, _)? = stack.last, key.hasSuffix("Ll") {
                file = key
                stack.removeLast()
            }
            let signature = popSignature()
            let type = try popType()
            let labels = try popLabels(of: type)
            try pushScope(popContext(), labels + type.mangled + signature + file + kind)
        case UInt8(ascii: "U"), UInt8(ascii: "u"):
            let number = try index()
            let signature = popSignature()
            let type = try popType()
            try pushScope(popContext(), type.mangled + signature + kind + "\(number)_")
        case UInt8(ascii: "A"):
            let number = try index()
            try pushScope(popContext(), kind + "\(number)_")
        case UInt8(ascii: "D"), UInt8(ascii: "d"), UInt8(ascii: "E"), UInt8(ascii: "e"),
            UInt8(ascii: "i"), UInt8(ascii: "P"), UInt8(ascii: "W"), UInt8(ascii: "Z"):
            try pushScope(popContext(), kind)
        default: throw mistake("a function \(kind)")
        }
    }

    private mutating func pushVariableScope(isSubscript: Bool) throws(Mistake) {
        var file = ""
        if isSubscript, case .declaration(let key, _)? = stack.last, key.hasSuffix("Ll") {
            file = key
            stack.removeLast()
        }
        let signature = popSignature()
        let type = try popType()
        let labels = try popLabels(of: type)
        let name = isSubscript ? (key: file, name: "") : try popDeclarationName()
        var owner: SwiftNominal?
        if case .type(.nominal(let nominal, _))? = stack.last { owner = nominal }
        let context = try popContext()
        let accessor = next()
        var kind = (isSubscript ? "i" : "v") + String(decoding: [accessor], as: UTF8.self)
        if accessor == UInt8(ascii: "a") || accessor == UInt8(ascii: "l") {
            kind += String(decoding: [next()], as: UTF8.self)
        }
        try pushScope(
            context, name.key + labels + type.mangled + signature + kind, owner: owner,
            name: name.name)
    }

    private mutating func pushExtension() throws(Mistake) {
        let signature = popSignature()
        let module = try popModule()
        let nominal = try popNominal()
        var key = nominal.key + module + "E"
        // A signature is not written as it was read, so such a key is a name of its own.
        if !signature.isEmpty { key = SwiftType.identifier("$" + key + signature) }
        stack.append(.scope(Scope(key: key, owner: nominal)))
    }

    private mutating func pushSignature(_ end: String) {
        var texts: [String] = []
        while case .requirement(let text)? = stack.last {
            texts.append(text)
            stack.removeLast()
        }
        stack.append(.signature(texts.reversed().joined() + end))
    }

    private mutating func pushCountedSignature() throws(Mistake) {
        var counts = "r"
        while !nextIf("l") {
            guard position < bytes.count else { throw mistake("a signature") }
            counts += nextIf("z") ? "z" : "\(try index())_"
        }
        pushSignature(counts + "l")
    }

    private enum Subject { case parameter, associated, compound, substituted }
    private enum Constraint { case conformance, type, layout, marker, inverse }

    /// `R`: what a generic signature asks of a parameter.
    private mutating func pushRequirement() throws(Mistake) {
        guard position < bytes.count else { throw mistake("a requirement") }
        let letter = next()
        var subject = Subject.parameter
        var constraint = Constraint.conformance
        switch letter {
        case UInt8(ascii: "v"): constraint = .marker
        case UInt8(ascii: "c"), UInt8(ascii: "t"): (subject, constraint) = (.associated, .type)
        case UInt8(ascii: "C"), UInt8(ascii: "T"): (subject, constraint) = (.compound, .type)
        case UInt8(ascii: "b"), UInt8(ascii: "s"), UInt8(ascii: "h"), UInt8(ascii: "V"):
            constraint = .type
        case UInt8(ascii: "B"), UInt8(ascii: "S"): (subject, constraint) = (.substituted, .type)
        case UInt8(ascii: "m"): (subject, constraint) = (.associated, .layout)
        case UInt8(ascii: "M"): (subject, constraint) = (.compound, .layout)
        case UInt8(ascii: "l"): constraint = .layout
        case UInt8(ascii: "L"): (subject, constraint) = (.substituted, .layout)
        case UInt8(ascii: "p"): subject = .associated
        case UInt8(ascii: "P"): subject = .compound
        case UInt8(ascii: "Q"): subject = .substituted
        case UInt8(ascii: "i"): constraint = .inverse
        case UInt8(ascii: "I"): (subject, constraint) = (.substituted, .inverse)
        case UInt8(ascii: "j"): (subject, constraint) = (.associated, .inverse)
        case UInt8(ascii: "J"): (subject, constraint) = (.compound, .inverse)
        default: position -= 1
        }
        if constraint == .inverse { _ = try index() }
        let who = try popSubject(subject)
        let what = try popConstraint(constraint)
        stack.append(.requirement("\(who)\(what)R\(Unicode.Scalar(letter))"))
    }

    private mutating func popSubject(_ subject: Subject) throws(Mistake) -> String {
        switch subject {
        case .parameter: return try genericParameter().mangled
        case .associated, .compound:
            let parameter = try genericParameter()
            let names = try popAssociatedNames(isCompound: subject == .compound)
            let type = Self.associated(parameter, names)
            substitutions.append(.type(type))
            return parameter.mangled + names
        case .substituted: return try popType().mangled
        }
    }

    private mutating func popConstraint(_ constraint: Constraint) throws(Mistake) -> String {
        switch constraint {
        case .conformance: return try popProtocol().key
        case .type: return try popType().mangled
        case .marker, .inverse: return ""
        case .layout:
            let letter = next()
            switch letter {
            case UInt8(ascii: "E"), UInt8(ascii: "M"):
                _ = try index()
                _ = try index()
            case UInt8(ascii: "e"), UInt8(ascii: "m"), UInt8(ascii: "S"): _ = try index()
            default: break
            }
            return String(decoding: [letter], as: UTF8.self)
        }
    }

    // MARK: Types that depend on a parameter's conformance

    private static func associated(_ base: SwiftType, _ names: String) -> SwiftType {
        .unknown("a type that \(base.readable) chooses (\(names))")
    }

    private mutating func popAssociatedNames(isCompound: Bool) throws(Mistake) -> String {
        var names: [String] = []
        while true {
            let isFirst = isCompound ? popFirstElement() : true
            if case .type(.nominal(let nominal, _))? = stack.last, nominal.kind == .protocolType {
                stack.removeLast()
            }
            guard case .identifier(let name)? = stack.popLast() else { throw mistake("a name") }
            names.append(name)
            if isFirst { return names.reversed().joined(separator: ".") }
        }
    }

    private mutating func pushAssociatedType() throws(Mistake) {
        let base: SwiftType
        let isCompound: Bool
        switch next() {
        case UInt8(ascii: "y"): (base, isCompound) = (try genericParameter(), false)
        case UInt8(ascii: "z"): (base, isCompound) = (.parameter(depth: 0, index: 0), false)
        case UInt8(ascii: "Y"): (base, isCompound) = (try genericParameter(), true)
        case UInt8(ascii: "Z"): (base, isCompound) = (.parameter(depth: 0, index: 0), true)
        case UInt8(ascii: "x"): (base, isCompound) = (try popType(), false)
        case UInt8(ascii: "X"): (base, isCompound) = (try popType(), true)
        default: throw Mistake(reason: "the type is only known to the compiler")
        }
        let names = try popAssociatedNames(isCompound: isCompound)
        try push(Self.associated(base, names))
        if let node = stack.last { substitutions.append(node) }
    }
}
