// SPDX-License-Identifier: Apache-2.0
// Interned trees that readers have read, so that the next one need not.

internal import Synchronization

/// Trees as far as they were read, within a bound of memory.
///
/// A tree only grows, so what is here stays true; a reader adds what came since.
final class StackCache: Sendable {
    private struct Entry {
        var columns: StackColumns
        var lastUse: UInt64
    }

    private struct State {
        var entries: [StackHome: Entry] = [:]
        var nodes = 0
        var clock: UInt64 = 0
    }

    private let maximumNodes: Int
    private let state = Mutex(State())

    /// A cache of trees with at most `maximumNodes` together.
    init(maximumNodes: Int) { self.maximumNodes = maximumNodes }

    /// A tree, after `extend` read what the cache did not have.
    func columns(
        _ key: StackHome,
        extend: (inout StackColumns) throws(StoreError) -> Void
    ) throws(StoreError) -> StackColumns {
        // Taken out while it grows: otherwise growing would copy it. Another reader of the same
        // tree reads it anew meanwhile.
        var columns = state.withLock { state in
            guard let entry = state.entries.removeValue(forKey: key) else { return StackColumns() }
            state.nodes -= entry.columns.parents.count
            return entry.columns
        }
        try extend(&columns)
        let result = columns
        state.withLock { state in put(result, key, in: &state) }
        return result
    }

    /// Forgets the trees that are stored in a file that went.
    func remove(where isGone: (StackHome) -> Bool) {
        state.withLock { state in
            for (key, entry) in state.entries where isGone(key) {
                state.nodes -= entry.columns.parents.count
                state.entries[key] = nil
            }
        }
    }

    private func put(_ columns: StackColumns, _ key: StackHome, in state: inout State) {
        guard columns.parents.count <= maximumNodes else { return }
        if let other = state.entries[key] {
            guard other.columns.parents.count < columns.parents.count else { return }
            state.nodes -= other.columns.parents.count
        }
        state.clock += 1
        state.entries[key] = Entry(columns: columns, lastUse: state.clock)
        state.nodes += columns.parents.count
        while state.nodes > maximumNodes,
            let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            state.nodes -= oldest.value.columns.parents.count
            state.entries[oldest.key] = nil
        }
    }
}
