// SPDX-License-Identifier: Apache-2.0
// Collects the variables that debug info lists for a place, scope by scope.

internal import CElfutils
internal import SondeModel

/// The variables of one function at one instruction.
struct VariableScopes {
    /// A variable that debug info lists, and how deep in the function's blocks.
    struct Listed {
        var name: String
        var entry: DwarfEntry
        var isParameter: Bool
        var declaredLine: UInt32
        var depth: Int
    }

    private(set) var variables: [Listed] = []
    /// Entries of the function's abstract copy that have a counterpart here.
    private var origins: Set<UInt64> = []
    private let address: UInt64
    private var budget: Int

    /// Reads the variables of a function, inlined or not, whose blocks hold an address.
    ///
    /// - Parameters:
    ///   - function: The function's or the inlined call's entry.
    ///   - address: The instruction.
    ///   - budget: How many entries may be looked at.
    init(of function: DwarfEntry, at address: UInt64, budget: Int) {
        self.address = address
        self.budget = budget
        read(function, depth: 0)
        // What the optimizer removed from this copy altogether is still in the abstract one.
        if let abstract = function.reference(Int(DW_AT_abstract_origin)) {
            readRemoved(abstract)
        }
    }

    private mutating func read(_ parent: DwarfEntry, depth: Int) {
        var next = parent.child
        while let entry = next, budget > 0 {
            budget -= 1
            next = entry.sibling
            switch entry.tag {
            case DW_TAG_formal_parameter, DW_TAG_variable: add(entry, depth: depth)
            case DW_TAG_lexical_block, DW_TAG_try_block, DW_TAG_catch_block:
                if depth < 64, holdsAddress(entry) { read(entry, depth: depth + 1) }
            default: break
            }
        }
    }

    private mutating func holdsAddress(_ block: DwarfEntry) -> Bool {
        var holds = false
        var left = budget
        block.forEachRange { start, end in
            left -= 1
            holds = start <= address && address < end
            return !holds && left > 0
        }
        budget = left
        return holds
    }

    private mutating func add(_ entry: DwarfEntry, depth: Int) {
        if let origin = entry.reference(Int(DW_AT_abstract_origin)) {
            origins.insert(origin.offset)
        }
        guard let name = entry.inherited({ $0.string(Int(DW_AT_name)) }), !name.isEmpty else {
            return
        }
        let line = entry.inherited { $0.number(Int(DW_AT_decl_line)) } ?? 0
        variables.append(
            Listed(
                name: name, entry: entry, isParameter: entry.tag == DW_TAG_formal_parameter,
                declaredLine: UInt32(clamping: line), depth: depth))
    }

    private mutating func readRemoved(_ abstract: DwarfEntry) {
        var next = abstract.child
        while let entry = next, budget > 0 {
            budget -= 1
            next = entry.sibling
            guard entry.tag == DW_TAG_formal_parameter || entry.tag == DW_TAG_variable,
                !origins.contains(entry.offset)
            else { continue }
            add(entry, depth: 0)
        }
    }
}

extension ProbeImage {
    /// Whether a name can stand in source: debug info also lists what the compiler made up.
    static func isSourceName(_ name: String) -> Bool {
        guard let first = name.first, !name.hasPrefix("$\u{3C4}") else { return false }
        // `$0` of a closure and `$property` of a wrapper are names; `$i$generator` is none.
        return !name.dropFirst().contains { $0 == "$" || $0 == "." || $0 == " " }
            && (first == "$" || first == "_" || first.isLetter || !first.isASCII)
    }
}
