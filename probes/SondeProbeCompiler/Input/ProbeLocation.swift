// SPDX-License-Identifier: Apache-2.0
// The place that a person names: a line of a file, a function, or an address in a build.

package import SondeModel

/// The place that a person names.
package enum ProbeLocation: Hashable, Sendable, CustomStringConvertible {
    /// A line of a source file; the path is a path's end in whole components.
    case line(file: String, line: UInt32)
    /// The beginning of a function, such as `Checkout.total`.
    case function(String)
    /// An address in the image of a build.
    case address(ImageAddress, BuildID)

    /// The most bytes of a location.
    package static let maxLength = 4096

    /// Reads `File.swift:42`, `Type.method` or `0x1234@build-id`.
    ///
    /// - Throws: ``ProbeCompileError`` with the code `bad_location`.
    package init(parsing text: String) throws(ProbeCompileError) {
        let trimmed = text.trimmingBlanks
        guard !trimmed.isEmpty, trimmed.utf8.count <= Self.maxLength else {
            throw .badLocation(text)
        }
        if trimmed.hasPrefix("0x"), let at = trimmed.firstIndex(of: "@") {
            let digits = trimmed[..<at].dropFirst(2)
            guard let address = UInt64(digits, radix: 16),
                let buildID = BuildID(hex: String(trimmed[trimmed.index(after: at)...]))
            else { throw .badLocation(text) }
            self = .address(ImageAddress(address), buildID)
            return
        }
        if let colon = trimmed.lastIndex(of: ":"), colon > trimmed.startIndex,
            trimmed[trimmed.index(before: colon)] != ":"
        {
            let file = String(trimmed[..<colon])
            let digits = trimmed[trimmed.index(after: colon)...]
            if let line = UInt32(digits), line > 0, !file.hasSuffix("/") {
                self = .line(file: file, line: line)
                return
            }
            // The colon may belong to a function's labels: `Cart.init(id:)`.
            guard trimmed.contains("("), !Self.looksLikeFile(file) else {
                throw .badLocation(text)
            }
        }
        guard !Self.looksLikeFile(trimmed), !trimmed.hasPrefix(":"), !trimmed.hasPrefix("0x")
        else { throw .badLocation(text) }
        self = .function(trimmed)
    }

    private static func looksLikeFile(_ text: String) -> Bool {
        text.contains("/")
            || [".swift", ".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".rs", ".m"].contains {
                text.hasSuffix($0)
            }
    }

    /// The location as a person would type it.
    package var description: String {
        switch self {
        case .line(let file, let line): "\(file):\(line)"
        case .function(let name): name
        case .address(let address, let buildID):
            "0x\(String(address.rawValue, radix: 16))@\(buildID)"
        }
    }
}

extension String {
    /// The text without white space at its ends.
    fileprivate var trimmingBlanks: String {
        var rest = self[...]
        while rest.first?.isWhitespace ?? false { rest.removeFirst() }
        while rest.last?.isWhitespace ?? false { rest.removeLast() }
        return String(rest)
    }
}
