// SPDX-License-Identifier: Apache-2.0
// Texts that are kept beside the tests; SONDE_BLESS=1 writes them anew.

import Foundation
import Testing

/// Compares a text with the file that is kept for it.
func expectGolden(
    _ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")
    let file = folder.appendingPathComponent(name)
    if ProcessInfo.processInfo.environment["SONDE_BLESS"] == "1" {
        try Data(text.utf8).write(to: file)
        return
    }
    let kept = try? String(contentsOf: file, encoding: .utf8)
    guard kept != text else { return }
    let actual = NSTemporaryDirectory() + "sonde-actual-" + name
    try Data(text.utf8).write(to: URL(fileURLWithPath: actual))
    Issue.record(
        "\(name) differs from what is now in \(actual); SONDE_BLESS=1 takes that as right",
        sourceLocation: sourceLocation)
}
