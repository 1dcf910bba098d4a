// SPDX-License-Identifier: Apache-2.0
// Loki's questions get Loki's answers, byte by byte where Grafana reads them so.

import Foundation
import SondeAPI
import SondeModel
import SondeServer
import SondeWire
import Testing

@Suite struct LokiQueryTests {
    /// A controller with a few lines at fixed times of the last minutes.
    private func filled() throws -> (controller: TestController, start: Int64) {
        let controller = try TestController()
        let start = Timestamp.now.unixNanoseconds / 1_000_000_000 * 1_000_000_000 - 100_000_000_000
        func entry(_ second: Int64, _ line: String, _ metadata: [String: String] = [:]) -> LogEntry
        {
            var set = LabelSet()
            for (name, value) in metadata { set = set.setting(name, to: value) }
            return LogEntry(
                time: Timestamp(unixNanoseconds: start + second * 1_000_000_000), line: line,
                metadata: set)
        }
        let shop = LabelSet().setting("service_name", to: "shop")
        let streams = [
            LogStream(
                labels: shop.setting("level", to: "info"),
                entries: [
                    entry(0, "settle 1", ["probe_id": "p-1", "total": "5"]),
                    entry(2, "settle 2 <b>&", ["probe_id": "p-1", "total": "50"]),
                    entry(4, "other", ["probe_id": "p-2"]),
                ]),
            LogStream(labels: shop.setting("level", to: "error"), entries: [entry(3, "failed")]),
            LogStream(
                labels: LabelSet().setting("service_name", to: "web"), entries: [entry(1, "GET /")]),
        ]
        let answer = try controller.send(
            "POST", lokiPush, headers: [("Content-Type", "application/json")],
            body: LokiPushJSON.encode(streams))
        try #require(answer.status == 204)
        return (controller, start)
    }

    /// An answer without the figures, which differ from run to run.
    private func withoutFigures(_ answer: Answer) -> String {
        answer.text.replacing(/,"stats":\{.*/, with: "}}")
    }

    @Test(arguments: Transport.allCases)
    func streamsAreEncodedAsLokiDoes(_ transport: Transport) throws {
        let (controller, start) = try filled()
        let query = [("query", #"{service_name="shop"} |= "settle""#)]
        let merged = try controller.loki("query_range", query, over: transport)
        #expect(merged.header("content-type") == "application/json")
        #expect(
            withoutFigures(merged) == """
                {"status":"success","data":{"resultType":"streams","result":[\
                {"stream":{"detected_level":"info","level":"info","probe_id":"p-1",\
                "service_name":"shop","total":"5"},"values":[["\(start)","settle 1"]]},\
                {"stream":{"detected_level":"info","level":"info","probe_id":"p-1",\
                "service_name":"shop","total":"50"},"values":[["\(start + 2_000_000_000)",\
                "settle 2 <b>&"]]}]}}
                """)
        let categorized = try controller.loki(
            "query_range", query,
            headers: [("X-Loki-Response-Encoding-Flags", "categorize-labels")], over: transport)
        #expect(
            withoutFigures(categorized) == """
                {"status":"success","data":{"resultType":"streams",\
                "encodingFlags":["categorize-labels"],"result":[\
                {"stream":{"level":"info","service_name":"shop"},"values":[\
                ["\(start + 2_000_000_000)","settle 2 <b>&",{"structuredMetadata":\
                {"detected_level":"info","probe_id":"p-1","total":"50"}}],\
                ["\(start)","settle 1",{"structuredMetadata":\
                {"detected_level":"info","probe_id":"p-1","total":"5"}}]]}]}}
                """)
        let summary = try #require(
            (merged.data["stats"] as? [String: Any])?["summary"] as? [String: Any])
        #expect(summary["totalLinesProcessed"] as? Int == 4)
        #expect(summary["totalEntriesReturned"] as? Int == 2)
        let none = try controller.loki("query_range", [("query", #"{service_name="none"}"#)])
        #expect(
            withoutFigures(none)
                == #"{"status":"success","data":{"resultType":"streams","result":[]}}"#)
    }

    @Test func directionLimitAndRangeCutAsLokiDoes() throws {
        let (controller, start) = try filled()
        let all = #"{service_name=~".+"}"#
        let second = { (number: Int64) in "\(start + number * 1_000_000_000)" }
        #expect(try controller.found(all, [("limit", "2")]).sorted() == ["failed", "other"])
        #expect(
            try controller.found(all, [("limit", "2"), ("direction", "FORWARD")]).sorted()
                == ["GET /", "settle 1"])
        // The end is not part of the range, the start is.
        #expect(
            try controller.found(all, [("start", second(1)), ("end", second(3))]).sorted()
                == ["GET /", "settle 2 <b>&"])
        #expect(try controller.found(all, [("since", "30s")]) == [])
        #expect(try controller.found(all, [("since", "1h")]).count == 5)
        let seconds = start / 1_000_000_000
        #expect(
            try controller.found(all, [("start", "\(seconds + 3)"), ("end", "\(seconds + 4).5")])
                .count == 2)
        let date = ISO8601DateFormatter().string(
            from: Date(timeIntervalSince1970: Double(seconds + 4)))
        #expect(try controller.found(all, [("start", date)]) == ["other"])
        let shifted = date.replacingOccurrences(of: "Z", with: ".5+00:00")
        #expect(try controller.found(all, [("start", shifted)]) == [])
        #expect(try controller.found(#"{service_name="shop"} | total > 10"#) == ["settle 2 <b>&"])
        #expect(try controller.found(#"{service_name="shop"} | probe_id="p-2""#) == ["other"])
    }

    @Test(arguments: [
        ([("query", "")], "cannot read LogQL"), ([("query", "{}")], "at least one matcher"),
        ([("query", #"{a="b"} | json"#)], "the stage | json"),
        ([("query", #"{a="b"}"#), ("limit", "5001")], "(5001 > 5000)"),
        ([("query", #"{a="b"}"#), ("limit", "0")], "above 0"),
        ([("query", #"{a="b"}"#), ("limit", "x")], "above 0"),
        ([("query", #"{a="b"}"#), ("direction", "up")], "backward or forward"),
        ([("query", #"{a="b"}"#), ("start", "yesterday")], "cannot read start"),
        ([("query", #"{a="b"}"#), ("start", "2026-13-01T00:00:00Z")], "cannot read start"),
        ([("query", #"{a="b"}"#), ("since", "-5m")], "cannot read since"),
        (
            [("query", #"{a="b"}"#), ("start", "5"), ("end", "4")],
            "end timestamp must not be before"
        ),
    ])
    func mistakesAreSaidInPlainText(query: [(String, String)], words: String) throws {
        let controller = try TestController()
        let answer = try controller.loki("query_range", query)
        #expect(answer.status == 400)
        #expect(answer.header("content-type") == "text/plain; charset=utf-8")
        #expect(answer.text.contains(words), "\(answer.text)")
    }

    @Test func formsAreTakenToo() throws {
        let (controller, _) = try filled()
        let answer = try controller.send(
            "POST", "/loki/api/v1/query_range",
            headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array("query=%7Bservice_name%3D%22web%22%7D&limit=10".utf8))
        #expect(answer.lokiLines == ["GET /"])
        let other = try controller.send(
            "POST", "/loki/api/v1/query_range", headers: [("Content-Type", "text/plain")],
            body: Array("query=x".utf8))
        #expect(other.status == 400)
    }

    @Test func aFieldThatIsNoNumberIsMarked() throws {
        let (controller, _) = try filled()
        let answer = try controller.loki(
            "query_range", [("query", #"{service_name="shop"} | probe_id > 5"#)])
        #expect(answer.text.contains(#""__error__":"LabelFilterErr""#))
        let categorized = try controller.loki(
            "query_range", [("query", #"{service_name="shop"} | probe_id > 5"#)],
            headers: [("X-Loki-Response-Encoding-Flags", "x,categorize-labels")])
        #expect(categorized.text.contains(#""parsed":{"__error__":"LabelFilterErr""#))
    }

    @Test func grafanasHealthCheckIsAnswered() throws {
        let controller = try TestController()
        let answer = try controller.loki(
            "query", [("query", "vector(1)+vector(1)"), ("time", "1795219980.5")])
        #expect(
            answer.text == """
                {"status":"success","data":{"resultType":"vector","result":[\
                {"metric":{},"value":[1795219980.5,"2"]}],"stats":{"summary":{}}}}
                """)
        for (text, value) in [
            ("1+1", "2"), ("vector(2) * (3 - 1) ^ 2", "8"), ("1/0", "+Inf"), ("0.5", "0.5"),
            ("2^3^2", "512"), ("7 % 4", "3"),
        ] {
            #expect(try controller.loki("query", [("query", text)]).text.contains(",\"\(value)\"]"))
        }
        for (text, words) in [
            (#"{a="b"}"#, "log queries are not supported as an instant query type"),
            ("topk(2, vector(1))", "want a number"), ("vector(x)", "want a number"),
            ("1 +", "want a number"), ("", "want a number"), ("1 2", "one of + -"),
        ] {
            let refused = try controller.loki("query", [("query", text)])
            #expect(refused.status == 400)
            #expect(refused.text.contains(words), "\(refused.text)")
        }
    }

    @Test func labelsSeriesAndSizesAreThoseOfTheStreams() throws {
        let (controller, start) = try filled()
        #expect(
            try controller.loki("labels").text
                == #"{"status":"success","data":["level","service_name"]}"#)
        #expect(
            try controller.loki("label/service_name/values").text
                == #"{"status":"success","data":["shop","web"]}"#)
        #expect(
            try controller.loki(
                "label/level/values", [("query", #"{service_name="shop"}"#)]
            ).text == #"{"status":"success","data":["error","info"]}"#)
        #expect(try controller.loki("label/none/values").text == #"{"status":"success"}"#)
        #expect(try controller.loki("labels", [("end", "1000")]).text == #"{"status":"success"}"#)
        #expect(
            try controller.loki("series", [("match[]", #"{level="error"}"#)]).text
                == #"{"status":"success","data":[{"level":"error","service_name":"shop"}]}"#)
        let all = try controller.loki("series").json["data"] as? [Any]
        #expect(all?.count == 3)
        #expect(
            try controller.loki(
                "series", [("match[]", #"{service_name="none"}"#), ("start", "\(start)")]
            ).text == #"{"status":"success","data":[]}"#)
        #expect(
            try controller.loki("index/stats", [("query", #"{service_name="shop"}"#)]).text
                == #"{"streams":2,"chunks":2,"bytes":32,"entries":4}"#)
        let build = try controller.loki("status/buildinfo")
        #expect(build.json["version"] as? String == SondeVersion.current)
        #expect(build.json["status"] == nil, "bare, without Loki's envelope")
        #expect(try controller.loki("patterns").status == 404)
    }

    @Test func theAnswerIsBounded() throws {
        let controller = try TestController {
            $0.limits.logAnswerLines = 10
            $0.limits.logAnswerBytes = 5000
        }
        let line = String(repeating: "x", count: 1000)
        try controller.pushLines(["app": "a"], (0..<8).map { (Double($0), line + "\($0)") })
        let most = try controller.loki("query_range", [("query", #"{app="a"}"#), ("limit", "11")])
        #expect(most.status == 400)
        let tooMuch = try controller.loki("query_range", [("query", #"{app="a"}"#)])
        #expect(tooMuch.status == 429)
        #expect(tooMuch.text.contains("more than 5000 bytes"))
        #expect(
            try controller.found(#"{app="a"}"#, [("limit", "4")]).count == 4)
    }
}
