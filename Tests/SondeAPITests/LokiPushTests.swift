// SPDX-License-Identifier: Apache-2.0
// Log lines come in as Loki's clients send them.

import Foundation
import SondeAPI
import SondeModel
import SondeServer
import SondeSnappy
import SondeStore
import SondeWire
import Testing

@Suite struct LokiPushTests {
    private static let json = [("Content-Type", "application/json")]
    private static var now: Int64 { Timestamp.now.unixNanoseconds }

    private func push(_ body: String, to controller: TestController) throws -> Answer {
        try controller.send("POST", lokiPush, headers: Self.json, body: Array(body.utf8))
    }

    @Test(arguments: Transport.allCases, ["json", "json+gzip", "protobuf"])
    func aPushedLineIsFound(_ transport: Transport, _ form: String) throws {
        let controller = try TestController()
        let stream = LogStream(
            labels: LabelSet().setting("service_name", to: "shop").setting("level", to: "warn"),
            entries: [
                LogEntry(
                    time: .now, line: "a \"line\"\nü",
                    metadata: LabelSet().setting("trace_id", to: "ab"))
            ])
        var headers = Self.json
        var body = LokiPushJSON.encode([stream])
        if form == "json+gzip" {
            headers.append(("Content-Encoding", "gzip"))
            body = try Gzip.compress(body)
        }
        if form == "protobuf" {
            headers = [
                ("Content-Type", "application/x-protobuf"), ("Content-Encoding", "snappy"),
                ("X-Scope-OrgID", "anyone"),
            ]
            body = try Snappy.compress(LokiPushRequest([stream]).encode())
        }
        let answer = try controller.send(
            "POST", lokiPush, over: transport, headers: headers, body: body)
        #expect(answer.status == 204, "\(answer.text)")
        #expect(answer.body.isEmpty)
        let found = try controller.loki("query_range", [("query", #"{service_name="shop"}"#)])
        #expect(found.lokiLines == ["a \"line\"\nü"])
        #expect(
            found.lokiStreams.first?["stream"] as? [String: String]
                == [
                    "service_name": "shop", "level": "warn", "trace_id": "ab",
                    "detected_level": "warn",
                ])
    }

    @Test func whatLokiPassesOverIsPassedOver() throws {
        let controller = try TestController()
        let answer = try push(
            """
            {"unknown": [{"x": null}], "streams": [null, {"stream": {"app": "web"}, "other": 1,
             "values": [null, ["\(Self.now)", "one"], ["\(Self.now)", "two", {"a.b": "c"}]]},
             {"stream": {"app": "none"}, "values": null}]}
            """, to: controller)
        #expect(answer.status == 204, "\(answer.text)")
        let found = try controller.loki("query_range", [("query", #"{service_name="web"}"#)])
        #expect(found.lokiLines.sorted() == ["one", "two"])
        #expect(found.text.contains(#""a_b":"c""#), "names of metadata are made names")
    }

    @Test(arguments: [
        ("", "cannot read JSON"), ("{", "cannot read JSON"), ("[]", "want an object"),
        (#"{"streams":{}}"#, "want an array"),
        (#"{"streams":[{"stream":{"a":1},"values":[]}]}"#, "want a text"),
        (#"{"streams":[{"stream":{"a":"b"},"values":[["1"]]}]}"#, "a time and a text"),
        (#"{"streams":[{"stream":{"a":"b"},"values":[[1,"x"]]}]}"#, "want a text"),
        (#"{"streams":[{"stream":{"a":"b"},"values":[["1","x",{"k":2}]]}]}"#, "want a text"),
        (#"{"streams":[{"stream":{"a":"b"},"values":[["1","x",{},1]]}]}"#, "metadata"),
        (#"{"streams":[{"stream":{"a":"b"},"values":[["x","x"]]}]}"#, "want Unix nanoseconds"),
        (#"{"streams":[{"stream":{"0a":"b"},"values":[["1","x"]]}]}"#, #"the label name "0a""#),
        (#"{"streams":[{"stream":{"a b":"b"},"values":[["1","x"]]}]}"#, #"the label name "a b""#),
        (#"{"streams":[{"stream":{"a":"b"},"values":[["1","x"]]}]}"#, "want "),
        (#"{"streams":[{"stream":{"a":"b"},"values":[["9223372036854775807","x"]]}]}"#, "future"),
    ])
    func whatIsNoPushIsSaidInPlainText(body: String, words: String) throws {
        let controller = try TestController()
        let answer = try push(body, to: controller)
        #expect(answer.status == 400)
        #expect(answer.header("content-type") == "text/plain; charset=utf-8")
        #expect(answer.text.hasPrefix("cannot "), "\(answer.text)")
        #expect(answer.text.contains(words), "\(answer.text)")
    }

    @Test func ofNoLinesAtAllLokisAnswerIsGiven() throws {
        let controller = try TestController()
        for body in [#"{"streams":[]}"#, "{}", #"{"streams":[{"stream":{"a":"b"},"values":[]}]}"#] {
            let answer = try push(body, to: controller)
            #expect(answer.status == 422)
            #expect(answer.text == "error at least one valid stream is required for ingestion")
        }
        let empty = try controller.send("POST", lokiPush, body: try Snappy.compress([]))
        #expect(empty.status == 422)
    }

    @Test func goodLinesOfABadPushAreStored() throws {
        let controller = try TestController { $0.limits.logLineBytes = 1024 }
        let long = String(repeating: "x", count: 1025)
        let answer = try push(
            """
            {"streams": [{"stream": {"app": "a"}, "values": [["\(Self.now)", "good"],
             ["\(Self.now)", "\(long)"], ["\(Self.now)", "\(long)y"], ["1", "old"]]},
             {"stream": {"-": "b"}, "values": [["\(Self.now)", "nowhere"]]}]}
            """, to: controller)
        #expect(answer.status == 400)
        #expect(answer.text.contains("got 1025 bytes; want at most 1024 (2 lines)"))
        #expect(answer.text.contains("it is of 1970-01-01"))
        #expect(answer.text.contains(#"the label name "-""#))
        #expect(try controller.found(#"{service_name=~".+"}"#) == ["good"])
        let metrics = try controller.send("GET", "/metrics").text
        #expect(
            metrics.contains(#"sonde_ingest_rejected_log_lines_total{reason="line_too_long"} 2"#))
        #expect(metrics.contains("sonde_ingest_log_lines_total 1\n"))
        #expect(metrics.contains("sonde_log_store_lines 1\n"))
    }

    @Test func limitsAreToldWithTheirNumbers() throws {
        let controller = try TestController { $0.limits.logMetadata = 3 }
        let labels = (0..<16).map { #""l\#($0)":"v""# }.joined(separator: ",")
        let many = try push(
            #"{"streams":[{"stream":{\#(labels)},"values":[["\#(Self.now)","x"]]}]}"#,
            to: controller)
        #expect(many.status == 400)
        #expect(many.text.contains("got 16 labels; want at most 15"))
        let metadata = (0..<4).map { #""m\#($0)":"v""# }.joined(separator: ",")
        let more = try push(
            #"{"streams":[{"stream":{"a":"b"},"values":[["\#(Self.now)","x",{\#(metadata)}]]}]}"#,
            to: controller)
        #expect(more.status == 400)
        #expect(more.text.contains("got 4 names of structured metadata"))
    }

    @Test func tooMuchAtATimeIs429AndLaterIsTaken() throws {
        let controller = try TestController {
            $0.limits.logBytesPerSecond = 100_000
            $0.limits.pushBytes = 300_000
        }
        let line = String(repeating: "x", count: 200_000)
        var statuses: Set<Int> = []
        for number in 0..<4 {
            let answer = try controller.pushLines(["app": "a"], [(Double(number), line)])
            statuses.insert(answer.status)
            guard answer.status == 429 else { continue }
            #expect(answer.text.contains("more than 100000 bytes a second"))
            #expect(answer.header("retry-after") == "1")
        }
        #expect(statuses == [204, 429])
        let isTaken = try eventually {
            try controller.pushLines(["app": "a"], [(9, "short")]).status == 204
        }
        #expect(isTaken)
    }

    @Test func tooManyStreamsAre429() throws {
        let controller = try TestController { $0.limits.logStreams = 2 }
        for app in ["a", "b"] {
            #expect(try controller.pushLines(["app": app], [(0, "x")]).status == 204)
        }
        let answer = try controller.pushLines(["app": "c"], [(0, "x")])
        #expect(answer.status == 429)
        #expect(answer.text.contains("limits.log_streams"))
    }

    @Test func compressedBombsAreRefused() throws {
        let controller = try TestController { $0.limits.pushBytes = 100_000 }
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let snappy = try controller.send("POST", lokiPush, body: try Snappy.compress(zeros))
        #expect(snappy.status == 413)
        let gzip = try controller.send(
            "POST", lokiPush, headers: Self.json + [("Content-Encoding", "gzip")],
            body: try Gzip.compress(zeros))
        #expect(gzip.status == 413)
        let other = try controller.send(
            "POST", lokiPush, headers: Self.json + [("Content-Encoding", "br")], body: [1])
        #expect(other.status == 501)
        let garbage = try controller.send("POST", lokiPush, body: Array("garbage".utf8))
        #expect(garbage.status == 400)
        let message = try controller.send(
            "POST", lokiPush, body: try Snappy.compress(Array("\u{FF}garbage".utf8)))
        #expect(message.status == 400)
        #expect(message.text.hasPrefix("cannot read protobuf"))
    }

    @Test func tokensDecideWhoMayPushAndRead() throws {
        let folder = DataPlace()
        var tokens: [Role: String] = [:]
        do {
            let control = try ControlStore(DataFolder(folder.path))
            for role in [Role.agent, .viewer, .developer] {
                tokens[role] = try control.createToken(
                    name: role.rawValue, role: role, expires: nil, by: "test", now: .now
                ).text
            }
        }
        let controller = try TestController(in: folder) { $0.requiresToken = true }
        for (role, pushes, reads) in [
            (Role.agent, 204, 403), (.viewer, 403, 200), (.developer, 204, 200),
        ] {
            let header = [("Authorization", "Bearer \(tokens[role] ?? "")")]
            #expect(
                try controller.pushLines(["app": "a"], [(0, "x")], headers: header).status == pushes
            )
            #expect(try controller.loki("labels", headers: header).status == reads)
        }
        let anonymous = try controller.pushLines(["app": "a"], [(0, "x")])
        #expect(anonymous.status == 401)
        #expect(anonymous.header("content-type") == "text/plain; charset=utf-8")
    }

    @Test(arguments: [
        ("info", #"{"level":"ERR"}"#, "info"), ("", "level=WARN msg=x", "warn"),
        ("", #"{"a":{"severity":"Error"}}"#, "error"), ("", #"{"a":1,"lvl":"dbg"}"#, "debug"),
        ("", "Something FATAL: error", "fatal"), ("", "a warning", "warn"),
        ("", "nothing", "unknown"),
        ("", "informal", "unknown"), ("", #"{"level": "info""#, "info"), ("odd", "x", "unknown"),
    ])
    func levelsAreDetectedAsLokiDoes(label: String, line: String, level: String) throws {
        let controller = try TestController()
        try controller.pushLines(["app": "a", "level": label], [(0, line)])
        let found = try controller.loki("query_range", [("query", #"{app="a"}"#)])
        let labels = found.lokiStreams.first?["stream"] as? [String: String]
        #expect(labels?["detected_level"] == level)
    }
}
