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

/// The lines that are being executed at an address, inlined calls included.
package struct LineChain: Hashable, Sendable {
    /// The lines that are known, outermost first: those before the last are the lines from which
    /// inlined calls were made, within the same function of the machine.
    package var lines: [SourceLine] = []
    /// The line within the innermost function, or `nil` when the compiler names none.
    ///
    /// It is the function to which profiles give the value: glue that they count for its caller is
    /// none.
    package var own: SourceLine?

    /// Lines from their parts.
    package init(lines: [SourceLine] = [], own: SourceLine? = nil) {
        self.lines = lines
        self.own = own
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
    /// The lines that are being executed at an offset of the image's file.
    ///
    /// Where the compiler names no line for the instruction itself, as in what it made on its own,
    /// the lines from which that was called are still known.
    package func lines(at offset: FileOffset) -> LineChain {
        let map = images.first(where: \.mapsCode)
        guard let address = map?.address(of: offset)?.rawValue else { return LineChain() }
        var here: SourceLine?
        if let (row, file) = row(at: address), row.line > 0 {
            here = SourceLine(file: file, line: row.line)
        }
        guard let scope = scope(at: address) else {
            return LineChain(lines: here.map { [$0] } ?? [], own: here)
        }
        var chain = LineChain()
        // Innermost first; glue leaves its value to its caller.
        var isOwnKnown = false
        let scopes = self.chain(scope)
        for (depth, scope) in scopes.enumerated() {
            if let here { chain.lines.append(here) }
            // The last is the machine's function, which nobody called from here.
            let isMachines = depth == scopes.count - 1
            if !isOwnKnown, isMachines || !isPartOfItsCaller(scope) {
                chain.own = here
                isOwnKnown = true
            }
            here = isMachines ? nil : callSite(of: scope)
        }
        chain.lines.reverse()
        return chain
    }

    /// The line from which an inlined call was made; `nil` when debug info does not say.
    func callSite(of inlined: CodeScope) -> SourceLine? {
        guard let entry = entry(of: inlined), let line = entry.number(Int(DW_AT_call_line)),
            line > 0, let number = entry.number(Int(DW_AT_call_file))
        else { return nil }
        let unit = dwarf.units[Int(inlined.unit)]
        return SourceLine(
            file: SourceFiles.normalized(dwarf.files(of: unit)[number]),
            line: UInt32(clamping: line))
    }

    /// Whether profiles count an inlined call for its caller, as ``ImageSymbols/frames(at:)`` does.
    private func isPartOfItsCaller(_ scope: CodeScope) -> Bool {
        guard let function = function(of: scope) else { return true }
        let systemName = function.linkageName.isEmpty ? function.name : function.linkageName
        return systemName.isEmpty
            || ForwardingThunk.isPartOfItsCaller(
                systemName: systemName, name: readableName(function))
    }

    /// A path as ``files(matching:)`` answers it: without empty components, `.` and `..`.
    package static func path(_ recorded: String) -> String { SourceFiles.normalized(recorded) }

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
