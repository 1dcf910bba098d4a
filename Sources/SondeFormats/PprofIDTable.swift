// SPDX-License-Identifier: Apache-2.0
// Finds the entry of a pprof table by its id.

/// Maps the ids of one table of a pprof profile to places in it.
///
/// Nearly all writers count from 1 without gaps, so an array answers; other ids go to a dictionary.
struct PprofIDTable {
    private var dense: [Int32]
    private var sparse: [UInt64: Int32] = [:]

    /// A table of ids in order of their entries.
    ///
    /// - Parameters:
    ///   - count: How many entries there are, fewer than 2^31.
    ///   - table: The table's name, for the error.
    ///   - id: The id of the entry at a place. A closure, because a lazy collection would copy the
    ///     whole entry, with all its strings, for its id.
    /// - Throws: ``PprofError/badID(table:id:)`` when an id is 0 or stands twice.
    @inline(__always)
    init(count: Int, table: String, _ id: (Int) -> UInt64) throws(PprofError) {
        dense = [Int32](repeating: -1, count: count + count / 2 + 2)
        for place in 0..<count {
            let id = id(place)
            guard id != 0, self[id] == nil else { throw .badID(table: table, id: id) }
            let value = Int32(truncatingIfNeeded: place)
            if id < UInt64(dense.count) { dense[Int(id)] = value } else { sparse[id] = value }
        }
    }

    /// The table of a document's mappings.
    init(mappingsOf document: PprofDocument) throws(PprofError) {
        try self.init(count: document.mappings.count, table: "mapping") { document.mappings[$0].id }
    }

    /// The table of a document's locations.
    init(locationsOf document: PprofDocument) throws(PprofError) {
        try self.init(count: document.locations.count, table: "location") {
            document.locations[$0].id
        }
    }

    /// The table of a document's functions.
    init(functionsOf document: PprofDocument) throws(PprofError) {
        try self.init(count: document.functions.count, table: "function") {
            document.functions[$0].id
        }
    }

    /// The place of the entry with this id, or `nil` when there is none.
    subscript(id: UInt64) -> Int? {
        if id < UInt64(dense.count) {
            let place = dense[Int(id)]
            return place < 0 ? nil : Int(place)
        }
        return sparse[id].map(Int.init)
    }
}
