// SPDX-License-Identifier: Apache-2.0
// Finds the type of a variable's debug entry.

internal import CElfutils

extension TypeID {
    /// The type that an entry states, without `const` and the like.
    init(of entry: DwarfEntry) {
        self.init(entry: nil)
        guard var type = entry.inherited({ $0.reference(Int(DW_AT_type)) }) else { return }
        // The chain is cut because a malformed one may be a ring.
        for _ in 0..<32 {
            self.entry = type.offset
            // A type parameter states that it has no bytes.
            if let size = type.number(Int(DW_AT_byte_size)), size > 0 { byteSize = size }
            // A mangled name that ends in `aD` is a type alias.
            if let name = Self.mangledName(type), !name.hasSuffix("aD") {
                mangledName = name
                return
            }
            guard let next = Self.next(type) else {
                if byteSize == nil { byteSize = Self.size(of: type) }
                return
            }
            type = next
        }
    }

    /// Swift's name of a type; bound generic types and type parameters have it for their name.
    private static func mangledName(_ type: DwarfEntry) -> String? {
        func isSwift(_ name: String) -> Bool { name.hasPrefix("$s") || name.hasPrefix("$e") }
        if let name = type.string(Int(DW_AT_linkage_name)), isSwift(name) { return name }
        guard let name = type.string(Int(DW_AT_name)), isSwift(name), name.hasSuffix("D") else {
            return nil
        }
        return name
    }

    /// The type that this one is another name for.
    private static func next(_ type: DwarfEntry) -> DwarfEntry? {
        switch type.tag {
        case DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_restrict_type, DW_TAG_atomic_type:
            return type.reference(Int(DW_AT_type))
        case DW_TAG_typedef:
            // In C a typedef may be the only name; layouts follow it by themselves.
            guard type.string(Int(DW_AT_linkage_name)) != nil else { return nil }
            return type.reference(Int(DW_AT_type))
        case DW_TAG_structure_type:
            // Swift wraps a bound generic type in a nameless one that states its size.
            guard type.string(Int(DW_AT_name)) == nil,
                let member = type.child, member.tag == DW_TAG_member, member.sibling == nil,
                member.number(Int(DW_AT_data_member_location)) ?? 0 == 0,
                let inner = member.reference(Int(DW_AT_type)),
                mangledName(inner) != nil
            else { return nil }
            return inner
        default: return nil
        }
    }

    /// The size of a C type by the rules of DWARF.
    private static func size(of type: DwarfEntry) -> UInt64? {
        var current = type
        for _ in 0..<32 {
            if let size = current.number(Int(DW_AT_byte_size)) { return size }
            switch current.tag {
            case DW_TAG_pointer_type, DW_TAG_reference_type, DW_TAG_rvalue_reference_type: return 8
            case DW_TAG_typedef, DW_TAG_const_type, DW_TAG_volatile_type:
                guard let next = current.reference(Int(DW_AT_type)) else { return nil }
                current = next
            case DW_TAG_array_type: return arraySize(current)
            default: return nil
            }
        }
        return nil
    }

    private static func arraySize(_ array: DwarfEntry) -> UInt64? {
        guard let element = array.reference(Int(DW_AT_type)),
            element.tag != DW_TAG_array_type, var total = size(of: element)
        else { return nil }
        var next = array.child
        for _ in 0..<16 {
            guard let range = next else { return total }
            next = range.sibling
            guard range.tag == DW_TAG_subrange_type else { return nil }
            guard
                let count = range.number(Int(DW_AT_count))
                    ?? range.number(Int(DW_AT_upper_bound)).map({ $0 &+ 1 })
            else { return nil }
            let (product, overflow) = total.multipliedReportingOverflow(by: count)
            if overflow { return nil }
            total = product
        }
        return nil
    }
}
