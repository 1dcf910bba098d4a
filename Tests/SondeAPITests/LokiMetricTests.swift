// SPDX-License-Identifier: Apache-2.0
// Loki's metric queries as Grafana's Explore sends them, answered as Loki answers.

import Foundation
import SondeAPI
import SondeModel
import SondeServer
import SondeWire
import Testing

@Suite struct LokiMetricTests {
    /// A controller with four lines; the first is at a whole minute.
    private func filled() throws -> (controller: TestController, minute: Int64) {
        let controller = try TestController()
        let minute = Timestamp.now.unixNanoseconds / 60_000_000_000 * 60 - 300
        let stream = { (level: String, entries: [(Int64, String)]) in
            LogStream(
                labels: LabelSet().setting("service_name", to: "shop").setting("level", to: level),
                entries: entries.map { second, line in
                    LogEntry(
                        time: Timestamp(unixNanoseconds: (minute + second) * 1_000_000_000),
                        line: line)
                })
        }
        let answer = try controller.send(
            "POST", lokiPush, headers: [("Content-Type", "application/json")],
            body: LokiPushJSON.encode([
                stream("info", [(0, "a"), (30, "bb"), (90, "ccc")]),
                stream("error", [(90, "dddd")]),
            ]))
        try #require(answer.status == 204)
        return (controller, minute)
    }

    private func withoutStatistics(_ answer: Answer) -> String {
        answer.text.replacing(/,"stats":.*/, with: "")
    }

    @Test(arguments: Transport.allCases)
    func explorersVolumeIsAMatrix(_ transport: Transport) throws {
        let (controller, minute) = try filled()
        for filter in ["", " | drop __error__"] {
            let answer = try controller.loki(
                "query_range",
                [
                    (
                        "query",
                        "sum by (level) (count_over_time({service_name=\"shop\"}\(filter)[1m]))"
                    ),
                    // Rounded outwards to whole minutes.
                    ("start", "\(minute + 10)000000000"), ("end", "\(minute + 100)000000000"),
                    ("step", "60000ms"),
                ], over: transport)
            #expect(answer.status == 200, "\(answer.text)")
            #expect(
                withoutStatistics(answer) == """
                    {"status":"success","data":{"resultType":"matrix","result":[\
                    {"metric":{"level":"error"},"values":[[\(minute + 120),"1"]]},\
                    {"metric":{"level":"info"},"values":[[\(minute),"1"],[\(minute + 60),"1"],\
                    [\(minute + 120),"1"]]}]
                    """)
            let summary = (answer.data["stats"] as? [String: Any])?["summary"] as? [String: Any]
            #expect(summary?["totalLinesProcessed"] as? Int == 4)
        }
    }

    @Test func anInstantIsAVector() throws {
        let (controller, minute) = try filled()
        let answer = try controller.loki(
            "query",
            [
                ("query", #"sum(bytes_rate({service_name="shop"} != "bb" [2m]))"#),
                ("time", "\(minute + 100).5"),
            ])
        #expect(
            withoutStatistics(answer) == """
                {"status":"success","data":{"resultType":"vector","result":[\
                {"metric":{},"value":[\(minute + 100).5,"0.06666666666666667"]}]
                """)
        let none = try controller.loki(
            "query", [("query", #"count_over_time({service_name="none"}[1h])"#)])
        #expect(
            withoutStatistics(none)
                == #"{"status":"success","data":{"resultType":"vector","result":[]"#)
    }

    @Test func theStepHasLokisDefaultAndBounds() throws {
        let (controller, minute) = try filled()
        let query = ("query", #"sum(count_over_time({service_name="shop"}[1h]))"#)
        func points(_ more: [(String, String)]) throws -> Int {
            let answer = try controller.loki("query_range", [query] + more)
            #expect(answer.status == 200, "\(answer.text)")
            let series = answer.data["result"] as? [[String: Any]]
            return (series?.first?["values"] as? [Any])?.count ?? 0
        }
        // 500 s by 2 s.
        #expect(try points([("start", "\(minute)"), ("end", "\(minute + 500)")]) == 251)
        #expect(
            try points([("start", "\(minute)"), ("end", "\(minute + 10)"), ("step", "2.5")]) == 5)
        for (step, words) in [
            ("0", "cannot read step"), ("-1s", "cannot read step"), ("x", "cannot read step"),
            ("0.01", "exceeded maximum resolution of 11,000 points"),
        ] {
            let answer = try controller.loki(
                "query_range",
                [query, ("start", "\(minute)"), ("end", "\(minute + 500)"), ("step", step)])
            #expect(answer.status == 400 && answer.text.contains(words), "\(answer.text)")
        }
    }

    @Test func whatIsNotAnsweredIsRefusedInWords() throws {
        let (controller, _) = try filled()
        for (query, words) in [
            (#"topk(2, count_over_time({a="b"}[1m]))"#, "the metric query topk(...)"),
            (#"count_over_time({a="b"} | json [1m])"#, "the stage | json"),
            (#"count_over_time({service_name="shop"} | level > 5 [1h])"#, "pipeline error: "),
            (#"sum(rate({a="b"}[1m])) / 2"#, "arithmetic of metric queries"),
        ] {
            for path in ["query_range", "query"] {
                let answer = try controller.loki(path, [("query", query)])
                #expect(answer.status == 400 && answer.text.contains(words), "\(answer.text)")
                #expect(answer.header("content-type") == "text/plain; charset=utf-8")
            }
        }
    }
}
