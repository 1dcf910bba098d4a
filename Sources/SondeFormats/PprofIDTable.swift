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
    ///   - ids: The ids, fewer than 2^31.
    ///   - table: The table's name, for the error.
    /// - Throws: ``PprofError/badID(table:id:)`` when an id is 0 or stands twice.
    init(_ ids: some RandomAccessCollection<UInt64>, table: String) throws(PprofError) {
        dense = [Int32](repeating: -1, count: ids.count + ids.count / 2 + 2)
        var place: Int32 = 0
        for id in ids {
            guard id != 0, self[id] == nil else { throw .badID(table: table, id: id) }
            if id < UInt64(dense.count) { dense[Int(id)] = place } else { sparse[id] = place }
            place += 1
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
