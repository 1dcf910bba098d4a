// SPDX-License-Identifier: Apache-2.0
// Finds variables outside of functions by name.

internal import CElfutils
internal import SondeModel

/// The global and static variables of an image.
struct GlobalIndex {
    private var entries: [Substring: [UInt64]] = [:]

    /// Reads the variables of all units, and of the namespaces and types in them.
    init(_ image: ProbeImage) {
        var budget = image.limits.entriesPerUnit
        for unit in image.dwarf.units {
            var pending: [(next: DwarfEntry, depth: Int)] = []
            if let child = unit.child { pending.append((child, 0)) }
            // `child` and `sibling` only go forward, so this ends.
            while let (entry, depth) = pending.popLast(), budget > 0 {
                budget -= 1
                if let sibling = entry.sibling { pending.append((sibling, depth)) }
                switch entry.tag {
                case DW_TAG_variable: add(entry)
                case DW_TAG_namespace, DW_TAG_module, DW_TAG_structure_type, DW_TAG_class_type,
                    DW_TAG_enumeration_type, DW_TAG_union_type:
                    guard depth < 32, let child = entry.child else { continue }
                    pending.append((child, depth + 1))
                default: break
                }
            }
        }
    }

    private mutating func add(_ entry: DwarfEntry) {
        guard
            entry.attribute(Int(DW_AT_location)) != nil
                || entry.attribute(Int(DW_AT_const_value)) != nil,
            let name = entry.inherited({ $0.string(Int(DW_AT_name)) })
        else { return }
        entries[name[...], default: []].append(entry.offset)
    }

    /// The variables whose own name, without scopes, is this one.
    func named(_ name: Substring) -> [UInt64] { entries[name] ?? [] }
}

extension ProbeImage {
    /// A variable outside of functions: global, or static in a type or a file.
    ///
    /// Swift gives most globals their first value when they are used first; until then they read as
    /// zeros.
    ///
    /// - Parameter name: `counter`, `Config.limit`, `Module.Config.limit`.
    /// - Returns: The variable, or `nil` when there is none, or several that the name fits equally.
    package func global(named name: String) -> VisibleVariable? {
        guard let last = name.split(whereSeparator: { $0 == "." || $0 == ":" }).last else {
            return nil
        }
        var exact: [VisibleVariable] = []
        var other: [VisibleVariable] = []
        var seen: Set<VariableLocation> = []
        for offset in globals.named(last) {
            guard let entry = dwarf.entry(at: offset) else { continue }
            let linkageName = entry.inherited { $0.string(Int(DW_AT_linkage_name)) } ?? ""
            var readable = qualifiedName(linkageName, last)
            guard FunctionIndex.matches(readable, linkageName: linkageName, name) else { continue }
            for mark in ["static ", "class "] where readable.hasPrefix(mark) {
                readable.removeFirst(mark.count)
            }
            let variable = global(entry, name: String(last))
            guard seen.insert(variable.location).inserted else { continue }
            if readable == name { exact.append(variable) } else { other.append(variable) }
        }
        let found = exact.isEmpty ? other : exact
        return found.count == 1 ? found[0] : nil
    }

    private func qualifiedName(_ linkageName: String, _ name: Substring) -> String {
        guard !linkageName.isEmpty else { return String(name) }
        let readable = SymbolName.readable(linkageName)
        return readable.hasSuffix(name) ? readable : String(name)
    }

    private func global(_ entry: DwarfEntry, name: String) -> VisibleVariable {
        let type = TypeID(of: entry)
        // A global's location depends on no frame; one that does is malformed.
        let frame = FunctionFrame(self, at: 0, function: nil, linkageName: "")
        let location = LocationReader(frame: frame).location(
            of: entry, type: type)
        let line = entry.inherited { $0.number(Int(DW_AT_decl_line)) } ?? 0
        return VisibleVariable(
            name: name, kind: .global, declaredLine: UInt32(clamping: line), type: type,
            location: location)
    }
}
