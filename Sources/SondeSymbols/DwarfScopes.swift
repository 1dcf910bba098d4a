// SPDX-License-Identifier: Apache-2.0
// For one compilation unit: which functions and inlined calls cover which addresses.

internal import CElfutils

/// The functions and inlined calls of a compilation unit, by address.
///
/// Ranges of inlined calls lie inside those of their callers. They are flattened once into a sorted
/// list of stretches, each with its innermost scope, so that a look-up is one binary search.
struct DwarfScopes {
    /// A function, or a call that was inlined.
    struct Scope {
        /// The entry's offset in `.debug_info`.
        var entry: UInt64
        /// The index of the scope that this one was inlined into, or -1 for a function of its own.
        var parent: Int32
    }

    private(set) var scopes: [Scope] = []
    private var starts: [UInt64] = []
    /// The scope of the stretch that begins at the same place in `starts`; -1 for none.
    private var innermost: [Int32] = []

    /// How much memory this holds, in stretches.
    var size: Int { starts.count + scopes.count }

    private struct Range {
        var start: UInt64
        var end: UInt64
        var scope: Int32
    }

    /// Reads the scopes below a unit's entry.
    init(unit: DwarfEntry, limits: SymbolLimits) {
        var ranges: [Range] = []
        var entries = 0
        var budget = limits.rangesPerUnit
        var pending: [(entry: DwarfEntry, scope: Int32)] = []
        if let child = unit.child { pending.append((child, -1)) }
        // Each step takes one entry that stands behind all that were taken before with it, and no
        // entry twice: `child` and `sibling` only go forward.
        while let (entry, parent) = pending.popLast(), entries < limits.entriesPerUnit {
            entries += 1
            if let sibling = entry.sibling { pending.append((sibling, parent)) }
            let tag = entry.tag
            guard Self.mayHoldCode(tag), pending.count < 4096 else { continue }
            var scope = parent
            if tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine {
                let added = Int32(scopes.count)
                // A function inside a function (a closure, a local class's method) is on its own.
                let from = tag == DW_TAG_subprogram ? -1 : parent
                let found = Self.ranges(of: entry, scope: added, &budget)
                if !found.isEmpty {
                    scopes.append(Scope(entry: entry.offset, parent: from))
                    ranges += found
                    scope = added
                } else if tag == DW_TAG_inlined_subroutine {
                    continue
                }
                if budget <= 0 { break }
            }
            if let child = entry.child { pending.append((child, scope)) }
        }
        flatten(ranges)
    }

    private static func ranges(
        of entry: DwarfEntry, scope: Int32, _ budget: inout Int
    ) -> [Range] {
        var ranges: [Range] = []
        var left = budget
        entry.forEachRange { start, end in
            left -= 1
            // What the linker threw away is left at 0.
            if start != 0, start < end {
                ranges.append(Range(start: start, end: end, scope: scope))
            }
            return left > 0
        }
        budget = left
        return ranges
    }

    private static func mayHoldCode(_ tag: Int) -> Bool {
        switch tag {
        case DW_TAG_subprogram, DW_TAG_inlined_subroutine, DW_TAG_lexical_block, DW_TAG_namespace,
            DW_TAG_module, DW_TAG_structure_type, DW_TAG_class_type, DW_TAG_union_type,
            DW_TAG_enumeration_type, DW_TAG_interface_type, DW_TAG_try_block, DW_TAG_catch_block,
            DW_TAG_with_stmt, DW_TAG_common_block:
            true
        default: false
        }
    }

    /// Sweeps over all ends of ranges.
    ///
    /// The innermost scope at a place is the one that was read last: scopes are in the order in
    /// which they open.
    private mutating func flatten(_ ranges: [Range]) {
        let byStart = ranges.sorted { $0.start < $1.start }
        var open = ScopeHeap()
        var next = 0
        var place: UInt64 = 0
        while next < byStart.count || !open.isEmpty {
            // The next place where something changes.
            open.removeEnded(at: place)
            let opens = next < byStart.count ? byStart[next].start : UInt64.max
            if open.isEmpty, next >= byStart.count { break }
            let closes = open.top?.end ?? .max
            place = min(opens, closes)
            while next < byStart.count, byStart[next].start == place {
                open.push(.init(end: byStart[next].end, scope: byStart[next].scope))
                next += 1
            }
            open.removeEnded(at: place)
            let scope = open.top?.scope ?? -1
            if innermost.last == scope { continue }
            if starts.last == place {
                innermost[innermost.count - 1] = scope
            } else {
                starts.append(place)
                innermost.append(scope)
            }
        }
    }

    /// The index of the innermost scope that covers an address; -1 when none does.
    func innermost(at address: UInt64) -> Int32 {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= address { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? innermost[low - 1] : -1
    }

    /// The scopes that cover an address, outermost first; empty when none does.
    func scopes(at address: UInt64) -> [Scope] {
        var found: [Scope] = []
        var scope = innermost(at: address)
        // A parent's index is smaller than its child's, so this ends.
        while scope >= 0, found.count < 256 {
            found.append(scopes[Int(scope)])
            scope = scopes[Int(scope)].parent
        }
        return found.reversed()
    }
}

/// The open ranges of a sweep, the one with the highest scope on top.
///
/// Ranges that ended below the top stay until they come up: the order of the heap is not that of
/// their ends.
private struct ScopeHeap {
    struct Item {
        var end: UInt64
        var scope: Int32
    }

    private var items: [Item] = []

    var isEmpty: Bool { items.isEmpty }
    var top: Item? { items.first }

    mutating func push(_ item: Item) {
        items.append(item)
        var place = items.count - 1
        while place > 0, items[(place - 1) / 2].scope < items[place].scope {
            items.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    mutating func removeEnded(at place: UInt64) {
        while let top = items.first, top.end <= place { pop() }
    }

    private mutating func pop() {
        items.swapAt(0, items.count - 1)
        items.removeLast()
        var place = 0
        while true {
            var largest = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < items.count && items[child].scope > items[largest].scope {
                largest = child
            }
            if largest == place { return }
            items.swapAt(place, largest)
            place = largest
        }
    }
}
