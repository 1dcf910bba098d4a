// SPDX-License-Identifier: Apache-2.0
// Runs `Tests/Programs/probe-subject`, a program that probes itself, and reads what it prints.

import Foundation
import Testing

/// What one run of the subject told.
struct ProbeSubject {
    /// Its exit status; negative: the signal that ended it.
    var status: Int32
    /// Everything that it printed.
    var output: String

    /// Whether the scenario came to its end.
    var isDone: Bool { status == 0 && output.hasSuffix("done 1\n") }

    /// Runs a scenario within a deadline.
    static func run(
        _ arguments: [String], environment: [String: String] = [:], seconds: Int = 120
    ) throws -> ProbeSubject {
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("probe-subject").path
        return try run(
            program: "/usr/bin/timeout",
            ["--signal=KILL", "\(seconds)", program] + arguments, environment: environment)
    }

    /// Runs any program to its end.
    static func run(
        program: String, _ arguments: [String], environment: [String: String] = [:]
    ) throws -> ProbeSubject {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return ProbeSubject(
            status: process.terminationReason == .exit
                ? process.terminationStatus : -process.terminationStatus,
            output: String(decoding: data, as: UTF8.self))
    }
}
