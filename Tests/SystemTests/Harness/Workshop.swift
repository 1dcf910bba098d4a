// SPDX-License-Identifier: Apache-2.0
// Where a system test works: the built programs and a folder of its own.

import Foundation

/// A folder that exists as long as the test, and the programs it may start.
final class Workshop {
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("sonde-system-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The repository that this test was compiled from.
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder with the programs: `SONDE_BIN_DIR`, the release build, or the debug build.
    static let binaries: URL = {
        if let given = ProcessInfo.processInfo.environment["SONDE_BIN_DIR"] {
            return URL(fileURLWithPath: given)
        }
        let builds = ["release", "debug"].map {
            repository.appendingPathComponent(".build/\($0)")
        }
        return builds.first { has("bookmaker", in: $0) && has("sonde", in: $0) } ?? builds[0]
    }()

    static func program(_ name: String) throws -> URL {
        guard has(name, in: binaries) else {
            throw Stuck("cannot find \(name) in \(binaries.path); want it from swift build")
        }
        return binaries.appendingPathComponent(name)
    }

    /// Whether `scripts/link-preload` has made the library that is preloaded.
    static var hasPreload: Bool {
        ["libsonde.so", "libsonde-agent.so"].allSatisfy {
            FileManager.default.fileExists(atPath: binaries.appendingPathComponent($0).path)
        }
    }

    private static func has(_ name: String, in folder: URL) -> Bool {
        FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent(name).path)
    }

    /// Starts one of the programs, or a copy of one.
    func start(
        _ program: URL, _ arguments: [String], _ environment: [String: String] = [:]
    ) throws -> ChildProcess {
        try ChildProcess(program, arguments, environment: environment, folder: folder)
    }

    /// Runs a program to its end and gives what it wrote.
    @discardableResult
    func run(
        _ program: URL, _ arguments: [String], _ environment: [String: String] = [:],
        within seconds: Double = 60
    ) async throws -> (status: Int32, text: String) {
        let child = try start(program, arguments, environment)
        guard let status = await child.ended(within: seconds) else {
            throw Stuck("\(child.name) \(arguments) still runs after \(seconds) s: \(child.text)")
        }
        return (status, child.text)
    }

    /// Runs a tool of the system that must succeed.
    func tool(_ words: String...) async throws {
        let env = URL(fileURLWithPath: "/usr/bin/env")
        let result = try await run(env, words)
        guard result.status == 0 else { throw Stuck("\(words) failed: \(result.text)") }
    }

    func path(_ name: String) -> URL { folder.appendingPathComponent(name) }
}
