// SPDX-License-Identifier: Apache-2.0
// What debug info says of Swift types: sizes, aliases and, if it was asked for, members.

internal import CElfutils

/// The Swift types that an image's debug info describes.
///
/// The index is made when something is asked for first. Not thread safe.
final class DwarfTypes {
    /// One type's entry.
    struct Found {
        var entry: UInt64
        var size: UInt64?
        var hasMembers: Bool
    }

    private let dwarf: DwarfInfo
    private lazy var index = makeIndex()

    /// How many types and members are looked at.
    static let maxTypes = 1 << 20
    static let maxMembers = 65_536

    private struct Index {
        var types: [String: Found] = [:]
        var aliases: [String: UInt64] = [:]
        var sizes: [String: UInt64] = [:]
        var cTypes: [String: UInt64] = [:]
    }

    init(_ dwarf: DwarfInfo) { self.dwarf = dwarf }

    /// A named type without generic arguments.
    func type(_ nominal: SwiftNominal) -> Found? { index.types[nominal.key] }

    /// The bytes of all types that the debug info states them of, by mangled name.
    var sizes: [String: UInt64] { index.sizes }

    /// What the compiler of the image's Swift calls itself.
    var producer: String {
        dwarf.units.lazy.compactMap {
            $0.number(Int(DW_AT_language)) == 0x1E ? $0.string(Int(DW_AT_producer)) : nil
        }.first ?? ""
    }

    /// The type that an alias stands for.
    func aliased(_ nominal: SwiftNominal) -> SwiftType? {
        guard let offset = index.aliases[nominal.key], let alias = dwarf.entry(at: offset),
            let target = alias.reference(Int(DW_AT_type))
        else { return nil }
        return Self.swiftType(of: target)
    }

    /// The debug entry of a type that Swift imported from C, if a unit of C describes it.
    func cType(_ nominal: SwiftNominal) -> UInt64? { index.cTypes[nominal.name] }

    /// The Swift type that an entry stands for, behind `let`, wrappers and aliases.
    static func swiftType(of entry: DwarfEntry) -> SwiftType? {
        guard let name = mangledName(of: entry) else { return nil }
        return try? SwiftTypeParser.type(mangledName: name)
    }

    /// The mangled name of the Swift type that an entry stands for.
    static func mangledName(of entry: DwarfEntry) -> String? {
        var current = entry
        // The chain is cut because a malformed one may be a ring.
        for _ in 0..<16 {
            for attribute in [DW_AT_linkage_name, DW_AT_name] {
                if let name = current.string(Int(attribute)), name.hasPrefix("$s"),
                    name.hasSuffix("D"), !name.hasSuffix("aD")
                {
                    return name
                }
            }
            if let target = current.reference(Int(DW_AT_type)) {
                guard current.tag != DW_TAG_pointer_type, current.tag != DW_TAG_array_type else {
                    return nil
                }
                current = target
            } else if current.tag == DW_TAG_structure_type, current.string(Int(DW_AT_name)) == nil,
                let member = current.child, member.tag == DW_TAG_member,
                let target = member.reference(Int(DW_AT_type))
            {
                // Swift wraps a bound generic type in a nameless one that states its size.
                current = target
            } else {
                return nil
            }
        }
        return nil
    }

    /// The members of a type or the cases of an enum, if debug info has them.
    ///
    /// Their offsets are not used: the compiler states wrong ones.
    func members(of nominal: SwiftNominal) -> ReflectionTables.Descriptor? {
        guard let found = index.types[nominal.key], found.hasMembers,
            let entry = dwarf.entry(at: found.entry)
        else { return nil }
        let kind: ReflectionTables.Descriptor.Kind
        switch nominal.kind {
        case .structure: kind = .structure
        case .classType: kind = .classType
        case .enumeration: kind = .enumeration
        default: return nil
        }
        var descriptor = ReflectionTables.Descriptor(kind: kind, superclass: nil, records: [])
        var child = entry.child
        while let current = child, descriptor.records.count < Self.maxMembers {
            child = current.sibling
            switch current.tag {
            case DW_TAG_member: append(current, to: &descriptor)
            case DW_TAG_inheritance:
                descriptor.superclass = current.reference(Int(DW_AT_type)).flatMap(Self.swiftType)
            // An enum with raw values; the values stated are wrong, the order is right.
            case DW_TAG_enumerator:
                descriptor.records.append(
                    .init(
                        name: current.string(Int(DW_AT_name)) ?? "", type: nil, isIndirect: false))
            case DW_TAG_variant_part: appendCases(of: current, to: &descriptor)
            default: break
            }
        }
        return descriptor
    }

    private func append(
        _ member: DwarfEntry, to descriptor: inout ReflectionTables.Descriptor
    ) {
        var type: SwiftType?
        if let target = member.reference(Int(DW_AT_type)) {
            type = Self.swiftType(of: target) ?? .unknown("a member's type is not understood")
        }
        descriptor.records.append(
            .init(name: member.string(Int(DW_AT_name)) ?? "", type: type, isIndirect: false))
    }

    private func appendCases(
        of part: DwarfEntry, to descriptor: inout ReflectionTables.Descriptor
    ) {
        var child = part.child
        while let variant = child, descriptor.records.count < Self.maxMembers {
            child = variant.sibling
            guard variant.tag == DW_TAG_variant, let member = variant.child,
                member.tag == DW_TAG_member
            else { continue }
            append(member, to: &descriptor)
        }
    }

    // MARK: The index

    private func makeIndex() -> Index {
        var index = Index()
        for unit in dwarf.units {
            // 0x1E: Swift, as DWARF numbers languages.
            guard unit.number(Int(DW_AT_language)) == 0x1E else {
                noteCTypes(of: unit, &index)
                continue
            }
            var budget = dwarf.limits.entriesPerUnit
            var stack = [unit.child].compactMap(\.self)
            while var entry = stack.popLast() {
                // Siblings are walked in a loop, so the stack is as deep as scopes are nested.
                while budget > 0, index.types.count < Self.maxTypes {
                    budget -= 1
                    note(entry, &index)
                    let next = entry.sibling
                    if Self.holdsTypes(entry.tag), let child = entry.child, stack.count < 256 {
                        if let next { stack.append(next) }
                        entry = child
                        continue
                    }
                    guard let next else { break }
                    entry = next
                }
            }
        }
        return index
    }

    /// The types at the top of a C unit, which Swift may have imported.
    private func noteCTypes(of unit: DwarfEntry, _ index: inout Index) {
        var child = unit.child
        for _ in 0..<dwarf.limits.entriesPerUnit {
            guard let entry = child, index.cTypes.count < Self.maxTypes else { return }
            child = entry.sibling
            switch entry.tag {
            case DW_TAG_structure_type, DW_TAG_union_type, DW_TAG_typedef, DW_TAG_enumeration_type:
                guard let name = entry.string(Int(DW_AT_name)),
                    entry.number(Int(DW_AT_declaration)) ?? 0 == 0
                else { continue }
                // A structure's own name goes before an alias.
                if index.cTypes[name] == nil || entry.tag != DW_TAG_typedef {
                    index.cTypes[name] = entry.offset
                }
            default: break
            }
        }
    }

    private static func holdsTypes(_ tag: Int) -> Bool {
        tag == DW_TAG_module || tag == DW_TAG_namespace || tag == DW_TAG_structure_type
    }

    private func note(_ entry: DwarfEntry, _ index: inout Index) {
        let tag = entry.tag
        guard
            tag == DW_TAG_structure_type || tag == DW_TAG_typedef || tag == DW_TAG_class_type
                || tag == DW_TAG_enumeration_type
        else { return }
        if tag != DW_TAG_typedef, index.sizes.count < Self.maxTypes,
            entry.number(Int(DW_AT_declaration)) ?? 0 == 0,
            entry.reference(Int(DW_AT_specification)) == nil,
            let size = entry.number(Int(DW_AT_byte_size)),
            let name = Self.mangledName(of: entry),
            // A generic type without its arguments is stated to have none.
            size > 0 || name.hasSuffix("VD") || name.hasSuffix("OD")
        {
            index.sizes[name] = size
        }
        // An alias has its mangled name for a name.
        let attribute = Int(tag == DW_TAG_typedef ? DW_AT_name : DW_AT_linkage_name)
        guard let name = entry.string(attribute), name.hasPrefix("$s"),
            let end = name.utf8.dropLast().last, name.utf8.last == UInt8(ascii: "D")
        else { return }
        let isAlias = end == UInt8(ascii: "a")
        guard isAlias || "VOC".utf8.contains(end),
            case .nominal(let nominal, _)? = try? SwiftTypeParser.type(mangledName: name)
        else { return }
        if isAlias {
            index.aliases[nominal.key] = entry.offset
            return
        }
        let isDeclaration = entry.number(Int(DW_AT_declaration)) ?? 0 != 0
        let size = isDeclaration ? nil : entry.number(Int(DW_AT_byte_size))
        let found = Found(
            entry: entry.offset, size: size, hasMembers: Self.hasMembers(entry))
        let old = index.types[nominal.key]
        // Several units may describe a type; the one that says most is kept.
        if old == nil || (!(old?.hasMembers ?? false) && found.hasMembers)
            || (old?.size == nil && found.size != nil)
        {
            index.types[nominal.key] = found
        }
    }

    private static func hasMembers(_ entry: DwarfEntry) -> Bool {
        var child = entry.child
        for _ in 0..<1024 {
            guard let current = child else { return false }
            switch current.tag {
            case DW_TAG_member, DW_TAG_variant_part, DW_TAG_enumerator: return true
            default: break
            }
            child = current.sibling
        }
        return false
    }
}
