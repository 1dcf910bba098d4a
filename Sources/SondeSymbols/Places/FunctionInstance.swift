// SPDX-License-Identifier: Apache-2.0
// One copy of a function in the machine code, and what was inlined into it.

internal import CElfutils
internal import SondeModel

/// A scope of an image: a function of the machine, or a call that was inlined into one.
struct CodeScope: Hashable {
    var unit: Int32
    /// The index in the unit's ``DwarfScopes``.
    var scope: Int32
}

extension ProbeImage {
    /// The innermost scope at an address.
    func scope(at address: UInt64) -> CodeScope? {
        guard let unit = dwarf.unit(at: address) else { return nil }
        let scope = dwarf.scopes(of: unit).innermost(at: address)
        return scope >= 0 ? CodeScope(unit: unit, scope: scope) : nil
    }

    /// The scope and those that it was inlined into, innermost first.
    func chain(_ scope: CodeScope) -> [CodeScope] {
        let scopes = dwarf.scopes(of: scope.unit).scopes
        var chain: [CodeScope] = []
        var next = scope.scope
        // A parent's index is smaller than its child's, so this ends.
        while next >= 0, Int(next) < scopes.count, chain.count < 256 {
            chain.append(CodeScope(unit: scope.unit, scope: next))
            next = scopes[Int(next)].parent
        }
        return chain
    }

    /// The debug entry of a scope.
    func entry(of scope: CodeScope) -> DwarfEntry? {
        let scopes = dwarf.scopes(of: scope.unit).scopes
        guard Int(scope.scope) < scopes.count else { return nil }
        return dwarf.entry(at: scopes[Int(scope.scope)].entry)
    }

    /// What debug info says about a scope's function.
    func function(of scope: CodeScope) -> DwarfFunction? {
        let scopes = dwarf.scopes(of: scope.unit).scopes
        guard Int(scope.scope) < scopes.count else { return nil }
        return dwarf.function(at: scopes[Int(scope.scope)].entry)
    }

    /// The address ranges of a scope, as they are listed.
    func ranges(of entry: DwarfEntry) -> [Range<UInt64>] {
        var ranges: [Range<UInt64>] = []
        var budget = 1 << 16
        entry.forEachRange { start, end in
            budget -= 1
            if start != 0, start < end { ranges.append(start..<end) }
            return budget > 0
        }
        return ranges
    }

    /// The name of a function for people.
    func readableName(_ function: DwarfFunction?) -> String {
        guard let function else { return "" }
        guard !function.linkageName.isEmpty else { return function.name }
        if let name = readableNames[function.linkageName] { return name }
        var name = SymbolName.readable(function.linkageName)
        // A name that cannot be demangled reads worse than the one in the source.
        if name == function.linkageName, !function.name.isEmpty { name = function.name }
        if readableNames.count >= 1 << 16 { readableNames = [:] }
        readableNames[function.linkageName] = name
        return name
    }
}

/// What the compiler makes of an `async` function: its parts between suspensions.
enum AsyncFunclet {
    /// The name of the whole function and the part's number, for a part that runs after a
    /// suspension: Swift appends `TY1_` or `TQ1_`.
    static func resumed(_ linkageName: String) -> (function: Substring, part: Int)? {
        var rest = linkageName.utf8[...]
        // A part may have been optimized further: `TQ1_Tm`, `TY0_.resume.0`.
        guard rest.starts(with: "$s".utf8) || rest.starts(with: "$e".utf8) else { return nil }
        while let mark = rest.lastIndex(of: UInt8(ascii: "_")) {
            var digits = mark
            while digits > rest.startIndex,
                isDigit(rest[rest.index(before: digits)])
            {
                digits = rest.index(before: digits)
            }
            let letters = rest[..<digits].suffix(2)
            if digits < mark, letters.elementsEqual("TY".utf8) || letters.elementsEqual("TQ".utf8),
                let part = Int(String(Substring(rest[digits..<mark])))
            {
                return (Substring(rest[..<letters.startIndex]), part)
            }
            rest = rest[..<mark]
        }
        return nil
    }

    /// Whether the name is that of an `async` function's first part, which keeps the whole's name.
    ///
    /// `Ya` marks the type of an `async` function; in the name of another thing it is followed by
    /// letters that no mark follows.
    static func isEntry(_ linkageName: String) -> Bool {
        guard resumed(linkageName) == nil, linkageName.hasPrefix("$") else { return false }
        var rest = linkageName.utf8[...]
        while let range = Substring(rest).firstRange(of: "Ya") {
            rest = rest[range.upperBound...]
            guard let next = rest.first else { return false }
            if "KFYclb".utf8.contains(next) { return true }
        }
        return false
    }

    /// Whether the part begins in the context of the function that it had awaited.
    static func beginsInCallee(_ linkageName: String) -> Bool {
        guard let (function, _) = resumed(linkageName) else { return false }
        return linkageName.utf8.dropFirst(function.utf8.count).starts(with: "TQ".utf8)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
