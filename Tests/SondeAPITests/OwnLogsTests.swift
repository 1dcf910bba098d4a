// SPDX-License-Identifier: Apache-2.0
// Log lines in Sonde's own form.

import Foundation
import SondeAPI
import SondeServer
import Testing

@Suite struct OwnLogsTests {
    @Test(arguments: Transport.allCases)
    func linesAreAnsweredOldestFirstWithWhetherThereAreMore(_ transport: Transport) throws {
        let controller = try TestController()
        try controller.pushLines(
            ["service_name": "shop"], (0..<5).map { (Double(50 - $0), "line \($0)") },
            metadata: ["probe_id": "p-1"])
        try controller.pushLines(["service_name": "web"], [(7200, "long ago")])
        func lines(_ query: String) throws -> (lines: [String], more: Bool) {
            let answer = try controller.send("GET", "/api/v1/logs" + query, over: transport)
            #expect(answer.status == 200, "\(answer.text)")
            let lines = answer.json["lines"] as? [[String: Any]] ?? []
            return (
                lines.compactMap { $0["line"] as? String }, answer.json["more"] as? Bool ?? true
            )
        }
        #expect(try lines("") == ((0..<5).map { "line \($0)" }, false))
        #expect(try lines("?query=shop&limit=2") == (["line 3", "line 4"], true))
        #expect(try lines("?query=shop&limit=2&keep=oldest") == (["line 0", "line 1"], true))
        #expect(try lines("?query=shop&limit=5") == ((0..<5).map { "line \($0)" }, false))
        #expect(try lines("?query=web") == ([], false))
        #expect(try lines("?query=web&from=now-3h") == (["long ago"], false))
        #expect(
            try lines("?query=%7Bservice_name%3D%22shop%22%7D%7C%3D%221%22") == (["line 1"], false))
        let answer = try controller.send("GET", "/api/v1/logs?query=shop&limit=1", over: transport)
        #expect(answer.text.contains(#""labels":{"service_name":"shop"}"#))
        #expect(answer.text.contains(#""probe_id":"p-1""#))
    }

    @Test(arguments: [
        ("limit=0", "want 1...5000"), ("limit=5001", "want 1...5000"),
        ("keep=x", "newest or oldest"),
        ("query=%7B", "cannot read LogQL"), ("from=x", "cannot read time"),
        ("query=%7Ba%3D%22b%22%7D%7Cjson", "the stage | json"),
    ])
    func mistakesAreSaid(query: String, words: String) throws {
        let controller = try TestController()
        let answer = try controller.send("GET", "/api/v1/logs?" + query)
        #expect(answer.status == 400)
        #expect(answer.code == "invalid_argument")
        #expect(answer.message.contains(words), "\(answer.message)")
    }
}
