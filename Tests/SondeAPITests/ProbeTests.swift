// SPDX-License-Identifier: Apache-2.0
// Log points as their users and the agents see them: added, sent, reported, changed, removed.

import Foundation
import SondeModel
import SondeProbeProgram
import SondeStore
import SondeWire
import Testing

@Suite struct ProbeTests {
    private let folder = DataPlace()
    private var controller: TestController!
    private let image: CompiledBet

    init() throws {
        controller = try TestController(in: folder)
        image = try CompiledBet()
    }

    @Test func aLogPointGoesToTheAgentAndBack() throws {
        try bringUp("one")
        let added = try add(["tag": "night", "reason": "stakes look wrong"])
        #expect(added.status == 201, "\(added.message)")
        let id = try #require(added.json["id"] as? String)
        #expect(added.json["state"] as? String == "waiting")

        let desired = try DesiredState(decoding: controller.poll("one").body[...])
        let wanted = try #require(desired.probes.first)
        #expect(wanted.id == id && wanted.enabled && wanted.revision == 1)
        let program = try ProbeProgram(decoding: wanted.program)
        _ = try ProgramVerifier.verify(program)
        #expect(program.probe == id && program.tag == "night" && program.line == image.line)
        #expect(program.file.hasSuffix("bet.c"))
        #expect(program.images.map(\.buildID) == [image.buildID])
        #expect(program.limits.hits == 1000 && program.limits.linesPerSecond == 100)

        var report = ProbeReport()
        report.id = id
        report.revision = 1
        report.state = "installed"
        report.jumpSites = 2
        report.hits = 12
        report.lines = 10
        report.dropped = [counter("rate", 2)]
        var whole = AgentReport()
        whole.probes = [report]
        _ = try controller.poll("one", report: whole)
        let shown = try controller.send("GET", "/api/v1/probes/\(id)").json
        #expect(shown["state"] as? String == "active")
        #expect(shown["hits"] as? Int == 12 && shown["dropped"] as? Int == 2)
        let instances = try #require(shown["instances"] as? [[String: Any]])
        #expect(instances.first?["jumpSites"] as? Int == 2)
        #expect(instances.first?["dropped"] as? [String: Int] == ["rate": 2])
        #expect(controller.lines.all.contains { $0.contains("probe added") && $0.contains(id) })
    }

    @Test func disablingAndRemovingReachTheAgentAtOnce() throws {
        try bringUp("one")
        let id = try #require(try add().json["id"] as? String)
        let first = try DesiredState(decoding: controller.poll("one").body[...])
        let waiting = Background { [controller, revision = first.revision] in
            try TestClient(#require(controller)).poll("one", revision: revision, waitMs: 20_000)
        }
        #expect(try eventually { try longPolls() == 1 })
        let disabled = try controller.send("POST", "/api/v1/probes/\(id)/disable")
        #expect(disabled.status == 200)
        let second = try DesiredState(decoding: waiting.value().body[...])
        #expect(second.probes.map(\.enabled) == [false] && second.probes.map(\.revision) == [2])
        #expect(try state(of: id) == "disabled")
        #expect(try controller.send("POST", "/api/v1/probes/enable?tag=").status == 400)
        #expect(try controller.send("POST", "/api/v1/probes/enable?all=true").status == 200)
        #expect(try state(of: id) == "waiting")
        #expect(try controller.send("DELETE", "/api/v1/probes/\(id)").status == 200)
        let last = try DesiredState(decoding: controller.poll("one").body[...])
        #expect(last.probes.isEmpty)
        #expect(try controller.send("GET", "/api/v1/probes/\(id)").status == 404)
    }

    @Test func enablingTriesAgainWhatAnInstanceGaveUp() throws {
        try bringUp("one")
        let id = try #require(try add().json["id"] as? String)
        for (state, revision) in [("installed", 1), ("held", 2), ("tripped", 3), ("failed", 4)] {
            var report = ProbeReport()
            report.id = id
            report.revision = try #require(
                try DesiredState(decoding: controller.poll("one").body[...]).probes.first
            ).revision
            report.state = state
            report.reason = "because"
            var whole = AgentReport()
            whole.probes = [report]
            _ = try controller.poll("one", report: whole)
            if state != "installed" { #expect(try self.state(of: id) == state) }
            #expect(
                try controller.send("POST", "/api/v1/probes/\(id)/enable").status == 200)
            let desired = try DesiredState(decoding: controller.poll("one").body[...])
            #expect(desired.probes.map(\.revision) == [UInt64(revision)])
        }
    }

    @Test mutating func aLateJoinerAndARestartedControllerHaveIt() throws {
        try bringUp("one")
        let id = try #require(try add().json["id"] as? String)
        try controller.register("two", modules: [image.module])
        #expect(try wanted("two") == [id])
        controller = nil
        let again = try TestController(in: folder)
        try again.register("three", modules: [image.module])
        let desired = try DesiredState(decoding: again.poll("three").body[...])
        #expect(desired.probes.map(\.id) == [id])
    }

    @Test func onlyThoseItIsForGetIt() throws {
        try bringUp("one")
        try controller.register("two", modules: [image.module])
        let id = try #require(try add(["instance": "tw"]).json["id"] as? String)
        let other = try #require(
            try add(["labels": ["region": "eu-1"]]).json["id"] as? String)
        #expect(try wanted("one") == [other])
        #expect(try wanted("two") == [id, other])
        let nobody = try add(["labels": ["region": "us-1"]])
        #expect(nobody.status == 404 && nobody.message.contains("these labels"))
        let unknown = try add(["service": "bokmaker"])
        #expect(unknown.status == 404 && unknown.message.contains("bookmaker"))
    }

    @Test func debugInfoThatComesLaterIsUsed() throws {
        try controller.register("one", modules: [image.module])
        let early = try add()
        #expect(early.status == 503 && early.message.contains("sonde debuginfo push"))
        try bringUp("two")
        #expect(try add().status == 201)
        #expect(try wanted("one").count == 1)
    }

    @Test func whatCannotWorkIsRefusedWithWhatWould() throws {
        try bringUp("one")
        let name = try add(["template": "{stke}"])
        #expect(name.status == 400)
        #expect(name.json["reason"] as? String == "unknown_name")
        #expect((name.json["suggestions"] as? [String])?.contains("stake") == true)
        #expect((name.json["caret"] as? String)?.contains("^") == true)
        let names = name.json["names"] as? [[String: String]] ?? []
        #expect(names.contains { $0["name"] == "stake" && $0["type"] == "int" }, "\(names)")
        let syntax = try add(["condition": "stake >"])
        #expect(syntax.status == 400 && syntax.json["role"] as? String == "condition")
        let line = try add(["location": "bet.c:1"])
        #expect(line.json["reason"] as? String == "no_code_on_line")
        #expect((line.json["nearestLines"] as? [Int])?.isEmpty == false)
        let file = try add(["location": "bett.c:3"])
        #expect(file.json["reason"] as? String == "unknown_file")
        for (member, value) in [
            ("hits", 0), ("hits", 2_000_000), ("seconds", 90_000), ("rate", 0), ("level", "loud"),
            ("kind", "snapshoot"), ("tag", "a b"), ("conditon", "true"), ("location", ""),
        ] as [(String, Any)] {
            let answer = try add([member: value])
            #expect(answer.status == 400, "\(member): \(value)")
            #expect(answer.message.contains("want"), "\(answer.message)")
        }
        #expect(try controller.send("GET", "/api/v1/probes").text == "{\"probes\":[]}")
    }

    @Test func whereTellsAddressesAndNames() throws {
        try bringUp("one")
        let answer = try controller.send(
            "GET", "/api/v1/where?service=bookmaker&location=bet.c:\(image.line)")
        #expect(answer.status == 200, "\(answer.message)")
        let builds = try #require(answer.json["builds"] as? [[String: Any]])
        #expect(builds.first?["line"] as? Int == Int(image.line))
        let names = try #require(builds.first?["names"] as? [[String: Any]])
        let stake = try #require(names.first { $0["name"] as? String == "stake" })
        #expect(stake["type"] as? String == "int" && stake["availability"] as? String == "full")
        let refused = try controller.send(
            "GET", "/api/v1/where?service=bookmaker&location=other.c:3")
        #expect(refused.json["reason"] as? String == "unknown_file", "\(refused.text)")
        #expect(try controller.send("GET", "/api/v1/where?service=bookmaker").status == 400)
    }

    @Test func whereTellsWhatCanFollowADot() throws {
        try bringUp("one")
        let place = "/api/v1/where?service=bookmaker&location=bet.c:\(image.line)"
        func of(_ expression: String) throws -> [String: Any]? {
            let answer = try controller.send("GET", "\(place)&of=\(expression)")
            #expect(answer.status == 200, "\(answer.message)")
            return (answer.json["builds"] as? [[String: Any]])?.first?["of"] as? [String: Any]
        }
        let stake = try #require(try of("stake"))
        #expect(stake["type"] as? String == "int" && stake["optional"] as? Bool == false)
        #expect((stake["members"] as? [Any])?.isEmpty == true)
        #expect(try of("nobody") == nil)
        #expect(try of("stake%20%2B") == nil)
    }

    // What the tests share.

    private func bringUp(_ instance: String) throws {
        try controller.register(instance, modules: [image.module])
        let upload = try controller.send(
            "PUT", "/api/v1/debuginfo/\(image.buildID)?name=bet",
            headers: [("Content-Type", "application/octet-stream")], body: image.bytes)
        #expect(upload.status == 200, "\(upload.message)")
    }

    private func add(_ changes: [String: Any] = [:]) throws -> Answer {
        var wish: [String: Any] = [
            "location": "bet.c:\(image.line)", "template": "bet {stake} of {user}",
            "service": "bookmaker",
        ]
        wish.merge(changes) { $1 }
        let body = try JSONSerialization.data(withJSONObject: wish)
        return try controller.send(
            "POST", "/api/v1/probes", headers: [("Content-Type", "application/json")],
            body: Array(body))
    }

    private func wanted(_ instance: String) throws -> [String] {
        try DesiredState(decoding: controller.poll(instance).body[...]).probes.map(\.id)
    }

    private func state(of id: String) throws -> String {
        try controller.send("GET", "/api/v1/probes/\(id)").json["state"] as? String ?? ""
    }

    private func longPolls() throws -> Int {
        let text = try controller.send("GET", "/metrics").text
        let line = text.split(separator: "\n").first { $0.hasPrefix("sonde_http_long_polls ") }
        return line?.split(separator: " ").last.flatMap { Int($0) } ?? -1
    }

    private func counter(_ reason: String, _ count: UInt64) -> Counter {
        var counter = Counter()
        counter.reason = reason
        counter.count = count
        return counter
    }
}

/// A small C program with debug info, compiled for the test.
struct CompiledBet {
    let bytes: [UInt8]
    let buildID: BuildID
    /// The line with the statement.
    let line: UInt32 = 6

    static let source = """
        #include <stdio.h>
        #include <stdlib.h>

        __attribute__((noinline)) int settle(int stake, const char *user) {
            int odds = stake * 3;
            printf("%d %s\\n", odds, user);
            return odds;
        }

        int main(int argc, char **argv) { return settle(argc, argv[0]) & 1; }
        """

    /// Compiles it; clang notes the MD5 of the text in the debug info, gcc does not.
    init(by name: String = "cc") throws {
        let folder = NSTemporaryDirectory() + "sonde-bet-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Self.source.write(toFile: folder + "/bet.c", atomically: true, encoding: .utf8)
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments = [
            name, "-gdwarf-5", "-O0", "-Wl,--build-id", "-o", folder + "/bet", folder + "/bet.c",
        ]
        try compiler.run()
        compiler.waitUntilExit()
        bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/bet")))
        // The build id's note: its name "GNU", its kind 3, twenty bytes.
        let note: [UInt8] = [4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4E, 0x55, 0]
        guard let start = bytes.firstRange(of: note)?.upperBound,
            let id = BuildID(bytes: Array(bytes[start..<start + 20]))
        else { throw CocoaError(.fileReadCorruptFile) }
        buildID = id
    }

    /// The image as an agent names it.
    var module: Module {
        var module = Module()
        module.path = "/opt/bet"
        module.buildID = buildID.description
        return module
    }
}
