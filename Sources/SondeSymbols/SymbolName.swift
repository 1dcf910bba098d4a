// SPDX-License-Identifier: Apache-2.0
// Turns linker names of Swift, C++, Rust and C into names for people.

internal import Glibc

/// Names for people: see `docs/decisions/names-in-flame-graphs.md`.
package enum SymbolName {
    /// The longest linker name that is demangled, in bytes; a longer one stays as it is.
    package static let maxLength = 4096

    /// The name for people of a linker name, which may be mangled or not.
    ///
    /// - Swift as its backtraces show it (`closure #1 in Settlement.run()`), without the marks of
    ///   specializations, and the parts of an `async` function all by its name.
    /// - C++ and Rust with their scopes but without parameters, return types and hashes.
    /// - Anything else without what the optimizer appended (`.cold`, `.isra.0`).
    package static func readable(_ linkerName: String) -> String {
        guard linkerName.utf8.count <= maxLength else { return linkerName }
        let name = withoutCloneSuffix(linkerName)
        if name.hasPrefix("$s") || name.hasPrefix("_$s") || name.hasPrefix("$S")
            || name.hasPrefix("_T0") || name.hasPrefix("$e")
        {
            return swift(name) ?? linkerName
        }
        if name.hasPrefix("_R") { return RustName.v0(name) ?? linkerName }
        if name.hasPrefix("_Z") || name.hasPrefix("___Z") {
            return RustName.legacy(name) ?? cxx(name) ?? linkerName
        }
        return name
    }

    private static func swift(_ name: String) -> String? {
        guard NameExpansion.isModest(swift: name), let text = demangled(name) else { return nil }
        var rest = text[...]
        var result = ""
        // "specialized" stands at the beginning or after "for" and "of".
        let mark = "specialized "
        while let range = rest.firstRange(of: mark) {
            let isWord =
                range.lowerBound == text.startIndex
                || text[text.index(before: range.lowerBound)] == " "
            result += rest[..<range.lowerBound]
            if !isWord { result += mark }
            rest = rest[range.upperBound...]
        }
        return result + rest
    }

    private static func cxx(_ name: String) -> String? {
        guard NameExpansion.isModest(cxx: name), let text = demangled(name), text != name else {
            return nil
        }
        return CxxName.withoutParameters(text)
    }

    /// What compilers append to the names of clones and parts of functions.
    private static let cloneMarks = [
        ".cold", ".isra", ".constprop", ".part", ".llvm", ".lto_priv", ".localalias",
        ".specialized",
    ]

    private static func withoutCloneSuffix(_ name: String) -> String {
        guard name.utf8.contains(UInt8(ascii: ".")) else { return name }
        var end = name.endIndex
        for mark in cloneMarks {
            guard let range = name.firstRange(of: mark), range.lowerBound > name.startIndex else {
                continue
            }
            // The mark is followed by nothing, or by a number or a hash.
            let isMark = range.upperBound == name.endIndex || name[range.upperBound] == "."
            if isMark { end = min(end, range.lowerBound) }
        }
        return String(name[..<end])
    }

    private static func demangled(_ name: String) -> String? {
        let length = name.utf8.count
        return name.withCString { text in
            // Safety: with no buffer given, the result is allocated by malloc and ours to free.
            guard let result = backtraceDemangle(text, length, nil, nil) else { return nil }
            defer { free(result) }
            return String(cString: result)
        }
    }
}

/// The runtime's demangler for backtraces: it knows Swift and, through the C++ runtime, C++.
///
/// Exported by libswiftCore for its own Backtrace module; not declared in any header.
@_silgen_name("_swift_backtrace_demangle")
private func backtraceDemangle(
    _ name: UnsafePointer<CChar>, _ length: Int, _ buffer: UnsafeMutablePointer<CChar>?,
    _ bufferSize: UnsafeMutablePointer<Int>?
) -> UnsafeMutablePointer<CChar>?
