// SPDX-License-Identifier: Apache-2.0
// A source file with the cost of each line; a probe that is only tried; who changed what.

import Foundation
import SondeFormats
import SondeModel
import SondeServer
import SondeSymbols
import Testing

@Suite struct SourceTests {
    private let folder = DataPlace()
    private let roots = DataPlace()
    private let controller: TestController
    private let image: CompiledBet

    init() throws {
        let roots = roots.path
        controller = try TestController(in: folder) {
            $0.sourceRoots = [roots]
            $0.sourceLink = "https://forge.example.com/{version}/{path}#L{line}"
        }
        image = try CompiledBet()
        try FileManager.default.createDirectory(atPath: roots, withIntermediateDirectories: true)
    }

    private func bringUp() throws {
        try controller.register("one", modules: [image.module])
        let put = try controller.send(
            "PUT", "/api/v1/debuginfo/\(image.buildID)", body: image.bytes)
        #expect(put.status == 200, "\(put.message)")
    }

    /// Sends samples whose instruction is the beginning of a line.
    private func sample(line: UInt32, value: Int64) throws {
        let path = folder.path + "/bet.elf"
        try Data(image.bytes).write(to: URL(fileURLWithPath: path))
        let debug = try ProbeImage(path: path)
        let file = try #require(debug.files(matching: "bet.c").first)
        let place = try #require(debug.places(file: file, line: line).first)
        let offset = try #require(try ElfImage(path: path).offset(of: place.address))
        var tree = LocationTree()
        let id = ImageID(buildID: image.buildID, path: "/opt/bet")
        tree.add(value, rootFirst: [Location.address(image: id, offset: offset)])
        let now = Int64(Date().timeIntervalSince1970 * 1e9)
        let description = PprofDocument.Description(
            type: .cpu, start: Timestamp(unixNanoseconds: now), durationNanoseconds: 10_000_000_000)
        let answer = try controller.send(
            "POST", pushTarget, headers: [("Content-Type", "application/proto")],
            body: push(PprofDocument(tree, description).encode()))
        #expect(answer.status == 200, "\(answer.message)")
    }

    private func source(_ query: String) throws -> Answer {
        try controller.send("GET", "/api/v1/source?\(query)")
    }

    @Test func aFileIsShownWithTheCostOfItsLines() throws {
        try bringUp()
        try sample(line: 6, value: 90_000_000)
        try sample(line: 7, value: 10_000_000)
        try "int a;\nint b;\n".write(
            toFile: roots.path + "/bet.c", atomically: true, encoding: .utf8)
        let answer = try source("service=bookmaker&file=bet.c")
        #expect(answer.status == 200, "\(answer.message)")
        #expect(answer.json["total"] as? Int == 100_000_000)
        #expect(answer.json["inFile"] as? Int == 100_000_000)
        #expect(answer.json["ofFunctions"] as? Int == 100_000_000)
        #expect(answer.json["withoutLine"] as? Int == 0 && answer.json["ofOthers"] as? Int == 0)
        #expect(answer.json["text"] as? String == "int a;\nint b;\n")
        #expect(answer.json["link"] as? String == "https://forge.example.com/HEAD/bet.c#L{line}")
        let lines = try #require(answer.json["lines"] as? [[String: Any]])
        let six = try #require(lines.first { $0["line"] as? Int == 6 })
        #expect(six["self"] as? Int == 90_000_000 && six["total"] as? Int == 90_000_000)
        #expect(six["code"] as? Bool == true)
        #expect((six["hitsPerSecond"] as? Double ?? 0) > 1000)
        #expect(lines.contains { $0["line"] as? Int == 5 && $0["self"] as? Int == 0 })
        // The text has two lines, and the program code on ten.
        let notes = try #require(answer.json["notes"] as? [String])
        #expect(notes.contains { $0.contains("not that of this build") }, "\(notes)")
        let builds = answer.json["builds"] as? [[String: Any]]
        #expect(builds?.first?["buildID"] as? String == image.buildID.description)
    }

    @Test func withoutATextTheLineTableServes() throws {
        try bringUp()
        let answer = try source("service=bookmaker&file=bet.c")
        #expect(answer.status == 200, "\(answer.message)")
        #expect(answer.json["text"] == nil)
        #expect((answer.json["lines"] as? [Any])?.isEmpty == false)
        #expect((answer.json["notes"] as? [String])?.first?.contains("source.roots") == true)
    }

    @Test func onlyFilesThatDebugInfoNamesAreRead() throws {
        try bringUp()
        try "secret".write(toFile: roots.path + "/key.c", atomically: true, encoding: .utf8)
        for file in ["key.c", "../bet.c", "/etc/passwd", "..%2F..%2Fetc%2Fpasswd", "."] {
            let answer = try source("service=bookmaker&file=\(file)")
            #expect(answer.status == 404, "\(file): \(answer.status)")
            #expect(!answer.text.contains("secret") && !answer.text.contains("root:"))
        }
        #expect(try source("service=bookmaker").status == 400)
        #expect(try source("file=bet.c").status == 400)
        #expect(try source("service=other&file=bet.c").status == 404)
    }

    @Test func aProbeCanBeTriedWithoutAddingIt() throws {
        try bringUp()
        let good = try tryOut(["template": "{stake}"])
        #expect(good.status == 200, "\(good.message)")
        let build = try #require((good.json["builds"] as? [[String: Any]])?.first)
        #expect(build["instances"] as? Int == 1 && build["sites"] as? Int == 1)
        let bad = try tryOut(["template": "{stke}"])
        #expect(bad.status == 400 && bad.json["reason"] as? String == "unknown_name")
        let probes = try controller.send("GET", "/api/v1/probes").json["probes"] as? [Any]
        #expect(probes?.isEmpty == true)
    }

    @Test func historyTellsWhoDidWhatAndWhy() throws {
        try bringUp()
        let id = try #require(
            try tryOut(["template": "{stake}", "reason": "odd stakes"], dryRun: false).json["id"]
                as? String)
        _ = try controller.send("POST", "/api/v1/probes/\(id)/disable")
        _ = try controller.send("DELETE", "/api/v1/probes/\(id)")
        func whats(_ query: String) throws -> [String] {
            let json = try controller.send("GET", "/api/v1/history?\(query)").json
            return (json["entries"] as? [[String: Any]] ?? []).compactMap { $0["what"] as? String }
        }
        let all = try whats("probe=\(id)")
        #expect(all.map { $0.prefix(while: { $0 != " " }) } == ["removed", "disabled", "added"])
        #expect(all.last?.contains("because: odd stakes") == true)
        #expect(try whats("service=bookmaker").count == 3)
        #expect(try whats("service=book").isEmpty)
        #expect(try whats("probe=p-none").isEmpty)
        #expect(try whats("limit=1").count == 1)
    }

    private func tryOut(_ members: [String: Any], dryRun: Bool = true) throws -> Answer {
        var body: [String: Any] = ["location": "bet.c:6", "service": "bookmaker"]
        body.merge(members) { $1 }
        return try controller.send(
            "POST", "/api/v1/probes\(dryRun ? "?dryRun=true" : "")",
            headers: [("Content-Type", "application/json")],
            body: Array(try JSONSerialization.data(withJSONObject: body)))
    }
}
