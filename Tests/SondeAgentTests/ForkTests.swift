// SPDX-License-Identifier: Apache-2.0
// A service that forks while its threads use the agent: no child may hang or trap.

import Foundation
import SondeTestServer
import Testing

struct ForkTests {
    /// `Tests/Programs/forking-service`, beside this test.
    private func run(_ kind: String, _ count: Int, _ url: String) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
        let program = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appendingPathComponent("forking-service").path
        process.arguments = ["--signal=KILL", "100", program, kind, "\(count)", url]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = String(
            decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(output)")
        return output
    }

    @Test(.timeLimit(.minutes(5))) func anExecutedProgramInheritsNoDescriptorOfTheAgents() throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let lines = try run("descriptors", 20, controller.server.url).split(separator: "\n")
        // `before exit 3`, and the same 20 times with the agent connected.
        let before = try #require(lines.first { $0.hasPrefix("before exit ") }).dropFirst(7)
        #expect(lines.contains("\(before) 20"), "\(lines)")
        #expect(!controller.registrations.isEmpty)
    }

    @Test(.timeLimit(.minutes(5)), arguments: [("calls", 500), ("exec", 300), ("start", 100)])
    func everyChildEndsByItselfWhateverTheParentsThreadsDid(kind: String, count: Int) throws {
        let controller = try FakeController()
        defer { controller.server.stop() }
        let output = try run(kind, count, controller.server.url)
        let lines = output.split(separator: "\n")
        #expect(lines.first.map(String.init) == "exit 0 \(count)", "\(output)")
        let rounds = lines.last.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
        #expect(lines.count == 2 && rounds > count, "the service was busy: \(output)")
    }
}
