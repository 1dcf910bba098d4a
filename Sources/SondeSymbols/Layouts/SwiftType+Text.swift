// SPDX-License-Identifier: Apache-2.0
// Writes Swift types: for people, and mangled without abbreviations as keys.

extension SwiftType {
    /// The type for people: `Int?`, `[String]`, `Dictionary<String, Bet>`.
    var readable: String {
        switch self {
        case .nominal(let nominal, let arguments):
            return Self.readable(nominal, arguments)
        case .tuple(let elements):
            let texts = elements.map {
                $0.label.isEmpty ? $0.type.readable : "\($0.label): \($0.type.readable)"
            }
            return "(\(texts.joined(separator: ", ")))"
        case .function(let function):
            if function.isLowered { return "closure" }
            let parameters = function.parameters.map(\.readable).joined(separator: ", ")
            let effects =
                (function.isAsync ? " async" : "") + (function.isThrowing ? " throws" : "")
            return "(\(parameters))\(effects) -> \(function.result.readable)"
        case .existential(let existential): return existential.readable
        case .metatype(let type, let isExistential):
            // Without parentheses this would read as the metatype of what stands last.
            let text = type.isComposite ? "(\(type.readable))" : type.readable
            return text + (isExistential || !type.isExistential ? ".Type" : ".Protocol")
        case .parameter(let depth, let index):
            let letter = index < 26 ? String(UnicodeScalar(UInt8(65 + index))) : "T\(index)"
            return depth == 0 ? letter : "\(letter)\(depth)"
        case .builtin(let name): return "Builtin.\(name)"
        case .reference(_, let type): return type.readable
        case .unknown(let reason): return "<\(reason)>"
        }
    }

    private var isExistential: Bool {
        if case .existential = self { return true }
        return false
    }

    private var isComposite: Bool {
        switch self {
        case .function: return true
        case .existential(let existential):
            return existential.readable.contains(" ")
        default: return false
        }
    }

    private static func readable(_ nominal: SwiftNominal, _ arguments: [[SwiftType]]) -> String {
        let last = arguments.last ?? []
        if last.count == 1, arguments.count == 1 || arguments.dropLast().allSatisfy(\.isEmpty) {
            if nominal.key == StandardTypes.optional.key {
                let wrapped = last[0]
                let text = wrapped.isComposite ? "(\(wrapped.readable))" : wrapped.readable
                return text + "?"
            }
            if nominal.key == StandardTypes.array.key { return "[\(last[0].readable)]" }
        }
        var names = nominal.enclosing + [nominal.name]
        // Levels that are no types, such as a generic function, have no name to stand behind.
        for (distance, level) in arguments.reversed().enumerated() where !level.isEmpty {
            let index = names.count - 1 - distance
            guard index >= 0 else { break }
            names[index] += "<\(level.map(\.readable).joined(separator: ", "))>"
        }
        return names.joined(separator: ".")
    }

    /// The mangled type without substitutions, as ``SwiftTypeParser`` reads it again.
    var mangled: String {
        switch self {
        case .nominal(let nominal, let arguments):
            guard arguments.contains(where: { !$0.isEmpty }) else { return nominal.key }
            let levels = arguments.map { $0.map(\.mangled).joined() }
            return nominal.key + "y" + levels.joined(separator: "_") + "G"
        case .tuple(let elements): return Self.mangled(elements)
        case .function(let function):
            let result = function.result == .void ? "y" : function.result.mangled
            var parameters = "y"
            if function.parameters.count == 1, case .tuple = function.parameters[0] {
                parameters = function.parameters[0].mangled + "_t"
            } else if function.parameters.count == 1 {
                parameters = function.parameters[0].mangled
            } else if !function.parameters.isEmpty {
                parameters = Self.mangled(function.parameters.map { Element(type: $0) })
            }
            let effects = (function.isAsync ? "Ya" : "") + (function.isThrowing ? "K" : "")
            let kind =
                switch function.representation {
                case .thick: "c"
                case .cFunction: "XC"
                case .block: "XB"
                }
            return result + parameters + effects + kind
        case .existential(let existential): return existential.mangled
        case .metatype(let type, let isExistential):
            return type.mangled + (isExistential ? "Xp" : "m")
        case .parameter(let depth, let index):
            if depth == 0 { return index == 0 ? "x" : "q\(Self.index(index - 1))" }
            return "qd\(Self.index(depth - 1))\(Self.index(index))"
        case .builtin(let name): return "B\(name)"
        case .reference(let ownership, let type):
            return type.mangled + (ownership == .weak ? "Xw" : "Xo")
        case .unknown: return "Xe"
        }
    }

    private static func mangled(_ elements: [Element]) -> String {
        guard !elements.isEmpty else { return "yt" }
        var text = ""
        for (index, element) in elements.enumerated() {
            text += element.type.mangled
            if !element.label.isEmpty { text += SwiftTypeParser.keyOfName(element.label) }
            if index == 0 { text += "_" }
        }
        return text + "t"
    }

    private static func index(_ number: Int) -> String { number == 0 ? "_" : "\(number - 1)_" }

    /// A name with its length in front.
    static func identifier(_ name: String) -> String { "\(name.utf8.count)\(name)" }
}

extension SwiftType.Existential {
    var readable: String {
        var names = protocols.map { ($0.enclosing + [$0.name]).joined(separator: ".") }
        if let superclass { names.insert(superclass.readable, at: 0) }
        if isAnyObject, superclass == nil { names.append("AnyObject") }
        switch names.count {
        case 0: return "Any"
        case 1: return names[0] == "AnyObject" ? "AnyObject" : "any \(names[0])"
        default: return "any " + names.joined(separator: " & ")
        }
    }

    var mangled: String {
        var text = ""
        for (index, item) in protocols.enumerated() {
            // A protocol in a list has no mark behind its name.
            text += item.key.last == "P" ? item.key.dropLast() : item.key[...]
            if index == 0 { text += "_" }
        }
        if protocols.isEmpty { text = "y" }
        if let superclass { return text + superclass.mangled + "Xc" }
        return text + (isAnyObject ? "Xl" : "p")
    }
}
