// SPDX-License-Identifier: Apache-2.0
// Which inlined calls are glue that the Swift compiler made, and that nobody looks for.

/// Functions that only pass a call on: see `docs/decisions/0002-names-in-flame-graphs.md`.
enum ForwardingThunk {
    /// What the readable names of such functions begin with.
    private static let prefixes = [
        "protocol witness for ", "partial apply for ", "partial apply forwarder for ",
    ]
    private static let reabstraction = "reabstraction thunk helper "

    /// Whether an inlined call is counted as part of its caller.
    ///
    /// That is glue around the standard library's functions, such as `==` of `Int`, whose body is
    /// one instruction of the caller; and reabstraction, which belongs to no function at all. Glue
    /// around functions of others stays: what it calls may have been inlined without a trace.
    ///
    /// - Parameters:
    ///   - systemName: The linker's name.
    ///   - name: The name for people.
    /// - Returns: Whether to leave the frame out.
    static func isPartOfItsCaller(systemName: String, name: String) -> Bool {
        guard systemName.hasPrefix("$s") else { return false }
        if name.hasPrefix(reabstraction) { return true }
        return isStandardLibrary(systemName) && prefixes.contains { name.hasPrefix($0) }
    }

    /// Whether the type or function that a mangled name begins with is the standard library's.
    ///
    /// `s` is the module Swift, `Si`, `SS`, `SQ` and so on are its well-known types and protocols.
    /// `So` and `SC` are modules of C.
    private static func isStandardLibrary(_ systemName: String) -> Bool {
        let rest = systemName.utf8.dropFirst(2)
        guard let first = rest.first else { return false }
        if first == UInt8(ascii: "s") { return true }
        guard first == UInt8(ascii: "S"), let second = rest.dropFirst().first else { return false }
        guard second != UInt8(ascii: "o"), second != UInt8(ascii: "C") else { return false }
        return (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(second)
            || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(second)
    }
}
