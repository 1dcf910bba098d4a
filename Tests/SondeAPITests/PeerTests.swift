// SPDX-License-Identifier: Apache-2.0
// Programs that others wrote push to the controller: Pyroscope's own SDK, Google's protobuf library.

import Foundation
import SondeAPI
import SondeModel
import SondeServer
import SondeStore
import Testing

@Suite struct PeerTests {
    @Test(
        .enabled(
            if: Peer.has("pyroscope"),
            "needs pyroscope-io in .cache/venv; `make deps-test` puts it there"),
        .timeLimit(.minutes(5)), arguments: [false, true])
    func theProfilesOfPyroscopesSDKAreRead(withToken: Bool) throws {
        let folder = DataPlace()
        var token = ""
        if withToken {
            token = try ControlStore(DataFolder(folder.path)).createToken(
                name: "peer", role: .agent, expires: nil, by: "test", now: .now
            ).text
        }
        let viewer = try ControlStore(DataFolder(folder.path)).createToken(
            name: "test", role: .viewer, expires: nil, by: "test", now: .now
        ).text
        let controller = try TestController(in: folder) { $0.requiresToken = withToken }
        let peer = try Peer("pyroscope_service.py", [controller.address.url, token])
        defer { peer.end() }
        let headers = [("Authorization", "Bearer \(viewer)")]
        let isThere = try eventually(within: .seconds(50)) {
            try controller.send("GET", "/api/v1/top?selector=peer", headers: headers).text
                .contains("hot_function_of_the_peer")
        }
        #expect(isThere, "\(controller.lines.all.suffix(5))")
        let top = try controller.send("GET", "/api/v1/top?selector=peer", headers: headers)
        let total = try #require(top.json["total"] as? Int)
        let functions = try #require(top.json["functions"] as? [[String: Any]])
        let hot = functions.first {
            ($0["name"] as? String)?.contains("hot_function_of_the_peer") == true
        }
        #expect(try #require(hot?["total"] as? Int) > total / 2)
        let series = try controller.send(
            "GET", "/api/v1/series?selector=peer", headers: headers)
        #expect(series.text.contains(#""region":"eu-1""#))
    }

    @Test(
        .enabled(
            if: Peer.has("google/protobuf"),
            "needs protobuf in .cache/venv; `make deps-test` puts it there"),
        .timeLimit(.minutes(5)))
    func whatGooglesProtobufWritesIsRead() throws {
        let controller = try TestController()
        let file = controller.folder.path + "/profile.pb"
        try Data(profile(["main", "from_protobuf"], 7)).write(to: URL(fileURLWithPath: file))
        let peer = try Peer("protobuf_push.py", [controller.address.url, file])
        defer { peer.end() }
        #expect(peer.output() == "done\n")
        let top = try controller.send("GET", "/api/v1/top?selector=peer")
        #expect(top.json["total"] as? Int == 21)
        #expect(top.text.contains("from_protobuf"))
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"), "needs curl"))
    func curlAloneIsAClient() throws {
        let controller = try TestController()
        let file = controller.folder.path + "/profile.pprof"
        try Data(pprof(["samples/count", "cpu/nanoseconds"])).write(to: URL(fileURLWithPath: file))
        for arguments in [
            ["--data-binary", "main;work 5", "\(controller.address.url)/ingest?name=scripts.cpu"],
            ["-F", "profile=@\(file)", "\(controller.address.url)/ingest?name=forms"],
        ] {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
            process.arguments =
                ["-sS", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}"] + arguments
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            let said = try pipe.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            #expect(String(decoding: said, as: UTF8.self) == "200")
        }
        let services = try controller.send("GET", "/api/v1/services").text
        #expect(services.contains("\"scripts\"") && services.contains("\"forms\""))
    }
}

/// A program in Python, out of the tests' own environment, ended with this object.
final class Peer {
    private let process = Process()
    private let pipe = Pipe()
    private var early = Data()

    static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path

    /// Whether the environment has a package.
    static func has(_ package: String) -> Bool {
        let libraries = root + "/.cache/venv/lib"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries)) ?? []
        return versions.contains {
            FileManager.default.fileExists(atPath: "\(libraries)/\($0)/site-packages/\(package)")
        }
    }

    init(_ script: String, _ arguments: [String]) throws {
        process.executableURL = URL(fileURLWithPath: Self.root + "/.cache/venv/bin/python")
        // Unbuffered, so that a test can wait for a line.
        process.arguments =
            ["-u", Self.root + "/Tests/SondeAPITests/Peers/" + script] + arguments
        process.standardOutput = pipe
        try process.run()
    }

    /// Waits until it has written a text; `false` when it ends without.
    func writes(_ text: String) -> Bool {
        while !String(decoding: early, as: UTF8.self).contains(text) {
            let data = pipe.fileHandleForReading.availableData
            guard !data.isEmpty else { return false }
            early += data
        }
        return true
    }

    /// What it wrote until its end.
    func output() -> String {
        early += (try? pipe.fileHandleForReading.readToEnd()) ?? Data()
        return String(decoding: early, as: UTF8.self)
    }

    func end() {
        guard process.isRunning else { return }
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}
