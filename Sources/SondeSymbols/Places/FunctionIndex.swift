// SPDX-License-Identifier: Apache-2.0
// Finds all copies of a function by the name that people call it.

internal import CElfutils
internal import SondeModel

/// The functions of an image by the last part of their names.
struct FunctionIndex {
    /// Copies by the name in the source, without scopes and parameters.
    private var copies: [Substring: [CodeScope]] = [:]

    /// Reads the functions and inlined calls of all units.
    init(_ image: ProbeImage) {
        // Most scopes are inlined calls of a few functions.
        var nameOf: [UInt64: Substring] = [:]
        for unit in image.dwarf.units.indices {
            let unit = Int32(unit)
            for scope in image.dwarf.scopes(of: unit).scopes.indices {
                let scope = CodeScope(unit: unit, scope: Int32(scope))
                guard let entry = image.entry(of: scope) else { continue }
                let origin = entry.reference(Int(DW_AT_abstract_origin)) ?? entry
                let known = nameOf[origin.offset]
                let name =
                    known ?? Self.stem((image.dwarf.function(at: origin.offset)?.name ?? "")[...])
                if known == nil { nameOf[origin.offset] = name }
                if !name.isEmpty { copies[name, default: []].append(scope) }
            }
        }
    }

    /// The copies of the functions that a name may mean.
    func candidates(_ name: String) -> [CodeScope] {
        var found: [CodeScope] = []
        let parts = Self.parts(name)
        // An accessor's name in the source is `x.get`, and `total` may mean it.
        for part in Set(parts.suffix(2)) { found += copies[part] ?? [] }
        return found
    }

    /// Whether a readable name ends with the components of a wanted one.
    ///
    /// Parameters and generic parameters count only when the wanted name states them. The module,
    /// which readable names leave out, may stand in front of a whole name.
    static func matches(_ readable: String, linkageName: String, _ wanted: String) -> Bool {
        var readable = readable
        for mark in ["static ", "class "] where readable.hasPrefix(mark) {
            readable.removeFirst(mark.count)
        }
        // "closure #1 in Settlement.run()" is not Settlement.run.
        guard !readable.contains(" in ") || wanted.contains(" in ") else { return false }
        if let module = module(linkageName) { readable = module + "." + readable }
        let parts = parts(wanted)
        guard !parts.isEmpty, Self.parts(readable).suffix(parts.count) == parts[...] else {
            return false
        }
        return !wanted.contains("(") || readable.hasSuffix(wanted)
    }

    /// The module of a Swift name, which stands first in it with its length.
    private static func module(_ linkageName: String) -> Substring? {
        guard linkageName.hasPrefix("$s") else { return nil }
        let rest = linkageName.dropFirst(2)
        let digits = rest.prefix { $0.isASCII && $0.isNumber }
        guard let length = Int(digits), length > 0, digits.count < 4 else { return nil }
        let name = rest.dropFirst(digits.count).prefix(length)
        return name.count == length ? name : nil
    }

    /// A name's components, without parameters and generic parameters.
    private static func parts(_ name: String) -> [Substring] {
        var parts: [Substring] = []
        var start = name.startIndex
        var depth = 0
        var end: String.Index?
        for index in name.indices {
            switch name[index] {
            case "(", "<", "[":
                if depth == 0, end == nil { end = index }
                depth += 1
            case ")", ">", "]": depth = max(0, depth - 1)
            case ".", ":":
                guard depth == 0 else { continue }
                let part = name[start..<(end ?? index)]
                if !part.isEmpty { parts.append(part) }
                start = name.index(after: index)
                end = nil
            default: break
            }
        }
        let part = name[start..<(end ?? name.endIndex)]
        if !part.isEmpty { parts.append(part) }
        return parts
    }

    private static func stem(_ name: Substring) -> Substring {
        guard !name.isEmpty else { return name }
        let end = name.firstIndex { "(<.".contains($0) } ?? name.endIndex
        return end == name.startIndex ? name : name[..<end]
    }
}

extension ProbeImage {
    /// The entries of a function in all its copies.
    ///
    /// - Parameter name: A name as people write it: `method`, `Type.method`, `Module.Type.method`,
    ///   with or without `(labels:)`; all functions that it may mean are meant.
    /// - Returns: For each copy the first instruction at which its parameters can be read, by
    ///   address. The parts of an `async` function that run after a suspension are no entries.
    package func places(function name: String) -> [CodePlace] {
        var seen: Set<ImageAddress> = []
        return functions.candidates(name).compactMap { scope -> CodePlace? in
            guard let function = function(of: scope),
                AsyncFunclet.resumed(function.linkageName) == nil,
                FunctionIndex.matches(
                    readableName(function), linkageName: function.linkageName, name)
            else { return nil }
            return entryPlace(of: scope)
        }.sorted { $0.address < $1.address }.filter { seen.insert($0.address).inserted }
    }

    private func entryPlace(of scope: CodeScope) -> CodePlace? {
        guard let entry = entry(of: scope), let start = entry.entryAddress, code.contains(start)
        else { return nil }
        guard entry.tag == DW_TAG_subprogram else { return place(at: start, in: scope) }
        var address = start
        let unit = dwarf.units[Int(scope.unit)]
        var budget = limits.lineRows
        if let offset = unit.sectionOffset(Int(DW_AT_stmt_list)),
            let table = lineTable(at: offset, &budget),
            let range = ranges(of: entry).first(where: { $0.contains(start) }),
            let rows = table.rows(in: range).first
        {
            let behind = bodyStart(of: entry, table.rows[rows])
            if range.contains(behind) { address = max(start, behind) }
        }
        return place(at: address, in: scope)
    }

    /// The place of an address as one of a given scope, on the line where the scope's function is
    /// declared when the address has none.
    private func place(at address: UInt64, in scope: CodeScope) -> CodePlace? {
        let function = function(of: scope)
        let row = row(at: address)
        var line = UInt32(clamping: Int(function?.line ?? 0))
        var file = SourceFiles.normalized(function?.file ?? "")
        var column: UInt32 = 0
        if let (row, path) = row, row.line > 0, self.scope(at: address) == scope {
            (line, file, column) = (row.line, path, UInt32(row.column))
        }
        guard line > 0 else { return nil }
        let site = LineSite(
            address: address, column: column, scope: scope, opensFunction: false)
        return place(of: site, file: file, line: line)
    }
}
