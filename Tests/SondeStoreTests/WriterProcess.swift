// SPDX-License-Identifier: Apache-2.0
// Runs `Tests/Programs/store-writer` and reads what it acknowledges.

import Foundation

/// One run of `store-writer`.
final class WriterProcess {
    private let process = Process()
    private let output = Pipe()
    private var rest: [UInt8] = []

    init(_ arguments: [String]) throws {
        let runner = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        process.executableURL = URL(fileURLWithPath: runner).deletingLastPathComponent()
            .appendingPathComponent("store-writer")
        process.arguments = arguments
        process.standardOutput = output
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    /// The next line, or `nil` when the process ended.
    ///
    /// What is behind the last line's end is none.
    func line() -> String? {
        while true {
            if let end = rest.firstIndex(of: 10) {
                defer { rest.removeFirst(end + 1) }
                return String(decoding: rest[..<end], as: UTF8.self)
            }
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { return nil }
            rest.append(contentsOf: data)
        }
    }

    /// Ends the process with SIGKILL, and waits until it is gone.
    func killAndWait() {
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    func wait() { process.waitUntilExit() }
}
