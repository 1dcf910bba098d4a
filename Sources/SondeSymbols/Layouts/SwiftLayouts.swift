// SPDX-License-Identifier: Apache-2.0
// Computes how Swift values lie in memory, from what metadata and debug info say of their parts.

/// What is known of a Swift type besides its name.
protocol SwiftTypeFacts: AnyObject {
    /// The fields or cases of a type.
    func descriptor(of nominal: SwiftNominal) throws(LayoutProblem) -> ReflectionTables.Descriptor
    /// The bytes of a value as debug info states them.
    func statedSize(of nominal: SwiftNominal) -> UInt64?
    /// The layout that the compiler stated.
    func builtIn(_ type: SwiftType) -> ReflectionTables.BuiltIn?
    /// The bits that no payload of an enum uses, as the compiler stated them.
    func spareBits(_ nominal: SwiftNominal) -> BitMask?
    /// Whether only classes conform to a protocol.
    func isClassProtocol(_ nominal: SwiftNominal) -> Bool?
    /// The offset of a class's field.
    func fieldOffset(of field: String, in nominal: SwiftNominal) -> UInt64?
    /// The type that an alias stands for.
    func aliased(_ nominal: SwiftNominal) -> SwiftType?
    /// The layout of a type that was imported from C.
    func imported(_ nominal: SwiftNominal) throws(LayoutProblem) -> TypeLayout
}

/// Computes layouts of Swift types by the rules of Swift's ABI.
///
/// What does not fit what metadata or debug info state is a problem, never a guess. References end
/// the computation, so that types may refer to themselves. Not thread safe.
final class SwiftLayouts {
    let facts: any SwiftTypeFacts
    private var known: [SwiftType: Result<ValueLayout, LayoutProblem>] = [:]
    private var underWay: Set<SwiftType> = []

    /// How deep values may lie in values, and how many types are computed for one image.
    static let maxDepth = 128
    static let maxTypes = 1 << 18
    /// The largest value, in bytes.
    static let maxSize: UInt64 = 1 << 32

    init(_ facts: any SwiftTypeFacts) { self.facts = facts }

    /// How a value of a type lies in memory.
    func layout(of type: SwiftType) throws(LayoutProblem) -> ValueLayout {
        if let result = known[type] { return try result.get() }
        guard underWay.count < Self.maxDepth else {
            throw LayoutProblem(reason: "values lie too deep in values")
        }
        guard known.count < Self.maxTypes else {
            throw LayoutProblem(reason: "the image has too many types")
        }
        guard underWay.insert(type).inserted else {
            throw LayoutProblem(reason: "\(type.readable) would hold itself")
        }
        defer { underWay.remove(type) }
        do throws(LayoutProblem) {
            let layout = try compute(type)
            guard layout.size <= Self.maxSize, layout.alignment <= 4096 else {
                throw LayoutProblem(reason: "\(type.readable) is too large")
            }
            known[type] = .success(layout)
            return layout
        } catch {
            known[type] = .failure(error)
            throw error
        }
    }

    /// A type's key, with its size where it is known.
    func id(_ type: SwiftType) -> TypeID {
        let size = (try? layout(of: type)).flatMap { $0.isDependent ? nil : $0.size }
        return TypeID(entry: nil, mangledName: "$s\(type.mangled)D", byteSize: size)
    }

    /// A type's key without looking at the type, which may refer back here.
    func lazyID(_ type: SwiftType) -> TypeID {
        TypeID(entry: nil, mangledName: "$s\(type.mangled)D")
    }

    private func compute(_ type: SwiftType) throws(LayoutProblem) -> ValueLayout {
        switch type {
        case .nominal(let nominal, let arguments): return try named(nominal, arguments)
        case .tuple(let elements):
            return try record(elements.map { ($0.label, $0.type) }, isTuple: true)
        case .function(let function): return Self.function(function)
        case .existential(let existential): return try layout(of: existential)
        case .metatype(let instance, let isExistential):
            return Self.metatype(instance, isExistential)
        case .parameter: return .dependent
        case .builtin(let name): return try Self.builtIn(name)
        case .reference(let ownership, let type): return try reference(ownership, type)
        case .unknown(let reason): throw LayoutProblem(reason: reason)
        }
    }

    private func named(
        _ nominal: SwiftNominal, _ arguments: [[SwiftType]]
    ) throws(LayoutProblem) -> ValueLayout {
        if let layout = try standard(nominal, arguments) { return layout }
        if nominal.isImported, nominal.kind == .structure || nominal.kind == .enumeration {
            let layout = try facts.imported(nominal)
            return ValueLayout(
                size: layout.size, alignment: layout.alignment, kind: layout.kind)
        }
        switch nominal.kind {
        case .classType:
            return .reference(.object(fields: [], isActor: false, incomplete: "not looked at"))
        case .protocolType:
            return try layout(of: SwiftType.Existential(protocols: [nominal]))
        case .other:
            guard let type = facts.aliased(nominal) else {
                throw LayoutProblem(reason: "the alias \(nominal.name) is not known")
            }
            return try layout(of: type.substituting(arguments.filter { !$0.isEmpty }))
        case .structure:
            let descriptor = try facts.descriptor(of: nominal)
            var fields: [(String, SwiftType)] = []
            for record in descriptor.records {
                fields.append((record.name, try type(of: record, arguments)))
            }
            var layout = try record(fields, isTuple: false)
            if Self.isShared(nominal) {
                // Others write to it while it is looked at, so nothing of it is left to enums.
                layout.extraInhabitants = .none
                layout.spareBits = BitMask(size: layout.size)
                layout.isLoadable = false
            }
            return try checked(layout, nominal, arguments)
        case .enumeration:
            let descriptor = try facts.descriptor(of: nominal)
            let layout = try enumeration(nominal, arguments, descriptor)
            return try checked(layout, nominal, arguments)
        }
    }

    /// Whether a structure's storage is not its fields' but raw memory of the same layout.
    private static func isShared(_ nominal: SwiftNominal) -> Bool {
        nominal.key == "15Synchronization5MutexV"
    }

    /// A field's type with the generic arguments of the type around it.
    func type(
        of record: ReflectionTables.Record, _ arguments: [[SwiftType]]
    ) throws(LayoutProblem) -> SwiftType {
        guard let type = record.type else {
            throw LayoutProblem(reason: "the type of \(record.name) is not stated")
        }
        let levels = arguments.filter { !$0.isEmpty }
        if levels.isEmpty { return type }
        let limit = SwiftTypeParser.maxWeight
        let largest = levels.joined().map { $0.weight(atMost: limit) }.max() ?? 1
        guard type.weight(atMost: limit) * largest <= 16 * limit else {
            throw LayoutProblem(reason: "the type of \(record.name) is too large")
        }
        return type.substituting(levels)
    }

    /// Compares a layout with what the compiler stated of it.
    private func checked(
        _ layout: ValueLayout, _ nominal: SwiftNominal, _ arguments: [[SwiftType]]
    ) throws(LayoutProblem) -> ValueLayout {
        guard arguments.allSatisfy(\.isEmpty), !layout.isDependent else { return layout }
        if let size = facts.statedSize(of: nominal), size != layout.size {
            throw LayoutProblem(
                reason: "\(nominal.name) takes \(size) bytes, but its parts add up to "
                    + "\(layout.size)")
        }
        if let stated = facts.builtIn(.nominal(nominal, arguments: [])) {
            let extra = min(layout.extraInhabitants.count, ExtraInhabitants.maxCount)
            guard stated.size == layout.size, stated.alignment == layout.alignment,
                stated.extraInhabitants == extra
            else {
                throw LayoutProblem(
                    reason: "\(nominal.name) is laid out by the compiler in another way")
            }
        }
        return layout
    }

    /// Values one behind the other, each at a multiple of its alignment.
    func record(
        _ fields: [(name: String, type: SwiftType)], isTuple: Bool
    ) throws(LayoutProblem) -> ValueLayout {
        var result = ValueLayout(size: 0, kind: .tuple([]))
        var placed: [TypeLayout.Field] = []
        var extra = ExtraInhabitants.none
        for (name, type) in fields {
            let field = try layout(of: type)
            let offset = (result.size &+ field.alignment &- 1) & ~(field.alignment &- 1)
            guard offset <= Self.maxSize else { throw LayoutProblem(reason: "too large a value") }
            // What lies between the fields is spare as well.
            result.spareBits.extend(to: offset &+ field.size, true)
            result.spareBits.intersect(field.spareBits, at: offset)
            if field.size > 0 { clearUnknown(&result.spareBits, field, at: offset) }
            result.size = offset &+ field.size
            result.alignment = max(result.alignment, field.alignment)
            result.isLoadable = result.isLoadable && field.isLoadable
            result.isDependent = result.isDependent || field.isDependent
            // The first field with the most patterns gives its own.
            if field.extraInhabitants.count > extra.count {
                extra = field.extraInhabitants.moved(by: offset)
            }
            var ownership = TypeLayout.Ownership.strong
            if case .reference(let stored, _) = type { ownership = stored }
            placed.append(
                TypeLayout.Field(
                    name: name, offset: offset, type: id(type), ownership: ownership))
        }
        result.extraInhabitants = extra
        result.kind = isTuple ? .tuple(placed) : .structure(placed)
        return result
    }

    /// Bits of a field that its mask is too short for count as used.
    private func clearUnknown(_ mask: inout BitMask, _ field: ValueLayout, at offset: UInt64) {
        let known = UInt64(field.spareBits.bytes.count)
        guard known < field.size else { return }
        mask.intersect(BitMask(size: field.size - known), at: offset &+ known)
    }
}
