// SPDX-License-Identifier: Apache-2.0
// A real process of a test: started, watched and ended by its own process id.

import Foundation
import Glibc

/// A program that a test runs; it ends with the test, also when that fails or is killed.
final class ChildProcess {
    let name: String
    let output: URL
    private var process: SpawnedProcess
    /// Kills the child when the test's process is gone: its standard input ends then.
    private var guardian: SpawnedProcess
    private let lifeline: Int32

    var pid: pid_t { process.pid }

    var isRunning: Bool {
        process.look()
        return process.ending == nil
    }

    /// Starts a program; its output goes to a file in `folder`.
    init(
        _ executable: URL, _ arguments: [String], environment: [String: String] = [:],
        folder: URL
    ) throws {
        name = executable.lastPathComponent
        output = folder.appendingPathComponent("\(name)-\(UUID().uuidString.prefix(8)).log")
        let log = open(output.path, O_WRONLY | O_CREAT | O_CLOEXEC | O_APPEND, 0o600)
        let null = open("/dev/null", O_RDWR | O_CLOEXEC)
        var ends: [Int32] = [-1, -1]
        guard log >= 0, null >= 0, pipe(&ends) == 0 else {
            throw Stuck("cannot open files for \(executable.path): errno \(errno)")
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        lifeline = ends[1]
        let reader = ends[0]
        defer { for descriptor in [log, null, reader] { close(descriptor) } }
        process = try SpawnedProcess(
            executable.path, arguments,
            environment: Self.environment.merging(environment) { $1 },
            descriptors: (input: null, output: log))
        guardian = try SpawnedProcess(
            "/bin/sh", ["-c", "cat >/dev/null; kill -9 \(process.pid)"],
            environment: Self.environment, descriptors: (input: reader, output: null))
    }

    deinit {
        end()
        close(lifeline)
    }

    /// What a test's own environment must not decide.
    private static let environment = ProcessInfo.processInfo.environment
        .filter { !$0.key.hasPrefix("SONDE_") && !$0.key.hasPrefix("BOOKMAKER_") }

    func signal(_ number: Int32) { if isRunning { kill(pid, number) } }

    /// Ends the child at once and waits for it.
    func end() {
        // The guardian first, so that it cannot kill a process that got the number later.
        guardian.kill()
        process.kill()
    }

    /// Asks the child to end, and kills it when it does not do so in time; its exit status.
    @discardableResult
    func finish(within seconds: Double = 15) async -> Int32 {
        signal(SIGTERM)
        _ = await eventually(within: seconds) { !self.isRunning }
        end()
        return process.exitStatus
    }

    /// Waits for a program that ends by itself; `nil` when it does not.
    func ended(within seconds: Double) async -> Int32? {
        guard await eventually(within: seconds, { !self.isRunning }) else { return nil }
        end()
        return process.exitStatus
    }

    /// Everything that it wrote so far.
    var text: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }

    /// The kernel's count of its threads.
    var threadCount: Int {
        (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task"))?.count ?? 0
    }
}

/// Looks again and again until a condition holds; false when it does not in time.
func eventually(
    within seconds: Double, every pause: Double = 0.1, _ condition: () throws -> Bool
) async -> Bool {
    let end = Date(timeIntervalSinceNow: seconds)
    while true {
        if (try? condition()) == true { return true }
        guard Date() < end else { return false }
        try? await Task.sleep(nanoseconds: UInt64(pause * 1e9))
    }
}

/// A test that cannot go on.
struct Stuck: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
