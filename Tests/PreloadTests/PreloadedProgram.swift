// SPDX-License-Identifier: Apache-2.0
// Runs programs with libsonde.so preloaded, against a server that takes profiles.

import Foundation
import SondeFormats
import SondeModel
import SondeTestServer
import SondeWire

/// libsonde.so as `scripts/link-preload` made it, and a C program to put it into.
enum Preload {
    /// The repository.
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// `make test` links it before the tests run; `SONDE_PRELOAD` names another one.
    static let library =
        ProcessInfo.processInfo.environment["SONDE_PRELOAD"]
        ?? root.appendingPathComponent(".build/release/libsonde.so").path

    /// A folder for the time of the tests.
    static let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("sonde-preload-\(ProcessInfo.processInfo.processIdentifier)")

    /// The C program, compiled once; without frame pointers, as C programs are.
    static let burn: String = {
        let output = folder.appendingPathComponent("burn").path
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let source = root.appendingPathComponent("Tests/PreloadTests/Programs/burn.c").path
        let outcome = try? run(
            [
                "/usr/bin/env", "clang", "-O1", "-g", "-D_GNU_SOURCE", "-pthread", "-o", output,
                source,
            ],
            environment: [:])
        return outcome?.status == 0 ? output : ""
    }()

    /// What became of a program.
    struct Outcome: Equatable {
        var status: Int32
        var output: String
        var errors: String
        var seconds = 0.0
    }

    /// Runs a program to its end, at most 60 seconds.
    static func run(
        _ command: [String], environment: [String: String], input: String = ""
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        var all = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("SONDE_") }
        all.merge(environment) { _, new in new }
        process.environment = all
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        let begin = Date()
        try process.run()
        let pid = process.processIdentifier
        let timer = DispatchSource.makeTimerSource()
        timer.schedule(deadline: .now() + 60)
        timer.setEventHandler { kill(pid, SIGKILL) }
        timer.resume()
        defer { timer.cancel() }
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let errorText = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return Outcome(
            status: process.terminationReason == .exit ? process.terminationStatus : -1,
            output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: errorText, as: UTF8.self),
            seconds: Date().timeIntervalSince(begin))
    }

    /// Runs a program with the agent in it.
    static func runPreloaded(
        _ command: [String], url: String, _ more: [String: String] = [:]
    ) throws -> Outcome {
        var environment = [
            "LD_PRELOAD": library, "SONDE_SERVICE": "preloaded", "SONDE_URL": url,
        ]
        environment.merge(more) { _, new in new }
        return try run(command, environment: environment)
    }
}

/// A server like Pyroscope's: it takes profiles and knows no control.
final class ProfileServer: Sendable {
    let server: TestServer

    init() throws {
        server = try TestServer { request in
            .respond(request.target == "/push.v1.PusherService/Push" ? 200 : 404)
        }
    }

    /// One profile that came.
    struct Arrival {
        var labels: [String: String]
        var document: PprofDocument

        /// CPU time in stacks that hold an address of this image, in nanoseconds.
        func nanoseconds(in image: String) -> Int64 {
            let mappings = Set(
                document.mappings.filter { $0.filename.hasSuffix(image) }.map(\.id))
            let locations = Set(
                document.locations.filter { mappings.contains($0.mappingID) }.map(\.id))
            return document.samples.filter { !locations.isDisjoint(with: $0.locationIDs) }
                .reduce(0) { $0 + $1.values[1] }
        }
    }

    /// Every profile so far.
    var arrivals: [Arrival] {
        server.requests(to: "/push.v1.PusherService/Push").compactMap { request in
            guard let push = try? PushRequest(decoding: request.body[...]),
                let series = push.series.first, let sample = series.samples.first,
                let bytes = try? Gzip.expand(sample.rawProfile, limit: 1 << 24),
                let document = try? PprofDocument(decoding: bytes[...])
            else { return nil }
            let labels = series.labels.map { ($0.name, $0.value) }
            return Arrival(
                labels: Dictionary(labels) { first, _ in first }, document: document)
        }
    }

    /// The instances whose profiles came.
    var instances: Set<String> { Set(arrivals.compactMap { $0.labels["instance"] }) }
}
