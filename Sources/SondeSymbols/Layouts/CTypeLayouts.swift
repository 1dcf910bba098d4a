// SPDX-License-Identifier: Apache-2.0
// The layouts of C, C++ and Rust types, which debug info states in full.

internal import CElfutils

/// Reads the layouts of types that debug info describes by members and offsets.
struct CTypeLayouts {
    private let dwarf: DwarfInfo

    /// How many members a type may have, and how long a chain of names may be.
    private static let maxMembers = 65_536
    private static let maxChain = 32

    init(_ dwarf: DwarfInfo) { self.dwarf = dwarf }

    /// The layout of the type at an offset of `.debug_info`.
    func layout(at offset: UInt64) -> TypeLayout {
        guard let entry = dwarf.entry(at: offset) else {
            return .opaque("?", 0, "there is no type at this place of the debug info")
        }
        return layout(of: entry)
    }

    private func layout(of entry: DwarfEntry) -> TypeLayout {
        let name = readableName(of: entry, Self.maxChain)
        let type = resolved(entry)
        guard let size = size(of: type, Self.maxChain) else {
            return .opaque(name, 0, "the debug info does not state its size")
        }
        let alignment = alignment(of: type, Self.maxChain)
        let kind = self.kind(of: type, size)
        let stride = max(1, size)
        return TypeLayout(
            name: name, size: size, stride: stride, alignment: alignment, kind: kind)
    }

    /// The type behind `const`, `volatile` and `typedef`.
    private func resolved(_ entry: DwarfEntry) -> DwarfEntry {
        var current = entry
        for _ in 0..<Self.maxChain {
            switch current.tag {
            case DW_TAG_const_type, DW_TAG_volatile_type, DW_TAG_restrict_type, DW_TAG_atomic_type,
                DW_TAG_typedef:
                guard let next = current.reference(Int(DW_AT_type)) else { return current }
                current = next
            default: return current
            }
        }
        return current
    }

    private func id(_ entry: DwarfEntry) -> TypeID {
        // A C structure may hold a Swift type's name only where Swift wrote the entry.
        TypeID(
            entry: entry.offset, mangledName: DwarfTypes.mangledName(of: entry),
            byteSize: size(of: entry, Self.maxChain))
    }

    private func kind(of type: DwarfEntry, _ size: UInt64) -> TypeLayout.Kind {
        switch type.tag {
        case DW_TAG_base_type: return scalar(type, size)
        case DW_TAG_pointer_type, DW_TAG_reference_type, DW_TAG_rvalue_reference_type:
            return pointer(type, size)
        case DW_TAG_structure_type, DW_TAG_class_type, DW_TAG_union_type:
            if type.number(Int(DW_AT_declaration)) ?? 0 != 0 {
                return .opaque(reason: "the debug info only declares it")
            }
            return .structure(members(of: type, size))
        case DW_TAG_enumeration_type: return enumeration(type)
        case DW_TAG_array_type: return array(type)
        case DW_TAG_subroutine_type: return .function
        default: return .opaque(reason: "the debug info describes it in a way that is not read")
        }
    }

    private func scalar(_ type: DwarfEntry, _ size: UInt64) -> TypeLayout.Kind {
        guard let encoding = type.number(Int(DW_AT_encoding)) else {
            return .opaque(reason: "the debug info does not state its encoding")
        }
        let bits = UInt8(clamping: size &* 8)
        let isWord = [1, 2, 4, 8, 16].contains(size)
        switch Int(encoding) {
        case DW_ATE_boolean where size == 1: return .boolean
        case DW_ATE_signed where isWord, DW_ATE_signed_char where isWord:
            return .signed(bits: bits)
        case DW_ATE_unsigned where isWord, DW_ATE_unsigned_char where isWord,
            DW_ATE_boolean where isWord:
            return .unsigned(bits: bits)
        // C++ and Rust characters.
        case DW_ATE_UTF where size == 4: return .unicodeScalar
        case DW_ATE_UTF where isWord: return .unsigned(bits: bits)
        case DW_ATE_float where size == 2 && type.string(Int(DW_AT_name)) == "_Float16":
            return .float16
        case DW_ATE_float where size == 16 && type.string(Int(DW_AT_name)) == "long double":
            return .float80
        case DW_ATE_float where size == 4: return .float
        case DW_ATE_float where size == 8: return .double
        case DW_ATE_address where size == 8: return .pointer(pointee: nil)
        default: return .opaque(reason: "numbers of this kind are not read yet")
        }
    }

    private func pointer(_ type: DwarfEntry, _ size: UInt64) -> TypeLayout.Kind {
        guard size == 8 else { return .opaque(reason: "a pointer of \(size) bytes") }
        guard let target = type.reference(Int(DW_AT_type)) else { return .pointer(pointee: nil) }
        let pointee = resolved(target)
        if pointee.tag == DW_TAG_subroutine_type { return .function }
        // `char` by its name: `signed char` and `unsigned char` are small numbers.
        if pointee.tag == DW_TAG_base_type, pointee.string(Int(DW_AT_name)) == "char" {
            return .cString
        }
        return .pointer(pointee: id(target))
    }

    private func members(of type: DwarfEntry, _ size: UInt64) -> [TypeLayout.Field] {
        var fields: [TypeLayout.Field] = []
        var child = type.child
        for _ in 0..<Self.maxMembers {
            guard let current = child else { break }
            child = current.sibling
            let isBase = current.tag == DW_TAG_inheritance
            guard current.tag == DW_TAG_member || isBase,
                // A static member lies elsewhere.
                current.number(Int(DW_AT_external)) == nil,
                current.number(Int(DW_AT_declaration)) == nil,
                let target = current.reference(Int(DW_AT_type))
            else { continue }
            let name = current.string(Int(DW_AT_name)) ?? ""
            if let bits = current.number(Int(DW_AT_bit_size)) {
                if let field = bitField(current, name, target, bits, size) { fields.append(field) }
                continue
            }
            guard let offset = Self.offset(of: current) else { continue }
            guard offset <= size, self.size(of: target, Self.maxChain) ?? 0 <= size - offset else {
                continue
            }
            fields.append(TypeLayout.Field(name: name, offset: offset, type: id(target)))
        }
        return fields
    }

    /// A member's bytes from the start; `nil` when they are only known at run time.
    private static func offset(of member: DwarfEntry) -> UInt64? {
        // Without an offset, a union's member lies at its start.
        guard var attribute = member.attribute(Int(DW_AT_data_member_location)) else { return 0 }
        if let number = member.number(Int(DW_AT_data_member_location)) { return number }
        // Before DWARF 4 it is an expression that adds to the structure's address.
        var expression: UnsafeMutablePointer<Dwarf_Op>?
        var count = 0
        guard dwarf_getlocation(&attribute, &expression, &count) == 0, count == 1,
            let operation = expression?.pointee, Int(operation.atom) == DW_OP_plus_uconst
        else { return nil }
        return operation.number
    }

    /// A bit field as bits of an integer of its type that lies within the structure.
    private func bitField(
        _ member: DwarfEntry, _ name: String, _ target: DwarfEntry, _ count: UInt64,
        _ size: UInt64
    ) -> TypeLayout.Field? {
        guard let width = self.size(of: target, Self.maxChain), [1, 2, 4, 8].contains(width),
            count > 0, count <= width * 8
        else { return nil }
        let first: UInt64
        if let offset = member.number(Int(DW_AT_data_bit_offset)) {
            first = offset
        } else if let location = Self.offset(of: member),
            let fromTop = member.number(Int(DW_AT_bit_offset)), fromTop <= 64,
            location < 1 << 32
        {
            // Before DWARF 4, counted from the highest bit of the storage unit.
            let unit = (member.number(Int(DW_AT_byte_size)) ?? width) &* 8
            guard unit <= 64, fromTop + count <= unit else { return nil }
            first = location * 8 + unit - fromTop - count
        } else {
            return nil
        }
        guard size < 1 << 32, first < size * 8, count <= size * 8 - first else { return nil }
        // The integer that holds it, aligned as its type is; moved down at the structure's end.
        let bits = width * 8
        var offset = first / bits * width
        if offset + width > size { offset = size >= width ? size - width : 0 }
        guard first >= offset * 8, first - offset * 8 + count <= bits else { return nil }
        return TypeLayout.Field(
            name: name, offset: offset, type: id(target),
            bits: .init(first: UInt8(first - offset * 8), count: UInt8(count)))
    }

    private func enumeration(_ type: DwarfEntry) -> TypeLayout.Kind {
        var cases: [TypeLayout.Case] = []
        var child = type.child
        for _ in 0..<Self.maxMembers {
            guard let current = child else { break }
            child = current.sibling
            guard current.tag == DW_TAG_enumerator,
                let name = current.string(Int(DW_AT_name)),
                let value = Self.constant(of: current)
            else { continue }
            cases.append(TypeLayout.Case(name: name, rawValue: value))
        }
        return .enumeration(cases: cases, tag: TagRule(steps: [], otherwise: nil))
    }

    /// An enumerator's value; a form that does not say whether it has a sign counts as without.
    private static func constant(of entry: DwarfEntry) -> UInt64? {
        guard var attribute = entry.attribute(Int(DW_AT_const_value)) else { return nil }
        switch Int(attribute.form) {
        case DW_FORM_sdata, DW_FORM_implicit_const:
            var value: Dwarf_Sword = 0
            guard dwarf_formsdata(&attribute, &value) == 0 else { return nil }
            return UInt64(bitPattern: Int64(value))
        default: return entry.number(Int(DW_AT_const_value))
        }
    }

    private func array(_ type: DwarfEntry) -> TypeLayout.Kind {
        guard let element = type.reference(Int(DW_AT_type)) else {
            return .opaque(reason: "the debug info does not state its elements")
        }
        let counts = self.counts(of: type)
        guard let first = counts.first, let count = first else {
            return .opaque(reason: "the debug info does not state how many elements there are")
        }
        // Rows of an array with several dimensions have no entry of their own.
        guard counts.count == 1 else {
            var total = count
            for next in counts.dropFirst() {
                let (product, overflow) = total.multipliedReportingOverflow(by: next ?? 0)
                if overflow { return .opaque(reason: "it is too large") }
                total = product
            }
            return .cArray(element: id(element), count: total)
        }
        return .cArray(element: id(element), count: count)
    }

    private func counts(of array: DwarfEntry) -> [UInt64?] {
        var counts: [UInt64?] = []
        var child = array.child
        for _ in 0..<16 {
            guard let range = child else { break }
            child = range.sibling
            guard range.tag == DW_TAG_subrange_type else { continue }
            counts.append(
                range.number(Int(DW_AT_count))
                    ?? range.number(Int(DW_AT_upper_bound)).map { $0 &+ 1 })
        }
        return counts
    }

    private func size(of entry: DwarfEntry, _ chain: Int) -> UInt64? {
        if let size = entry.number(Int(DW_AT_byte_size)) { return size }
        guard chain > 0 else { return nil }
        switch entry.tag {
        case DW_TAG_pointer_type, DW_TAG_reference_type, DW_TAG_rvalue_reference_type: return 8
        case DW_TAG_subroutine_type: return 1
        case DW_TAG_array_type:
            guard let element = entry.reference(Int(DW_AT_type)),
                var total = size(of: element, chain - 1)
            else { return nil }
            for count in counts(of: entry) {
                // A flexible array member takes no room.
                let (product, overflow) = total.multipliedReportingOverflow(by: count ?? 0)
                if overflow { return nil }
                total = product
            }
            return total
        default: return entry.reference(Int(DW_AT_type)).flatMap { size(of: $0, chain - 1) }
        }
    }

    private func alignment(of entry: DwarfEntry, _ chain: Int) -> UInt64 {
        if let stated = entry.number(Int(DW_AT_alignment)), stated.nonzeroBitCount == 1,
            stated <= 4096
        {
            return stated
        }
        guard chain > 0 else { return 1 }
        switch entry.tag {
        case DW_TAG_base_type, DW_TAG_enumeration_type:
            let size = size(of: entry, 1) ?? 1
            return size.nonzeroBitCount == 1 && size <= 16 ? size : 1
        case DW_TAG_pointer_type, DW_TAG_reference_type, DW_TAG_rvalue_reference_type: return 8
        case DW_TAG_structure_type, DW_TAG_class_type, DW_TAG_union_type:
            var best: UInt64 = 1
            var child = entry.child
            for _ in 0..<256 {
                guard let current = child else { break }
                child = current.sibling
                guard current.tag == DW_TAG_member || current.tag == DW_TAG_inheritance,
                    let target = current.reference(Int(DW_AT_type)),
                    let offset = Self.offset(of: current)
                else { continue }
                let member = alignment(of: target, chain / 4)
                // A packed structure has members where they would not be otherwise.
                guard offset.isMultiple(of: member) else { return 1 }
                best = max(best, member)
            }
            guard size(of: entry, 1)?.isMultiple(of: best) ?? false else { return 1 }
            return best
        default:
            return entry.reference(Int(DW_AT_type)).map { alignment(of: $0, chain - 1) } ?? 1
        }
    }

    /// The type's name as its language writes it.
    private func readableName(of entry: DwarfEntry, _ chain: Int) -> String {
        guard chain > 0 else { return "?" }
        let target = entry.reference(Int(DW_AT_type))
        func inner() -> String { target.map { readableName(of: $0, chain - 1) } ?? "void" }
        switch entry.tag {
        case DW_TAG_pointer_type:
            if let target, target.tag == DW_TAG_subroutine_type { return "function pointer" }
            let text = inner()
            return text.hasSuffix("*") ? text + "*" : text + " *"
        case DW_TAG_reference_type: return inner() + " &"
        case DW_TAG_rvalue_reference_type: return inner() + " &&"
        case DW_TAG_const_type: return "const " + inner()
        case DW_TAG_volatile_type: return "volatile " + inner()
        case DW_TAG_restrict_type: return inner()
        case DW_TAG_atomic_type: return "_Atomic " + inner()
        case DW_TAG_array_type:
            let counts = counts(of: entry).map { "[\($0.map(String.init) ?? "")]" }
            return inner() + counts.joined()
        default: break
        }
        if let mangled = DwarfTypes.mangledName(of: entry),
            let type = try? SwiftTypeParser.type(mangledName: mangled)
        {
            return type.readable
        }
        let name = entry.string(Int(DW_AT_name)) ?? ""
        switch entry.tag {
        case DW_TAG_union_type: return name.isEmpty ? "union" : name
        case DW_TAG_enumeration_type: return name.isEmpty ? "enum" : name
        case DW_TAG_subroutine_type: return "function"
        default: return name.isEmpty ? "struct" : name
        }
    }
}

extension TypeLayout {
    /// A type whose contents cannot be read.
    static func opaque(_ name: String, _ size: UInt64, _ reason: String) -> TypeLayout {
        TypeLayout(
            name: name, size: size, stride: max(1, size), alignment: 1,
            kind: .opaque(reason: reason))
    }
}
