// SPDX-License-Identifier: Apache-2.0
// The service that counts through a log point; see `Tests/Programs/numbered-service`.

import Foundation
import Glibc

/// A running service that counts.
final class NumberedService {
    let range: Range<Int>
    let process: ChildProcess

    init(_ workshop: Workshop, _ range: Range<Int>, perSecond: Int, url: String) throws {
        self.range = range
        process = try workshop.start(
            try Workshop.program("numbered-service"),
            ["\(range.lowerBound)", "\(range.count)", "\(perSecond)"],
            [
                "SONDE_SERVICE": "numbers", "SONDE_URL": url,
                "SONDE_RUNTIME_DIR": workshop.path("markers").path,
            ])
    }

    /// The place of the log point.
    static func place() throws -> String {
        let file = Workshop.repository.appendingPathComponent(
            "Tests/Programs/numbered-service/main.swift")
        let lines = try String(contentsOf: file, encoding: .utf8)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard let index = lines.firstIndex(where: { $0.hasSuffix("sum &+= number") }) else {
            throw Stuck("cannot find the line that adds in \(file.path)")
        }
        return "numbered-service/main.swift:\(index + 1)"
    }

    var instance: String? {
        process.text.firstMatch(of: /instance ([0-9a-f-]+)/).map { String($0.1) }
    }

    /// What the agent said of itself at the end; `nil` when the process was killed before.
    var account: Account? {
        var numbers: [Substring: Int] = [:]
        for row in process.text.split(separator: "\n") {
            let parts = row.split(separator: " ")
            if parts.count == 2, let number = Int(parts[1]) { numbers[parts[0]] = number }
        }
        guard let said = numbers["said"], let hits = numbers["hits"], let lines = numbers["lines"],
            let dropped = numbers["dropped"], let sent = numbers["sent"]
        else { return nil }
        let losses = numbers.filter { $0.key.hasPrefix("lines_") }
        return Account(
            said: said, hits: hits, lines: lines, dropped: dropped, sent: sent,
            losses: losses.values.reduce(0, +))
    }

    /// What an agent counted.
    struct Account {
        /// Numbers that the service counted.
        var said: Int
        /// Those that ran through the log point.
        var hits: Int
        /// Lines that were made of them, and those that were lost before, by a limit.
        var lines: Int
        var dropped: Int
        /// Lines that the controller acknowledged, and those that the agent gave up.
        var sent: Int
        var losses: Int
    }
}
