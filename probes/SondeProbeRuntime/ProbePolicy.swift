// SPDX-License-Identifier: Apache-2.0
// What the service's owner lets probes do; the controller cannot change it.

internal import SondeModel

/// The agent's own rules for probes.
package struct ProbePolicy: Hashable, Sendable {
    /// Whether probes may be installed at all.
    package enum Mode: String, Hashable, Sendable, CaseIterable {
        /// Probes are installed.
        case on
        /// Programs are taken and checked, and said to be fine or not; the code stays as it is.
        case readOnly = "read-only"
        /// Probes are refused unseen.
        case off
    }

    /// Whether probes may be installed at all.
    package var mode: Mode
    /// Source files that may not be probed.
    ///
    /// `Auth/Login.swift` is a path's end, in whole components; `Auth/` is everything in a folder of
    /// that name.
    package var deniedFiles: [String]
    /// Functions that may not be probed: `Vault` is everything in a type or module of that name,
    /// `Vault.open` one function in it.
    package var deniedFunctions: [String]
    /// Names whose values are not shown.
    package var names: RedactedNames
    /// Values that are not shown.
    package var values: RedactedValues

    /// A policy from its parts; without any: all may be probed, built-in names are hidden.
    package init(
        mode: Mode = .on, deniedFiles: [String] = [], deniedFunctions: [String] = [],
        names: RedactedNames = RedactedNames(), values: RedactedValues = RedactedValues()
    ) {
        self.mode = mode
        self.deniedFiles = deniedFiles
        self.deniedFunctions = deniedFunctions
        self.names = names
        self.values = values
    }

    /// Why a file may not be probed, or `nil`.
    package func refusal(ofFile file: String) -> String? {
        let path = file.split(separator: "/")
        for pattern in deniedFiles {
            let parts = pattern.split(separator: "/")
            guard !parts.isEmpty else { continue }
            let isFolder = pattern.utf8.last == UInt8(ascii: "/")
            let place = isFolder ? path.dropLast() : path[...]
            let isDenied =
                isFolder
                ? Self.contains(Array(place), parts)
                : place.count >= parts.count && place.suffix(parts.count).elementsEqual(parts)
            if isDenied { return "the file \(file) is denied by this agent's own rule \(pattern)" }
        }
        return nil
    }

    /// Why a condition may not decide about hits, or `nil`.
    ///
    /// A condition on a hidden value would tell it: a line for each right guess of a letter.
    package func refusal(ofCondition names: [String]) -> String? {
        guard let name = names.first(where: { self.names.hides($0) }) else { return nil }
        return
            "the condition reads \(name), a name whose values this agent hides by its own rules; "
            + "want a condition without it"
    }

    /// Why a function may not be probed, or `nil`.
    package func refusal(ofFunction function: String) -> String? {
        let names = Self.names(in: function)
        for pattern in deniedFunctions {
            let parts = pattern.split { ".:".contains($0) }
            guard !parts.isEmpty, names.contains(where: { Self.contains($0, parts) }) else {
                continue
            }
            return "the function \(function) is denied by this agent's own rule \(pattern)"
        }
        return nil
    }

    /// The identifiers of a function's name, without arguments, results and generic parameters; of
    /// a closure, those of the function that it stands in.
    private static func names(in function: String) -> [[Substring]] {
        var depth = 0
        var text = ""
        var before: Unicode.Scalar = " "
        for scalar in function.unicodeScalars.prefix(4096) {
            switch scalar {
            case "(", "<", "[": depth = depth &+ 1
            case ")", "]": depth = max(0, depth &- 1)
            case ">" where before != "-": depth = max(0, depth &- 1)
            default: if depth == 0 { text.unicodeScalars.append(scalar) }
            }
            before = scalar
        }
        var words = text.split(separator: " ")[...]
        if let place = words.lastIndex(of: "in") { words = words[(place &+ 1)...] }
        return words.prefix { $0 != "->" && $0 != "-" }.map { $0.split { ".:".contains($0) } }
    }

    private static func contains(_ list: [Substring], _ part: [Substring]) -> Bool {
        guard part.count <= list.count else { return false }
        for start in 0...(list.count &- part.count)
        where list[start..<(start &+ part.count)].elementsEqual(part) { return true }
        return false
    }
}
