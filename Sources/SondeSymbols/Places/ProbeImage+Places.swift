// SPDX-License-Identifier: Apache-2.0
// From a source line or a function's name to the instructions at which a probe can be set.

internal import CElfutils
package import SondeModel

extension ProbeImage {
    /// The instructions at which statements of a line begin, in all copies of it.
    ///
    /// Copies are those that were inlined, specialized or merged. Within one copy a place is where
    /// the rows of the line begin, or where it may be jumped into; code that was inlined into the
    /// line, and code without a line, does not interrupt it. There is no place where the line can
    /// only be gone on with after another of its places. One that would lie before the function's
    /// frame is set up, where variables live in the frame, is moved behind that. Of an `async`
    /// function that suspends in the line, the part that runs on after it is left out.
    ///
    /// - Parameters:
    ///   - file: A path as ``files(matching:)`` answers it.
    ///   - line: The line, from 1.
    /// - Returns: Places by address; empty when the line has no code.
    package func places(file: String, line: UInt32) -> [CodePlace] {
        guard let index = files.index(of: file), line > 0 else { return [] }
        var budget = limits.lineRows
        var found: [LineSite] = []
        for (table, numbers) in tablesOf(file: index) {
            guard let table = lineTable(at: table, &budget) else { continue }
            found += sites(of: line, in: numbers, table)
        }
        var seen: Set<ImageAddress> = []
        let isLine = { (address: UInt64) in
            self.row(at: address).map { $0.row.line == line && $0.file == file } ?? false
        }
        return withoutResumed(onceAPass(markingResumed(found), isLine), isLine)
            .map { place(of: $0, file: file, line: line) }
            .sorted { $0.address < $1.address }
            .filter { seen.insert($0.address).inserted }
    }

    /// The place of an instruction, whether a statement begins there or not.
    ///
    /// - Returns: `nil` when debug info does not know the source line of the address.
    package func place(at address: ImageAddress) -> CodePlace? {
        guard let (row, file) = row(at: address.rawValue), row.line > 0 else { return nil }
        guard let scope = scope(at: address.rawValue) else { return nil }
        let site = LineSite(
            address: address.rawValue, column: UInt32(row.column), scope: scope,
            opensFunction: false)
        return place(of: site, file: file, line: row.line)
    }

    /// The line table's row for an address, and its file.
    func row(at address: UInt64) -> (row: LineRow, file: String)? {
        guard let index = dwarf.unit(at: address) else { return nil }
        let unit = dwarf.units[Int(index)]
        var budget = limits.lineRows
        guard let offset = unit.sectionOffset(Int(DW_AT_stmt_list)),
            let row = lineTable(at: offset, &budget)?.row(at: address)
        else { return nil }
        return (row, SourceFiles.normalized(dwarf.files(of: unit)[UInt64(row.file)]))
    }

    /// A place in words.
    func place(of site: LineSite, file: String, line: UInt32) -> CodePlace {
        let address = ImageAddress(site.address)
        var place = CodePlace(address: address, file: file, line: line, column: site.column)
        let chain = chain(site.scope)
        let functions = chain.map(function)
        place.function = readableName(functions.first ?? nil)
        place.linkageName = functions.first??.linkageName ?? ""
        place.inlinedInto = functions.dropFirst().map(readableName)
        place.isAsyncFunclet =
            AsyncFunclet.resumed((functions.last ?? nil)?.linkageName ?? "") != nil
        if let root = chain.last, let entry = entry(of: root) {
            let ranges = ranges(of: entry)
            place.functionStart = ImageAddress(entry.entryAddress ?? site.address)
            let here = ranges.first { $0.contains(site.address) }
            place.functionEnd = ImageAddress(here?.upperBound ?? site.address &+ 1)
        }
        return place
    }

    /// What belongs together of an `async` function that is split into parts: one copy of it.
    private struct SplitCopy: Hashable {
        var function: Substring
        var depth: Int
        var name: String
    }

    /// The copy that a site is in, and the number of its part; `nil` for the part that runs first.
    private func splitCopy(of site: LineSite) -> (copy: SplitCopy, part: Int?) {
        let chain = chain(site.scope)
        let machine = chain.last.flatMap(function)?.linkageName ?? ""
        let name = chain.first.flatMap(function)?.linkageName ?? ""
        let resumed = AsyncFunclet.resumed(machine)
        let own = AsyncFunclet.resumed(name)?.function ?? Substring(name)
        let copy = SplitCopy(
            function: resumed?.function ?? Substring(machine), depth: chain.count,
            name: String(own))
        return (copy, resumed?.part)
    }

    /// Marks the sites at which a line may only go on, after a suspension within it.
    private func markingResumed(_ sites: [LineSite]) -> [LineSite] {
        sites.map { site in
            var site = site
            site.isResumed = site.opensFunction && splitCopy(of: site).part != nil
            return site
        }
    }

    /// Drops the sites at which a line only goes on, after a suspension within it.
    ///
    /// Where no part has the line in its middle, it begins in the first of the parts.
    private func withoutResumed(
        _ sites: [LineSite], _ isLine: (UInt64) -> Bool
    ) -> [LineSite] {
        var copies: [SplitCopy: [(part: Int, site: LineSite)]] = [:]
        for site in sites {
            let (copy, part) = splitCopy(of: site)
            copies[copy, default: []].append((site.isResumed ? part ?? 0 : -1, site))
        }
        return copies.values.flatMap { sites in
            let first = sites.map(\.part).min() ?? -1
            var begins = sites.filter { $0.part == first }.map(\.site)
            guard first >= 0 else { return begins }
            for index in begins.indices { begins[index].isResumed = false }
            return onceAPass(begins, isLine)
        }
    }
}
