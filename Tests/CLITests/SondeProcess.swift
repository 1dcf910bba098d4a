// SPDX-License-Identifier: Apache-2.0
// Runs the built program `sonde` and collects what it said.

import Foundation
import Testing

/// One run of the built program.
struct SondeProcess {
    /// Its exit status; minus the signal's number when a signal ended it.
    var status: Int32
    var output: String
    var errors: String
    var bytes: [UInt8]

    /// The folder of the built programs: the test bundle lies there too.
    static let folder: String = {
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let candidates = [
            URL(fileURLWithPath: own).deletingLastPathComponent().path,
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../.build/debug").standardized.path,
        ]
        return candidates.first { FileManager.default.isExecutableFile(atPath: $0 + "/sonde") }
            ?? candidates[1]
    }()

    static let program = folder + "/sonde"

    /// Runs the program to its end.
    ///
    /// - Parameters:
    ///   - words: Its arguments.
    ///   - environment: Variables beside a bare `PATH`.
    ///   - shell: A shell's command line in place of `words`; `$SONDE` is the program.
    /// - Returns: What it said; it is killed, and an issue recorded, after 30 s.
    /// - Throws: When the program cannot be started.
    static func run(
        _ words: [String], environment: [String: String] = [:], shell: [String]? = nil
    ) throws -> SondeProcess {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: shell?.first ?? program)
        process.arguments = shell.map { Array($0.dropFirst()) } ?? words
        process.environment =
            ["PATH": "/usr/local/bin:/usr/bin:/bin", "SONDE": program, "TZ": "UTC"]
            .merging(environment) { $1 }
        let output = Pipe(), errors = Pipe()
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let pid = process.processIdentifier
        let watchdog = DispatchWorkItem {
            Issue.record("sonde \(words) did not end within 30 s")
            kill(pid, SIGKILL)
        }
        DispatchQueue.global().asyncAfter(deadline: .now() + 30, execute: watchdog)
        let errorText = Collected()
        let reader = Thread {
            errorText.set(errors.fileHandleForReading.readDataToEndOfFile())
        }
        reader.start()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        watchdog.cancel()
        return SondeProcess(
            status: process.terminationReason == .exit
                ? process.terminationStatus : -process.terminationStatus,
            output: String(decoding: data, as: UTF8.self),
            errors: String(decoding: errorText.wait(), as: UTF8.self), bytes: Array(data))
    }

    /// Bytes that another thread reads to their end.
    private final class Collected: @unchecked Sendable {
        // Safety: `data` is written before `done` is signalled and read after.
        private var data = Data()
        private let done = DispatchSemaphore(value: 0)
        func set(_ new: Data) {
            data = new
            done.signal()
        }
        func wait() -> Data {
            done.wait()
            return data
        }
    }
}

/// A folder that goes away with its owner.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "sonde-cli-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws -> String {
        let file = path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }
}
