// SPDX-License-Identifier: Apache-2.0
// Compares a text with the one that was stored for it; SONDE_BLESS=1 stores it anew.

import Foundation
import Testing

enum Golden {
    /// The folder `Tests/Fixtures`.
    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures")

    /// Expects a text to be that of a fixture.
    ///
    /// When it is not, it is kept in the folder for temporary files.
    static func expect(
        _ actual: String, _ path: String, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let file = fixtures.appendingPathComponent(path)
        if ProcessInfo.processInfo.environment["SONDE_BLESS"] == "1" {
            try Data(actual.utf8).write(to: file)
            return
        }
        let wanted = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        guard wanted != actual else { return }
        let kept = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-" + path.replacingOccurrences(of: "/", with: "-"))
        try Data(actual.utf8).write(to: kept)
        Issue.record(
            "\(path) differs from \(kept.path); SONDE_BLESS=1 takes the new one",
            sourceLocation: sourceLocation)
    }
}
