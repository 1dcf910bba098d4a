// SPDX-License-Identifier: Apache-2.0
// Source files that were uploaded: shown with the cost of each line, marked when they are others,
// listed, removed, and refused in words.

import Foundation
import SondeAPI
import SondeFormats
import SondeModel
import SondeServer
import SondeWire
import Testing

@Suite struct SourceBundleEndpointTests {
    private let image: CompiledBet

    init() throws { image = try CompiledBet(by: "clang") }

    private func bringUp(_ adjust: (inout ServerConfiguration) -> Void = { _ in }) throws
        -> TestController
    {
        let controller = try TestController(adjust)
        try controller.register("one", modules: [image.module])
        let put = try controller.send(
            "PUT", "/api/v1/debuginfo/\(image.buildID)", body: image.bytes)
        #expect(put.status == 200, "\(put.message)")
        return controller
    }

    private static func tar(_ files: [String: String], modified: Int64 = 1000) -> [UInt8] {
        SourceBundle(
            files.map { .init(path: $0.key, bytes: Array($0.value.utf8), modified: modified) }
        ).tar
    }

    private func push(
        _ body: [UInt8], to controller: TestController, _ query: String = "",
        headers: [(String, String)] = []
    ) throws -> Answer {
        try controller.send(
            "PUT", "/api/v1/sources/\(image.buildID)\(query)", headers: headers, body: body)
    }

    private func shown(by controller: TestController) throws -> (
        text: String?, source: [String: Any], notes: [String]
    ) {
        let answer = try controller.send("GET", "/api/v1/source?service=bookmaker&file=bet.c")
        #expect(answer.status == 200, "\(answer.message)")
        return (
            answer.json["text"] as? String, answer.json["source"] as? [String: Any] ?? [:],
            answer.json["notes"] as? [String] ?? []
        )
    }

    @Test func aBundleGivesTheTextAndItsMD5IsCompared() throws {
        let controller = try bringUp()
        #expect(try shown(by: controller).text == nil)
        let body = try Gzip.compress(
            Self.tar(["src/bet.c": "int other;\n", "bet.c": CompiledBet.source]))
        let answer = try push(
            body, to: controller, "?service=bookmaker", headers: [("Content-Encoding", "gzip")])
        #expect(answer.status == 200, "\(answer.message)")
        #expect(answer.json["files"] as? Int == 2)
        let good = try shown(by: controller)
        #expect(good.text == CompiledBet.source)
        #expect(good.source["from"] as? String == "bundle")
        #expect(good.source["state"] as? String == "verified")
        #expect(good.source["buildID"] as? String == image.buildID.description)
        #expect(good.notes.isEmpty, "\(good.notes)")
        // Another text is shown nevertheless, and marked.
        #expect(try push(Self.tar(["bet.c": "int other;\n"]), to: controller).status == 200)
        let bad = try shown(by: controller)
        #expect(bad.text == "int other;\n" && bad.source["state"] as? String == "changed")
        #expect(bad.notes.contains { $0.contains("MD5") && $0.contains("the bundle of build") })
    }

    @Test func foldersComeFirstUnlessTheirTextIsAnother() throws {
        let roots = DataPlace()
        try FileManager.default.createDirectory(
            atPath: roots.path, withIntermediateDirectories: true)
        let path = roots.path
        let controller = try bringUp { $0.sourceRoots = [path] }
        func write(_ text: String) throws {
            try text.write(toFile: path + "/bet.c", atomically: true, encoding: .utf8)
        }
        try write(CompiledBet.source)
        #expect(try push(Self.tar(["bet.c": CompiledBet.source]), to: controller).status == 200)
        #expect(try shown(by: controller).source["from"] as? String == "folder")
        try write("int edited;\n")
        let source = try shown(by: controller)
        #expect(source.source["from"] as? String == "bundle" && source.notes.isEmpty)
        // Where all are others, the folder's is shown.
        #expect(try push(Self.tar(["bet.c": "int third;\n"]), to: controller).status == 200)
        let other = try shown(by: controller)
        #expect(other.text == "int edited;\n" && other.source["state"] as? String == "changed")
        #expect(other.notes.contains { $0.contains("source.roots") })
    }

    @Test func withoutAnMD5TheTimeCounts() throws {
        let image = try CompiledBet()
        let controller = try TestController()
        try controller.register("one", modules: [image.module])
        _ = try controller.send("PUT", "/api/v1/debuginfo/\(image.buildID)", body: image.bytes)
        func state(modified: Int64, _ query: String) throws -> String? {
            let put = try controller.send(
                "PUT", "/api/v1/sources/\(image.buildID)\(query)",
                body: Self.tar(["bet.c": "int a;\n"], modified: modified))
            #expect(put.status == 200, "\(put.message)")
            return try shown(by: controller).source["state"] as? String
        }
        #expect(try state(modified: 1000, "?built=1000500") == "unchecked")
        #expect(try state(modified: 1001, "?built=1000500") == "newer")
        #expect(try state(modified: 5000, "") == "unchecked")
    }

    @Test func whereShowsTheLinesText() throws {
        let controller = try bringUp()
        #expect(try push(Self.tar(["bet.c": CompiledBet.source]), to: controller).status == 200)
        let answer = try controller.send("GET", "/api/v1/where?service=bookmaker&location=bet.c:6")
        let build = try #require((answer.json["builds"] as? [[String: Any]])?.first)
        #expect(build["text"] as? String == #"    printf("%d %s\n", odds, user);"#)
        #expect(build["note"] == nil)
    }

    @Test func bundlesAreListedCountedAndRemoved() throws {
        let controller = try bringUp()
        #expect(
            try push(Self.tar(["bet.c": "a\n", "b.swift": "b\n"]), to: controller).status == 200)
        let list = try controller.send("GET", "/api/v1/sources")
        let bundle = try #require((list.json["bundles"] as? [[String: Any]])?.first)
        #expect(bundle["files"] as? Int == 2 && bundle["textBytes"] as? Int == 4)
        #expect(bundle["by"] as? String == "loopback")
        let store = try controller.send("GET", "/api/v1/store").json["sources"] as? [String: Any]
        #expect(store?["bundles"] as? Int == 1 && store?["texts"] as? Int == 2)
        let metrics = try controller.send("GET", "/metrics").text
        #expect(metrics.contains("sonde_source_bundles 1\n"))
        #expect(metrics.contains("sonde_source_uploads_total{result=\"stored\"} 1\n"))
        let remove = { try controller.send("DELETE", "/api/v1/sources/\(image.buildID)") }
        #expect(try remove().status == 200)
        let again = try remove()
        #expect(again.status == 404 && again.message.contains("want one that has a bundle"))
        #expect(try shown(by: controller).text == nil)
    }

    @Test func theOldestGoWhenThereIsNoRoom() throws {
        let controller = try bringUp { $0.sourceBundleBytes = 400 }
        let other = String(repeating: "ab", count: 20)
        _ = try controller.send(
            "PUT", "/api/v1/sources/\(other)", body: Self.tar(["a.c": "a", "b.c": "b"]))
        let second = try push(Self.tar(["a.c": "c", "b.c": "d"]), to: controller)
        #expect(second.json["removed"] as? [String] == [other])
        #expect(controller.lines.all.joined(separator: "\n").contains("sources removed"))
        let third = try push(
            Self.tar(Dictionary(uniqueKeysWithValues: (0..<9).map { ("\($0).c", "x") })),
            to: controller)
        #expect(third.status == 413 && third.message.contains("want at most 400"))
    }

    @Test func whatIsHostileIsRefusedInTheSameWordsEverywhere() throws {
        let controller = try bringUp { $0.limits.sourceBytes = 100_000 }
        let good = Self.tar(["a.c": "a"])
        let cases: [([UInt8], Int, String)] = [
            (Self.tar(["../leak.c": "x"]), 400, "want one below the bundle's folder"),
            (Self.tar(["/etc/leak.c": "x"]), 400, "want one below the bundle's folder"),
            (
                Array(good.dropLast(1024)) + good, 400,
                "got \"a.c\" twice; want each file once"
            ),
            (Array(good.prefix(700)), 400, "cut off"), (Array("no tar".utf8), 400, "cut off"),
            (Self.tar(["notes.txt": "x"]), 400, "want one at least"), ([], 400, "cut off"),
            (Self.tar(["a.c": String(repeating: "x", count: 100_000)]), 413, "want at most 100000"),
        ]
        for (body, status, words) in cases {
            let answer = try push(body, to: controller)
            #expect(answer.status == status && answer.message.contains(words), "\(answer.text)")
            // What is too large is refused before anybody looks at it.
            if status == 400 {
                #expect(
                    controller.lines.all.joined(separator: "\n").contains(
                        words.replacing("\"", with: "\\\"")))
            }
        }
        let bomb = try Gzip.compress([UInt8](repeating: 0, count: 10 << 20))
        let answer = try push(bomb, to: controller, headers: [("Content-Encoding", "gzip")])
        #expect(answer.status == 413)
        #expect(try push(good, to: controller, "?built=soon").status == 400)
        for path in ["xyz", "..", "%2e%2e%2fcontrol.db"] {
            let answer = try controller.send("PUT", "/api/v1/sources/\(path)", body: good)
            #expect(answer.status == 400 || answer.status == 404)
        }
        let list = try controller.send("GET", "/api/v1/sources")
        #expect((list.json["bundles"] as? [Any])?.isEmpty == true)
    }
}
