// SPDX-License-Identifier: Apache-2.0
// Where the text of source files is, and where people look at it elsewhere.

package import SondeStore

/// Where the text of source files is, and where people look at it elsewhere.
package struct SourceSettings: Sendable {
    /// Folders with source files.
    package var folders: SourceFolders
    /// An address in which `{path}`, `{line}` and `{version}` are replaced; empty for none.
    package var link: String
    /// Beginnings of recorded paths that a link leaves out.
    package var prefixes: [String]

    /// Settings from their parts.
    package init(roots: [String] = [], link: String = "", prefixes: [String] = []) {
        folders = SourceFolders(roots: roots)
        self.link = link
        self.prefixes = prefixes
    }

    /// Whether a text can be a link's template: an address of the web that names a path.
    package static func isTemplate(_ text: String) -> Bool {
        (text.hasPrefix("https://") || text.hasPrefix("http://")) && text.contains("{path}")
    }

    /// The address of a file, with `{line}` still in it.
    ///
    /// - Parameters:
    ///   - recorded: The path as the compiler recorded it.
    ///   - found: Its path below a folder, when it was found in one.
    ///   - version: The service's version, empty when unknown.
    /// - Returns: `nil` without a template.
    func link(to recorded: String, found: String?, version: String) -> String? {
        guard !link.isEmpty else { return nil }
        let prefix = prefixes.filter { recorded.hasPrefix($0) }.max { $0.count < $1.count }
        let path = prefix.map { String(recorded.dropFirst($0.count)) } ?? found ?? recorded
        let relative = path.drop { $0 == "/" }
        let revision = version.isEmpty ? "HEAD" : Self.escaped(version[...], keeping: "")
        return link.replacing("{path}", with: Self.escaped(relative, keeping: "/"))
            .replacing("{version}", with: revision)
    }

    /// Percent-encodes all but RFC 3986's unreserved characters.
    private static func escaped(_ text: Substring, keeping kept: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                byte < 0x80
                && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
                    || "-._~".unicodeScalars.contains(scalar)
                    || kept.unicodeScalars.contains(scalar))
            if isPlain {
                result.unicodeScalars.append(scalar)
            } else {
                let digits = String(byte, radix: 16, uppercase: true)
                result += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}
