// SPDX-License-Identifier: Apache-2.0
// The layouts of what refers to something: functions, metatypes, existentials, weak references.

extension SwiftLayouts {
    static func function(_ function: SwiftType.Function) -> ValueLayout {
        switch function.representation {
        case .thick:
            ValueLayout(
                size: 16, alignment: 8, kind: .function, extraInhabitants: .object(at: 0))
        case .cFunction:
            ValueLayout(size: 8, alignment: 8, kind: .function, extraInhabitants: .object(at: 0))
        case .block: .reference(.function)
        }
    }

    /// Where the type is known, its metatype takes no room.
    static func metatype(_ instance: SwiftType, _ isExistential: Bool) -> ValueLayout {
        let kind = TypeLayout.Kind.existential(
            typeName: SwiftType.metatype(instance, isExistential: isExistential).readable)
        if isExistential {
            var layout = ValueLayout.reference(kind)
            // Behind protocols, the tables of conformances follow.
            if case .existential(let existential) = instance {
                let witnesses = existential.protocols.filter { !markers.contains($0.key) }.count
                layout.size = 8 &+ 8 &* UInt64(witnesses)
                layout.spareBits.extend(to: layout.size, false)
            }
            return layout
        }
        switch instance {
        case .nominal(let nominal, _) where nominal.kind == .classType: return .reference(kind)
        case .parameter: return .reference(kind)
        default:
            return ValueLayout(
                size: 0,
                kind: .opaque(reason: "a metatype that is known at build time takes no room"))
        }
    }

    /// A type of the compiler itself.
    static func builtIn(_ name: String) throws(LayoutProblem) -> ValueLayout {
        switch name {
        case "i1_":
            return ValueLayout(
                size: 1, kind: .boolean, extraInhabitants: .above(2, bytes: 1),
                spareBits: BitMask(bytes: [0xFE]))
        case "i8_": return ValueLayout(size: 1, kind: .unsigned(bits: 8))
        case "i16_": return ValueLayout(size: 2, alignment: 2, kind: .unsigned(bits: 16))
        case "i32_": return ValueLayout(size: 4, alignment: 4, kind: .unsigned(bits: 32))
        case "i64_", "w": return ValueLayout(size: 8, alignment: 8, kind: .unsigned(bits: 64))
        case "f32_": return ValueLayout(size: 4, alignment: 4, kind: .float)
        case "f64_": return ValueLayout(size: 8, alignment: 8, kind: .double)
        case "p": return pointer(nil)
        case "o", "O": return .reference(.pointer(pointee: nil))
        case "b":
            return ValueLayout(
                size: 8, alignment: 8, kind: .pointer(pointee: nil),
                extraInhabitants: .object(at: 0))
        case "D", "d":
            return ValueLayout(
                size: 96, alignment: 16, kind: .opaque(reason: "an actor's own storage"))
        default: throw LayoutProblem(reason: "Builtin.\(name) is not known")
        }
    }

    /// A weak or unowned reference.
    func reference(
        _ ownership: TypeLayout.Ownership, _ type: SwiftType
    ) throws(LayoutProblem) -> ValueLayout {
        var object = type
        if case .nominal(StandardTypes.optional, let arguments) = type,
            let wrapped = arguments.last?.first
        {
            object = wrapped
        }
        var layout = try layout(of: object)
        guard layout.size >= 8, layout.size.isMultiple(of: 8) else {
            throw LayoutProblem(reason: "\(type.readable) is no reference")
        }
        if ownership == .weak {
            // The runtime registers the address of the reference itself.
            layout.kind = .weak(object: lazyID(object))
            layout.extraInhabitants = .none
            layout.spareBits = BitMask(size: layout.size)
            layout.isLoadable = false
        } else if case .nominal(StandardTypes.optional, _) = type {
            return try optional(object)
        }
        return layout
    }

    /// A value behind protocols.
    func layout(of existential: SwiftType.Existential) throws(LayoutProblem) -> ValueLayout {
        let kind = TypeLayout.Kind.existential(typeName: existential.readable)
        var witnesses: UInt64 = 0
        var isClass = existential.isAnyObject || existential.superclass != nil
        for item in existential.protocols {
            if Self.markers.contains(item.key) { continue }
            if item.key == Self.error {
                if existential.protocols.count == 1, !isClass { return .reference(kind) }
            } else if let isClassProtocol = isClassProtocol(item) {
                isClass = isClass || isClassProtocol
            } else if !isClass {
                throw LayoutProblem(
                    reason: "whether \(item.name) is for classes only is said in another image")
            }
            witnesses += 1
        }
        if isClass {
            var layout = ValueLayout.reference(kind)
            for _ in 0..<witnesses {
                layout.spareBits = BitMask(
                    bytes: layout.spareBits.bytes + ValueLayout.objectSpareBits.bytes)
            }
            layout.size = 8 &+ 8 &* witnesses
            return layout
        }
        var layout = ValueLayout(
            size: 32 &+ 8 &* witnesses, alignment: 8, kind: kind,
            extraInhabitants: .object(at: 24))
        layout.isLoadable = false
        return layout
    }

    private func isClassProtocol(_ item: SwiftNominal) -> Bool? {
        if item.key == "s5ActorP" || item.key == "s8AnyActorP" { return true }
        if let known = facts.isClassProtocol(item) { return known }
        // Of the standard library's other protocols none is for classes only.
        let isStandard = item.key.hasPrefix("s") && item.key.dropFirst().first?.isNumber == true
        return isStandard ? false : nil
    }

    private static let error = "s5ErrorP"
    /// Protocols that leave no trace at run time.
    private static let markers: Set = [
        "s8SendableP", "s8CopyableP", "s9EscapableP", "s15BitwiseCopyableP", "s16SendableMetatypeP",
    ]
}
