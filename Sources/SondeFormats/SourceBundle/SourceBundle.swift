// SPDX-License-Identifier: Apache-2.0
// The source files of one build, as they are sent to the controller: a tar archive.

/// The source files of one build.
///
/// They travel as a tar archive (POSIX ustar and pax, and what GNU tar does for long names), so that
/// `tar` makes one too.
package struct SourceBundle: Hashable, Sendable {
    /// One file.
    package struct File: Hashable, Sendable {
        /// Its path below the bundle's folder, with `/` between the components.
        package var path: String
        /// What it holds.
        package var bytes: [UInt8]
        /// When it was changed last, in seconds since 1970.
        package var modified: Int64

        /// A file from its parts.
        package init(path: String, bytes: [UInt8], modified: Int64) {
            self.path = path
            self.bytes = bytes
            self.modified = modified
        }
    }

    /// What is taken of an archive.
    package struct Limits: Hashable, Sendable {
        /// The most files.
        package var files = 50_000
        /// The most bytes of one file.
        package var fileBytes = 8 << 20
        /// The most bytes of a path.
        package var pathBytes = 1024
        /// The most components of a path.
        package var pathComponents = 64

        /// The usual limits.
        package init() {}
    }

    /// The files, in the order in which they came.
    package var files: [File]
    /// Entries that were left out: links, devices, and files that were not wanted.
    package var leftOut: Int

    /// A bundle of files.
    package init(_ files: [File], leftOut: Int = 0) {
        self.files = files
        self.leftOut = leftOut
    }

    /// A path as a bundle has it, without `./` at its beginning.
    ///
    /// - Parameters:
    ///   - recorded: The path as an archive has it, from untrusted hands.
    ///   - limits: How long it may be.
    /// - Throws: ``SourceBundleError`` when it leads out of the bundle's folder or is none.
    /// - Returns: The path; empty for the bundle's folder itself.
    package static func path(
        _ recorded: String, limits: Limits = Limits()
    ) throws(SourceBundleError) -> String {
        var path = Substring(recorded)
        while path.hasPrefix("./") { path = path.dropFirst(2).drop { $0 == "/" } }
        if path.hasSuffix("/"), path != "/" { path = path.dropLast() }
        if path == "." || path.isEmpty { return "" }
        guard path.utf8.count <= limits.pathBytes else {
            throw SourceBundleError(
                "a path of \(path.utf8.count) bytes", want: "at most \(limits.pathBytes)")
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
        guard isPlain, !path.unicodeScalars.contains(where: { $0.value < 0x20 || $0 == "\u{7F}" })
        else {
            throw SourceBundleError(
                "the path \(SourceBundleError.quoted(recorded))",
                want: "one below the bundle's folder, without .. and control characters")
        }
        guard parts.count <= limits.pathComponents else {
            throw SourceBundleError(
                "a path of \(parts.count) components", want: "at most \(limits.pathComponents)")
        }
        return String(path)
    }
}

/// Why a bundle cannot be read.
package struct SourceBundleError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What was found.
    package var got: String
    /// What would have been right.
    package var want: String

    init(_ got: String, want: String) {
        self.got = got
        self.want = want
    }

    package var description: String { "cannot read the source bundle: got \(got); want \(want)" }

    /// Foreign text as a message may hold it: short, and without control characters.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars.prefix(80) {
            if scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value) {
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result + (text.unicodeScalars.count > 80 ? "...\"" : "\"")
    }
}
