// SPDX-License-Identifier: Apache-2.0
// An image as the probe compiler sees it: places in its code, and what can be read at them.

internal import CElfutils
package import SondeModel

/// An image with debug info: where probes can be set, and where variables are then.
///
/// Made of one ELF file, or of several with the same build id, such as a stripped program and the
/// debug info that was split off. The files may be hostile: what cannot be understood is missing,
/// with the reason. Indexes are made when they are needed first. Not thread safe.
package final class ProbeImage {
    /// The build id that programs for this image carry.
    package let buildID: BuildID?

    let limits: SymbolLimits
    let dwarf: DwarfInfo
    let images: [ElfImage]
    let code: CodeRanges
    /// The file that holds the program's code and data.
    private let data: ElfImage
    let frames: FrameRules
    let locations: LocationBytes
    private(set) lazy var files = SourceFiles(dwarf, limits: limits)
    private(set) lazy var functions = FunctionIndex(self)
    private(set) lazy var globals = GlobalIndex(self)
    private(set) lazy var types = ImageTypes(data, images, dwarf)
    private var tables: [UInt64: LineTable] = [:]
    private var rowsInMemory = 0
    var readableNames: [String: String] = [:]

    /// Opens an image.
    ///
    /// - Parameters:
    ///   - path: An ELF file with DWARF, from untrusted hands.
    ///   - limits: How much of it is looked at.
    /// - Throws: ``SymbolError``, also when there is no debug info.
    package convenience init(
        path: String, limits: SymbolLimits = SymbolLimits()
    ) throws(SymbolError) {
        try self.init([ElfImage(path: path, limits: limits)], limits: limits)
    }

    /// An image from its files.
    ///
    /// - Parameters:
    ///   - images: Files with the same build id, at least one; each part is taken from the first
    ///     that has it.
    ///   - limits: How much of them is looked at.
    /// - Throws: ``SymbolError`` when none has debug info with source lines.
    package init(
        _ images: [ElfImage], limits: SymbolLimits = SymbolLimits()
    ) throws(SymbolError) {
        var found: DwarfInfo?
        for image in images where found == nil && image.hasLineTable {
            found = DwarfInfo(image, limits: limits)
        }
        guard let found, let withCode = images.first(where: \.mapsCode) ?? images.first else {
            throw .noDebugInfo(path: images.first?.path ?? "no file")
        }
        self.images = images
        self.limits = limits
        dwarf = found
        buildID = images.lazy.compactMap(\.buildID).first
        code = CodeRanges(withCode)
        data = withCode
        frames = FrameRules(images, found)
        locations = LocationBytes(found)
    }

    /// The source files whose path ends with these whole components, as the compiler recorded them.
    package func files(matching path: String) -> [String] {
        files.matching(path).map { files.paths[$0] }
    }

    /// All source files of the image, as the compiler recorded them, in no particular order.
    package var allFiles: [String] { files.paths }

    /// The MD5s that line tables give of a file's text; files are those of ``files(matching:)``.
    ///
    /// - Returns: Empty where they give none: DWARF 4, and Swift's. More than one where units were
    ///   compiled from different texts.
    package func digests(of file: String) -> [SourceDigest] {
        files.index(of: file).map { files.digests[$0] } ?? []
    }

    /// The source files whose names are most like a name that matches none, best first.
    package func nearestFiles(to path: String, count: Int) -> [String] {
        files.nearest(to: path, count: count)
    }

    /// The lines of a file at which a probe can be set, sorted; files are those of
    /// ``files(matching:)``.
    package func linesWithCode(in file: String) -> [UInt32] {
        guard let index = files.index(of: file) else { return [] }
        var lines: Set<UInt32> = []
        var budget = limits.lineRows
        for (table, numbers) in tablesOf(file: index) {
            guard let table = lineTable(at: table, &budget) else { continue }
            for row in table.rows
            where row.isStatement && row.line > 0 && !row.endsSequence
                && numbers.contains(row.file)
            {
                lines.insert(row.line)
            }
        }
        return lines.sorted()
    }

    /// The line tables in which a file occurs, with its numbers there.
    func tablesOf(file: Int) -> [(table: UInt64, numbers: Set<UInt16>)] {
        var order: [UInt64] = []
        var numbers: [UInt64: Set<UInt16>] = [:]
        for use in files.uses[file] {
            if numbers[use.table] == nil { order.append(use.table) }
            numbers[use.table, default: []].insert(use.file)
        }
        return order.map { ($0, numbers[$0] ?? []) }
    }

    /// The line table at an offset of `.debug_line`; `nil` when it is malformed or too much was read.
    ///
    /// The budget is how many rows may still be read to answer the question at hand.
    func lineTable(at offset: UInt64, _ budget: inout Int) -> LineTable? {
        if let table = tables[offset] { return table }
        guard budget > 0, let program = LineProgram(at: offset, in: dwarf.lineSections.line)
        else { return nil }
        let table = LineTable(program, code: code, budget: &budget)
        // A table costs something even when it is empty.
        let size = table.rows.count + 64
        if rowsInMemory + size > limits.lineRows {
            tables = [:]
            rowsInMemory = 0
        }
        rowsInMemory += size
        tables[offset] = table
        return table
    }
}
