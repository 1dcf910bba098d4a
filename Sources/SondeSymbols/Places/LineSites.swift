// SPDX-License-Identifier: Apache-2.0
// Finds where a line begins in each copy of the function that it is written in.

internal import CElfutils
internal import SondeModel

/// Where the rows of a line begin within one copy of it.
struct LineSite {
    var address: UInt64
    var column: UInt32
    /// The copy: the innermost function that the line is written in.
    var scope: CodeScope
    /// Whether the machine's function begins with this line.
    var opensFunction: Bool
    /// Whether the row before it is of another line; of another place in the code otherwise, from
    /// which the compiler says that it is reached, too.
    var startsRun = true
    /// Whether the line only goes on here, after a suspension within it.
    var isResumed = false
}

extension ProbeImage {
    /// The sites of a line in one table.
    func sites(of line: UInt32, in files: Set<UInt16>, _ table: LineTable) -> [LineSite] {
        func matches(_ row: LineRow) -> Bool {
            row.line == line && files.contains(row.file) && !row.endsSequence
        }
        var roots: [CodeScope] = []
        var seen: Set<CodeScope> = []
        for row in table.rows where matches(row) && row.isStatement {
            guard let scope = scope(at: row.address), let root = chain(scope).last,
                seen.insert(root).inserted
            else { continue }
            roots.append(root)
        }
        var sites: [LineSite] = []
        for root in roots {
            guard let entry = entry(of: root) else { continue }
            let ranges = ranges(of: entry)
            let start = entry.entryAddress ?? ranges.first?.lowerBound ?? 0
            let isPlain = isUnoptimized(entry)
            var found: [LineSite] = []
            for range in ranges {
                for rows in table.rows(in: range) {
                    let first = found.count
                    addSites(table.rows[rows], start: start, isPlain: isPlain, matches, &found)
                    guard range.contains(start), found.count > first else { continue }
                    let behind = bodyStart(of: entry, table.rows[rows])
                    let opens = found[first...].contains {
                        $0.address < behind && $0.opensFunction
                    }
                    for index in first..<found.count where found[index].address <= behind {
                        found[index].address = behind
                        if opens { found[index].opensFunction = true }
                    }
                }
            }
            sites += found
        }
        return sites
    }

    /// Adds the site of each run of rows, for rows of one function without a gap, and those inside a
    /// run at which the compiler says that a statement begins, for they may be jumped to.
    private func addSites(
        _ rows: ArraySlice<LineRow>, start: UInt64, isPlain: Bool,
        _ matches: (LineRow) -> Bool, _ sites: inout [LineSite]
    ) {
        /// Scopes in which the line was not left yet, each inside the one before it.
        var open: [CodeScope] = []
        var isFirst = rows.first.map { $0.address == start } ?? false
        /// The scope whose run the function begins with, as long as that is its last one.
        var opening: CodeScope?
        for row in rows where row.line > 0 {
            guard let scope = scope(at: row.address), !isTrap(scope) else { continue }
            let chain = chain(scope)
            // What was inlined into an open scope leaves it open.
            open.removeAll { $0 != scope && !chain.contains($0) }
            if !matches(row) {
                open.removeAll { $0 == scope }
            } else if row.isStatement || isPlain && open.contains(scope) {
                // A loop may lead back to where no statement is said to begin.
                let startsRun = !open.contains(scope)
                if startsRun {
                    open.append(scope)
                    opening = isFirst ? scope : opening == scope ? nil : opening
                }
                // In plain code a loop may lead from the end of the run back into it.
                let opens = isFirst || !isPlain && opening == scope
                sites.append(
                    LineSite(
                        address: row.address, column: UInt32(row.column), scope: scope,
                        opensFunction: opens, startsRun: startsRun))
            }
            isFirst = false
        }
    }

    /// Whether the scope is what Swift makes up for the instruction that ends the process.
    private func isTrap(_ scope: CodeScope) -> Bool {
        function(of: scope)?.name.hasPrefix("Swift runtime failure: ") ?? false
    }

    /// The address from which on the variables of a function are where debug info says.
    ///
    /// That is behind the prologue, but only where variables live in the frame throughout: optimized
    /// code may leave before its prologue ends, and says for each instruction where they are. The
    /// rows are those from the function's first instruction on.
    func bodyStart(of function: DwarfEntry, _ rows: ArraySlice<LineRow>) -> UInt64 {
        guard let first = rows.first, keepsVariablesInFrame(function) else { return 0 }
        if let end = rows.first(where: { $0.flags.contains(.prologueEnd) }) { return end.address }
        // GCC does not mark the end; by its custom the second statement begins there.
        let second = rows.first { $0.address > first.address && $0.isStatement && $0.line > 0 }
        return second?.address ?? 0
    }

    /// Whether the entry has one location throughout, that is relative to the function's frame, or
    /// to the context of an `async` function, which is in the frame.
    private func isFrameRelative(_ entry: DwarfEntry) -> Bool {
        var budget = 1
        guard !entry.hasLocationList, let location = entry.attribute(Int(DW_AT_location)),
            case .operations(let operations) = locations.find(location, at: 0, &budget)
        else { return false }
        return operations.first.map { [DW_OP_fbreg, DW_OP_entry_value].contains($0.atom) } ?? false
    }

    private func isSwift(_ function: DwarfEntry) -> Bool {
        function.inherited { $0.string(Int(DW_AT_linkage_name)) }?.hasPrefix("$s") ?? false
    }

    /// `DW_AT_APPLE_optimized`: Swift's compiler marks what it optimized.
    private func isMarkedOptimized(_ function: DwarfEntry) -> Bool {
        function.inherited { $0.attribute(0x3FE1) } != nil
    }

    /// Whether a function's code is in the order of its source and each statement there once.
    func isUnoptimized(_ function: DwarfEntry) -> Bool {
        isSwift(function) ? !isMarkedOptimized(function) : keepsVariablesInFrame(function)
    }

    private func keepsVariablesInFrame(_ function: DwarfEntry) -> Bool {
        // Without Swift's mark some variables may still have lists of locations, such as an empty
        // `self`.
        let isSwift = isSwift(function)
        guard !isSwift || !isMarkedOptimized(function) else { return false }
        var usesFrame = false
        var next = function.child
        var budget = 1024
        while let entry = next, budget > 0 {
            budget -= 1
            next = entry.sibling
            // The first variable of a block says enough.
            let variable = entry.tag == DW_TAG_lexical_block ? entry.child : entry
            guard let variable,
                [DW_TAG_formal_parameter, DW_TAG_variable].contains(variable.tag)
            else { continue }
            if variable.hasLocationList, !isSwift { return false }
            if isFrameRelative(variable) { usesFrame = true }
        }
        return usesFrame
    }
}

extension DwarfEntry {
    /// Where the function is entered.
    var entryAddress: UInt64? {
        var first: UInt64?
        if let entry = attribute(Int(DW_AT_low_pc)) ?? attribute(Int(DW_AT_entry_pc)) {
            var entry = entry
            var address: Dwarf_Addr = 0
            if dwarf_formaddr(&entry, &address) == 0, address != 0 { return address }
        }
        forEachRange { start, end in
            if start != 0, start < end { first = start }
            return first == nil
        }
        return first
    }

    /// Whether the entry's location differs from place to place.
    var hasLocationList: Bool {
        guard let location = attribute(Int(DW_AT_location)) else { return false }
        switch Int(location.form) {
        case DW_FORM_sec_offset, DW_FORM_loclistx, DW_FORM_data4, DW_FORM_data8: return true
        default: return false
        }
    }
}
