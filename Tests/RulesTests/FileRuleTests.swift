// SPDX-License-Identifier: Apache-2.0
// Rules about single files: length, names, first lines, fixtures.

import Foundation
import Testing

@Suite struct FileRules {
    /// Files that may be longer than the limit, each with its reason.
    static let longFiles: [String: String] = [:]

    static let handWritten = Repository.sources.filter { path in
        [".swift", ".c", ".h", ".js", ".mjs", ".css", ".py", ".sh"].contains { path.hasSuffix($0) }
    }

    @Test func noFileIsLongerThanItsLimit() {
        for path in Self.handWritten where Self.longFiles[path] == nil {
            let lines = Repository.text(of: path).split(
                separator: "\n", omittingEmptySubsequences: false)
            let limit = path.hasPrefix("agent/CSondeSignal/") ? 300 : 600
            #expect(lines.count <= limit, "\(path) has \(lines.count) lines; want at most \(limit)")
        }
    }

    @Test func everyFileSaysItsLicenceFirst() {
        for path in Self.handWritten where !path.contains("/Fixtures/") {
            let head = Repository.text(of: path).split(separator: "\n").prefix(3).joined()
            #expect(
                head.contains("SPDX-License-Identifier: Apache-2.0"), "\(path) has no SPDX line")
        }
    }

    @Test func noFileIsADrawer() {
        let drawers: Set = ["utils", "helpers", "types", "common", "misc", "skeleton"]
        for path in Repository.sources {
            let name = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
            #expect(!drawers.contains(name.lowercased()), "\(path) is named after no idea")
        }
    }

    @Test func nothingIsLeftUnfinished() {
        // Split so that this file does not find itself.
        let marks = ["<" + "#", "TO" + "DO", "FIX" + "ME", "XX" + "X:"]
        for path in Self.handWritten where !path.contains("/Fixtures/") {
            let text = Repository.text(of: path)
            for mark in marks {
                #expect(!text.contains(mark), "\(path) contains \(mark)")
            }
        }
    }

    @Test func everyFixtureHasAnOrigin() {
        let fixtures = Repository.files(below: "Tests").filter {
            $0.contains("/Fixtures/") && !$0.hasSuffix("/MANIFEST")
        }
        for path in fixtures {
            let parts = path.components(separatedBy: "/Fixtures/")
            let manifest = Repository.text(of: parts[0] + "/Fixtures/MANIFEST")
            let name = parts.dropFirst().joined(separator: "/Fixtures/")
            #expect(manifest.contains(name), "\(path) is not in its folder's Fixtures/MANIFEST")
        }
    }
}
