// SPDX-License-Identifier: Apache-2.0
// A real process of the benchmark, and when it said what.

import Foundation
import Synchronization

/// Nanoseconds of the clock that all processes share.
func monotonic() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
}

/// A process whose lines are read, each with the time at which it came.
final class Child: Sendable {
    /// A line and when it came.
    struct Line: Sendable {
        var text: String
        var at: UInt64
    }

    private let process: Process
    private let input = Pipe()
    private let lines = Mutex<[Line]>([])

    init(_ program: String, _ arguments: [String], _ environment: [String: String] = [:]) throws {
        let process = Process()
        self.process = process
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let descriptor = output.fileHandleForReading.fileDescriptor
        Thread.detachNewThread { [self] in
            // Keeps the pipe as long as it is read.
            withExtendedLifetime(output) { read(descriptor) }
        }
    }

    /// What it has said so far.
    var said: [Line] { lines.withLock { $0 } }

    /// Tells it something.
    func tell(_ line: String) {
        input.fileHandleForWriting.write(Data((line + "\n").utf8))
    }

    /// The first line from a place on that fits; ends the benchmark when none comes in time.
    func line(after count: Int = 0, _ fits: (String) -> Bool) -> Line {
        let deadline = Date(timeIntervalSinceNow: 30)
        while Date() < deadline {
            if let found = said.dropFirst(count).first(where: { fits($0.text) }) { return found }
            usleep(500)
        }
        fail("a process said nothing that was waited for: \(said.suffix(5).map(\.text))")
    }

    /// Waits for its end.
    func waitForEnd() { process.waitUntilExit() }

    /// Ends it.
    func end() {
        process.terminate()
        process.waitUntilExit()
    }

    private func read(_ descriptor: Int32) {
        var rest: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let got = Glibc.read(descriptor, &chunk, chunk.count)
            guard got > 0 else { return }
            let now = monotonic()
            rest += chunk[..<got]
            while let end = rest.firstIndex(of: 10) {
                let text = String(decoding: rest[..<end], as: UTF8.self)
                lines.withLock { $0.append(Line(text: text, at: now)) }
                rest.removeFirst(end + 1)
            }
        }
    }
}

/// Ends the benchmark with a reason.
func fail(_ reason: String) -> Never {
    print("cannot measure: \(reason)")
    exit(1)
}
