// SPDX-License-Identifier: Apache-2.0
// The process that stands in for Loki: started, killed, and asked what it has.

import Foundation
import Glibc

/// A process that stands in for Loki; see `Tests/Programs/loki-stand-in`.
final class StandInLoki {
    /// What became of the lines that came.
    struct Ledger {
        /// Digests of what was stored, by line: more than one is a line that Loki would have twice.
        var stored: [NumberedLine: Set<Substring>] = [:]
        var refused: Set<NumberedLine> = []
        /// Lines that came again exactly as they were, which Loki drops silently.
        var repeated = 0
    }

    private let workshop: Workshop
    private let file: URL
    private(set) var port = 0
    private var process: ChildProcess?

    init(_ workshop: Workshop, seed: UInt64) async throws {
        self.workshop = workshop
        file = workshop.path("ledger")
        try await start(seed: seed)
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Starts it again on the same port and ledger; seed 0 behaves well.
    func start(seed: UInt64) async throws {
        let process = try workshop.start(
            try Workshop.program("loki-stand-in"), ["\(port)", file.path, "\(seed)"])
        self.process = process
        var found: Int?
        _ = await eventually(within: 20, every: 0.02) {
            found = process.text.firstMatch(of: /listens on ([0-9]+)/).flatMap { Int($0.1) }
            return found != nil || !process.isRunning
        }
        guard let found else { throw Stuck("the stand-in does not start: \(process.text)") }
        port = found
    }

    func kill() {
        process?.signal(SIGKILL)
        process?.end()
    }

    /// Everything that came so far.
    func ledger() throws -> Ledger {
        let text = try String(contentsOf: file, encoding: .utf8)
        var ledger = Ledger()
        for row in text.split(separator: "\n") {
            let parts = row.split(separator: " ")
            guard parts.count == 4, let number = Int(parts[2]) else {
                throw Stuck("cannot read the ledger: got \(row)")
            }
            let line = NumberedLine(instance: String(parts[1]), number: number)
            if parts[0] == "R" {
                ledger.refused.insert(line)
            } else if !ledger.stored[line, default: []].insert(parts[3]).inserted {
                ledger.repeated += 1
            }
        }
        return ledger
    }
}
