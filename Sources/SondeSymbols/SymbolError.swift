// SPDX-License-Identifier: Apache-2.0
// Why a file could not be read as an image.

/// Why a file could not be read as an image.
package enum SymbolError: Error, Hashable, CustomStringConvertible {
    /// The file cannot be opened, or is none.
    case unreadable(path: String, reason: String)
    /// The file is no ELF file, or a broken one.
    case notELF(path: String, reason: String)
    /// The file is ELF but neither a program nor a library.
    case wrongKind(path: String, kind: String)
    /// The file, or what is packed in it, is larger than the limits allow.
    case tooLarge(path: String, what: String, limit: UInt64)
    /// The file says nothing about source lines and variables.
    case noDebugInfo(path: String)

    package var description: String {
        switch self {
        case .unreadable(let path, let reason):
            "cannot open the image \(path): \(reason); want a readable file"
        case .notELF(let path, let reason):
            "cannot read the image \(path): \(reason); want an ELF file"
        case .wrongKind(let path, let kind):
            "cannot read the image \(path): got \(kind); want a program or a shared library"
        case .tooLarge(let path, let what, let limit):
            "cannot read the image \(path): got more than \(limit) \(what); want at most \(limit)"
        case .noDebugInfo(let path):
            "cannot find source lines in \(path): it has no debug info;"
                + " want it as it was before it was stripped, built with -g"
        }
    }
}

/// How much of an untrusted image is looked at.
package struct SymbolLimits: Hashable, Sendable {
    /// Bytes of a file.
    package var fileBytes: UInt64 = 8 << 30
    /// Bytes that compressed debug sections claim to expand to, together.
    package var expandedBytes: UInt64 = 2 << 30
    /// Compilation units of an image; those behind are not searched.
    package var units = 1 << 20
    /// Debug entries of one compilation unit; those behind are not searched.
    package var entriesPerUnit = 16 << 20
    /// Address ranges of one compilation unit; those behind are not searched.
    package var rangesPerUnit = 4 << 20
    /// Address ranges that are held in memory for one image; indexes are dropped above it.
    package var rangesInMemory = 8 << 20
    /// Rows of line tables that are read to answer one question, and that are held in memory.
    package var lineRows = 32 << 20
    /// Source files of an image; those behind are not found.
    package var sourceFiles = 4 << 20
    /// Debug entries that are looked at to find the variables of one place.
    package var entriesPerPlace = 1 << 20

    /// The default limits, which no image of a real program comes near.
    package init() {}
}
