// SPDX-License-Identifier: Apache-2.0
// The checked-out repository as the rules see it: its files and what they import.

import Foundation

/// The repository that this test was compiled from.
enum Repository {
    /// The folder that holds Package.swift.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Folders whose files somebody wrote by hand.
    static let sourceFolders = [
        "agent", "probes", "controller", "Sources", "Examples", "Tests", "Benchmarks", "scripts",
    ]

    /// Every file below a folder, as paths relative to the root, sorted.
    static func files(below folder: String) -> [String] {
        let start = root.appendingPathComponent(folder)
        guard
            let walker = FileManager.default.enumerator(
                at: start, includingPropertiesForKeys: [.isRegularFileKey],
                options: [.skipsHiddenFiles])
        else { return [] }
        var paths: [String] = []
        for case let file as URL in walker {
            if file.lastPathComponent == "__pycache__" {
                walker.skipDescendants()
                continue
            }
            let values = try? file.resourceValues(forKeys: [.isRegularFileKey])
            guard values?.isRegularFile == true else { continue }
            paths.append(String(file.path.dropFirst(root.path.count + 1)))
        }
        return paths.sorted()
    }

    /// Every file of the source folders.
    static let sources: [String] = sourceFolders.flatMap(files(below:))

    /// A file's text; empty when it is not UTF-8.
    static func text(of path: String) -> String {
        let data = try? Data(contentsOf: root.appendingPathComponent(path))
        return data.flatMap { String(data: $0, encoding: .utf8) } ?? ""
    }

    /// The modules that a Swift file imports.
    static func imports(of path: String) -> [String] {
        text(of: path).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard let index = words.firstIndex(of: "import"), index < words.count - 1,
                words[..<index].allSatisfy(isImportModifier)
            else { return nil }
            // `import struct Module.Type` names a kind before the module.
            let kinds: Set = [
                "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
            ]
            let place = kinds.contains(words[index + 1]) ? index + 2 : index + 1
            guard place < words.count else { return nil }
            return words[place].split(separator: ".").first.map(String.init)
        }
    }

    private static func isImportModifier(_ word: String) -> Bool {
        ["internal", "package", "public", "private", "fileprivate", "@testable", "@preconcurrency"]
            .contains(word) || word.hasPrefix("@_spi")
    }

    /// The Swift files of a target's folder.
    static func swiftFiles(below folder: String) -> [String] {
        files(below: folder).filter { $0.hasSuffix(".swift") }
    }
}
