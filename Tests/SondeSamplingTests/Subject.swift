// SPDX-License-Identifier: Apache-2.0
// Runs `Tests/Programs/sampling-subject` and reads the facts that it prints.

import Foundation
import Testing

/// What one run of the subject told.
struct Subject {
    /// Its exit status; negative: the signal that ended it.
    var status: Int32
    /// Everything that it printed.
    var output: String
    /// The last value of each key.
    var facts: [String: String] = [:]

    /// Runs a scenario to its end, within a deadline.
    static func run(_ arguments: String..., seconds: Int = 60) throws -> Subject {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("sampling-subject").path
        process.arguments = ["--signal=KILL", "\(seconds)", program] + arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        var subject = Subject(
            status: process.terminationReason == .exit
                ? process.terminationStatus : -process.terminationStatus,
            output: String(decoding: data, as: UTF8.self))
        for line in subject.output.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
            if parts.count == 2 { subject.facts[parts[0]] = parts[1] }
        }
        return subject
    }

    /// Fails unless the scenario came to its end.
    func expectDone(_ location: SourceLocation = #_sourceLocation) {
        #expect(status == 0 && facts["done"] == "1", "\(output)", sourceLocation: location)
    }

    /// A fact that is a number.
    func number(_ key: String, _ location: SourceLocation = #_sourceLocation) throws -> Double {
        let text = try #require(facts[key], "no \(key) in: \(output)", sourceLocation: location)
        return try #require(Double(text), "\(key) is \(text)", sourceLocation: location)
    }
}
