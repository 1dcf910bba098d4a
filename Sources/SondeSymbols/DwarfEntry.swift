// SPDX-License-Identifier: Apache-2.0
// One debug entry (DIE), and the few attributes that symbolizing needs.

internal import CElfutils
internal import Glibc

/// A debug information entry.
///
/// Attributes that point into other files (dwz's common file, split DWARF) count as absent: libdw
/// would open paths that the untrusted file states.
struct DwarfEntry {
    private var die: Dwarf_Die

    init(_ die: Dwarf_Die) { self.die = die }

    /// What kind of entry this is, such as `DW_TAG_subprogram`.
    var tag: Int {
        var die = die
        return Int(dwarf_tag(&die))
    }

    /// The entry's offset in `.debug_info`, which identifies it within an image.
    var offset: UInt64 {
        var die = die
        return dwarf_dieoffset(&die)
    }

    /// The first child, or `nil`.
    var child: DwarfEntry? {
        var die = die
        var child = Dwarf_Die()
        guard dwarf_child(&die, &child) == 0, isBefore(child) else { return nil }
        return DwarfEntry(child)
    }

    /// The next entry of the same parent, or `nil`.
    var sibling: DwarfEntry? {
        var die = die
        var sibling = Dwarf_Die()
        guard dwarf_siblingof(&die, &sibling) == 0, isBefore(sibling) else { return nil }
        return DwarfEntry(sibling)
    }

    /// Whether another entry stands behind this one in the file.
    ///
    /// A malformed `DW_AT_sibling` may point back, and walking would never end.
    private func isBefore(_ other: Dwarf_Die) -> Bool {
        guard let here = die.addr, let there = other.addr else { return false }
        return UInt(bitPattern: here) < UInt(bitPattern: there)
    }

    /// The unit that the entry belongs to.
    var unit: DwarfEntry? {
        var die = die
        var unit = Dwarf_Die()
        guard dwarf_diecu(&die, &unit, nil, nil) != nil else { return nil }
        return DwarfEntry(unit)
    }

    /// The attribute as libdw has it, for those that hold locations; `nil` when it is absent.
    func attribute(_ name: Int) -> Dwarf_Attribute? { withAttribute(name) { $0 } }

    /// The attribute of this entry, or of the one that it is a copy or the definition of.
    func inherited<Value>(_ body: (DwarfEntry) -> Value?) -> Value? {
        var entry: DwarfEntry? = self
        // The chain is cut because a malformed one may be a ring.
        for _ in 0..<8 {
            guard let current = entry else { return nil }
            if let value = body(current) { return value }
            entry =
                current.reference(Int(DW_AT_abstract_origin))
                ?? current.reference(Int(DW_AT_specification))
        }
        return nil
    }

    private func withAttribute<Value>(
        _ name: Int, _ body: (inout Dwarf_Attribute) -> Value?
    ) -> Value? {
        var die = die
        var attribute = Dwarf_Attribute()
        guard dwarf_attr(&die, UInt32(name), &attribute) != nil else { return nil }
        switch Int(attribute.form) {
        case DW_FORM_GNU_ref_alt, DW_FORM_GNU_strp_alt, DW_FORM_strp_sup, DW_FORM_ref_sup4,
            DW_FORM_ref_sup8:
            return nil
        default: return body(&attribute)
        }
    }

    /// A text attribute; one of more than 64 KiB counts as absent.
    func string(_ name: Int) -> String? {
        withAttribute(name) { attribute in
            guard let text = dwarf_formstring(&attribute) else { return nil }
            guard strnlen(text, 65_537) <= 65_536 else { return nil }
            return String(cString: text)
        }
    }

    /// A number attribute.
    func number(_ name: Int) -> UInt64? {
        withAttribute(name) { attribute in
            var value: Dwarf_Word = 0
            return dwarf_formudata(&attribute, &value) == 0 ? value : nil
        }
    }

    /// An offset into another section.
    func sectionOffset(_ name: Int) -> UInt64? {
        withAttribute(name) { attribute in
            var value: Dwarf_Off = 0
            // Older producers state it as a plain number, which libdw takes for one.
            return dwarf_formudata(&attribute, &value) == 0 ? value : nil
        }
    }

    /// The entry that an attribute refers to.
    func reference(_ name: Int) -> DwarfEntry? {
        withAttribute(name) { attribute in
            var target = Dwarf_Die()
            guard dwarf_formref_die(&attribute, &target) != nil else { return nil }
            return DwarfEntry(target)
        }
    }

    /// Calls `body` with each address range of the entry until it returns false.
    ///
    /// Empty ranges count: a forged file may hold a long list of them and refer to it from everywhere,
    /// so the caller has to know how many there are.
    func forEachRange(_ body: (_ start: UInt64, _ end: UInt64) -> Bool) {
        var die = die
        var base: Dwarf_Addr = 0
        var start: Dwarf_Addr = 0
        var end: Dwarf_Addr = 0
        var place = 0
        while true {
            let next = dwarf_ranges(&die, place, &base, &start, &end)
            guard next > 0 else { return }
            guard body(start, end) else { return }
            // One range that is stated by low and high address comes with the place 1.
            guard next > place else { return }
            place = next
        }
    }
}
