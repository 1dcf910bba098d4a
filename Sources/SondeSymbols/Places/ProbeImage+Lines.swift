// SPDX-License-Identifier: Apache-2.0
// From an instruction to its line of source, and to the lines into which that was inlined.

internal import CElfutils
package import SondeModel

/// A line of source that is being executed.
package struct SourceLine: Hashable, Sendable {
    /// The file, as ``ProbeImage/files(matching:)`` answers it.
    package var file: String
    /// The line, from 1.
    package var line: UInt32

    /// A line from its parts.
    package init(file: String, line: UInt32) {
        self.file = file
        self.line = line
    }
}

/// How much code a line has.
package struct LineCode: Hashable, Sendable {
    /// Bytes of instructions that belong to the line itself, in all copies of it.
    package var bytes: UInt64 = 0
    /// Runs of instructions without another line in between.
    package var runs: UInt64 = 0
    /// Whether a statement begins there, so that a probe can be set.
    package var isStatement = false

    /// A line without code.
    package init() {}
}

extension ProbeImage {
    /// The lines that are being executed at an offset of the image's file, outermost first.
    ///
    /// The last is the line of the instruction itself. Those before it are the lines from which
    /// inlined calls were made, within the same function of the machine.
    ///
    /// - Returns: Empty when the instruction's line is not known.
    package func lines(at offset: FileOffset) -> [SourceLine] {
        let map = images.first(where: \.mapsCode)
        guard let address = map?.address(of: offset)?.rawValue,
            let (row, file) = row(at: address), row.line > 0
        else { return [] }
        var lines = [SourceLine(file: file, line: row.line)]
        guard let scope = scope(at: address) else { return lines }
        // The last of the chain is the machine's function, which nobody called from here.
        for inlined in chain(scope).dropLast() {
            guard let entry = entry(of: inlined), let line = entry.number(Int(DW_AT_call_line)),
                line > 0, let number = entry.number(Int(DW_AT_call_file))
            else { continue }
            let unit = dwarf.units[Int(inlined.unit)]
            let path = SourceFiles.normalized(dwarf.files(of: unit)[number])
            lines.append(SourceLine(file: path, line: UInt32(clamping: line)))
        }
        return lines.reversed()
    }

    /// The code of each line of a file; files are those of ``files(matching:)``.
    package func code(of file: String) -> [UInt32: LineCode] {
        guard let index = files.index(of: file) else { return [:] }
        var lines: [UInt32: LineCode] = [:]
        var budget = limits.lineRows
        for (table, numbers) in tablesOf(file: index) {
            guard let table = lineTable(at: table, &budget) else { continue }
            for sequence in table.sequences {
                var before: UInt32 = 0
                for row in sequence.rows {
                    let current = table.rows[row]
                    guard !current.endsSequence, current.line > 0, numbers.contains(current.file)
                    else {
                        before = 0
                        continue
                    }
                    var code = lines[current.line] ?? LineCode()
                    let end = row + 1 < sequence.rows.upperBound ? table.rows[row + 1].address : 0
                    if end > current.address { code.bytes &+= end - current.address }
                    if before != current.line { code.runs &+= 1 }
                    if current.isStatement { code.isStatement = true }
                    lines[current.line] = code
                    before = current.line
                }
            }
        }
        return lines
    }
}
