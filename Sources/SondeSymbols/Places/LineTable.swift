// SPDX-License-Identifier: Apache-2.0
// The rows of one line table, without those of code that the linker threw away.

/// The rows of a line table that are about code in the image.
struct LineTable {
    /// Rows without a gap between them, in the order of their addresses.
    struct Sequence {
        var start: UInt64
        var end: UInt64
        var rows: Range<Int>
    }

    private(set) var rows: [LineRow] = []
    /// By start; they overlap only where the linker folded functions that are alike.
    private(set) var sequences: [Sequence] = []

    /// Reads a table.
    ///
    /// - Parameters:
    ///   - program: What makes the rows.
    ///   - code: Where the image has code; sequences that begin elsewhere are dropped.
    ///   - budget: How many rows may still be read; lowered by those that were.
    init(_ program: LineProgram, code: CodeRanges, budget: inout Int) {
        var program = program
        var left = budget
        var first = 0
        var isOrdered = true
        var sequences: [Sequence] = []
        var rows: [LineRow] = []
        program.run { row in
            left -= 1
            if rows.count > first, let last = rows.last, row.address < last.address {
                isOrdered = false
            }
            rows.append(row)
            if row.endsSequence {
                let start = rows[first].address
                if isOrdered, row.address > start, code.contains(start) {
                    sequences.append(
                        Sequence(start: start, end: row.address, rows: first..<rows.count))
                } else {
                    rows.removeSubrange(first...)
                }
                first = rows.count
                isOrdered = true
            }
            return left > 0
        }
        rows.removeSubrange(first...)
        budget = left
        self.rows = rows
        self.sequences = sequences.sorted { $0.start < $1.start }
    }

    /// The indices of the rows that begin inside a range, for each sequence that has some.
    func rows(in range: Range<UInt64>) -> [Range<Int>] {
        var found: [Range<Int>] = []
        for sequence in sequences {
            if sequence.start >= range.upperBound { break }
            guard sequence.end > range.lowerBound else { continue }
            let low = firstRow(in: sequence.rows, notBelow: range.lowerBound)
            // The row that ends the sequence is about no code.
            let high = firstRow(
                in: low..<sequence.rows.upperBound - 1, notBelow: range.upperBound)
            if low < high { found.append(low..<high) }
        }
        return found
    }

    /// The row that an address belongs to.
    func row(at address: UInt64) -> LineRow? {
        for sequence in sequences {
            if sequence.start > address { break }
            guard sequence.end > address else { continue }
            let next = firstRow(in: sequence.rows, notBelow: address &+ 1)
            if next > sequence.rows.lowerBound { return rows[next - 1] }
        }
        return nil
    }

    private func firstRow(in range: Range<Int>, notBelow address: UInt64) -> Int {
        var low = range.lowerBound
        var high = max(low, range.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if rows[middle].address < address { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Where an image has code.
struct CodeRanges {
    private let ranges: [Range<UInt64>]

    /// The executable sections of an image, or its executable segments when it has no sections.
    init(_ image: ElfImage) {
        // SHF_ALLOC and SHF_EXECINSTR.
        let sections = image.sections.filter { $0.flags & 6 == 6 }
            .map { (start: $0.address, size: $0.size) }
        let segments = image.segments.filter(\.isExecutable)
            .map { (start: $0.address, size: $0.memorySize) }
        ranges = (sections.isEmpty ? segments : sections).compactMap { part in
            let (end, overflow) = part.start.addingReportingOverflow(part.size)
            return overflow || part.start == 0 ? nil : part.start..<end
        }
    }

    /// Whether there is code at an address; never at 0, where the linker leaves what it threw away.
    func contains(_ address: UInt64) -> Bool {
        address != 0 && ranges.contains { $0.contains(address) }
    }
}
