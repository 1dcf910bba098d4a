// SPDX-License-Identifier: Apache-2.0
// Metric queries over counts: what is read, what is refused, and numbers equal to a plain count.

import SondeModel
import SondeQuery
import Testing

@Suite struct LogMetricTests {
    private struct Line {
        var time: Int64
        var labels: LabelSet
        var text: String
        var metadata = LabelSet()
    }

    private static func set(_ pairs: (String, String)...) -> LabelSet {
        pairs.reduce(LabelSet()) { $0.setting($1.0, to: $1.1) }
    }

    /// Answers a query over lines in memory: labels as text, and times (s) with values.
    private static func answer(
        _ text: String, _ lines: [Line], _ steps: LogMetricSteps
    ) throws -> [String: [Int64: Double]] {
        let query = try LogMetricQuery(text)
        let series = try query.evaluate(steps) { counter throws(QueryError) in
            guard let times = counter.times else { return }
            for line in lines where counter.query.selector.matches(line.labels) {
                let time = Timestamp(unixNanoseconds: line.time)
                guard time >= times.from, time <= times.until else { continue }
                counter.add(
                    LogEntry(time: time, line: line.text, metadata: line.metadata),
                    of: line.labels)
            }
            if let problem = counter.problem { throw problem }
        }
        var result: [String: [Int64: Double]] = [:]
        for one in series {
            let name = one.labels.labels.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
            #expect(result[name] == nil, "\(name) twice")
            for (index, value) in one.values.enumerated() {
                if let value {
                    result[name, default: [:]][
                        steps.time(index).unixNanoseconds / 1_000_000_000] = value
                }
            }
        }
        return result
    }

    private static func seconds(_ number: Int64) -> Timestamp {
        Timestamp(unixNanoseconds: number * 1_000_000_000)
    }

    private static let shop = set(("app", "shop"), ("level", "info"))
    private static let error = set(("app", "shop"), ("level", "error"))
    private static let lines = [
        Line(time: 10_000_000_000, labels: shop, text: "one"),
        Line(time: 12_000_000_000, labels: shop, text: "two", metadata: set(("id", "7"))),
        Line(time: 12_000_000_000, labels: error, text: "three"),
        Line(time: 20_000_000_000, labels: shop, text: ""),
    ]

    private static func steps(_ from: Int64, _ until: Int64, _ step: Int64) throws
        -> LogMetricSteps
    {
        try #require(
            LogMetricSteps(
                from: seconds(from), until: seconds(until), step: step * 1_000_000_000))
    }

    @Test func aWindowHasItsEndAndNotItsBeginning() throws {
        let steps = try Self.steps(10, 25, 5)
        let sum = try Self.answer(#"sum(count_over_time({app="shop"}[5s]))"#, Self.lines, steps)
        // (5,10], (10,15], (15,20], (20,25]: the last has no line and no point.
        #expect(sum == ["": [10: 1, 15: 2, 20: 1]])
        let bytes = try Self.answer(
            #"sum by (level) (bytes_over_time({app="shop"}[10s]))"#, Self.lines, steps)
        #expect(
            bytes == ["level=info": [10: 3, 15: 6, 20: 3, 25: 0], "level=error": [15: 5, 20: 5]])
        let rate = try Self.answer(#"sum(rate({app="shop"} |= "o" [20s]))"#, Self.lines, steps)
        #expect(rate == ["": [10: 0.05, 15: 0.1, 20: 0.1, 25: 0.1]])
        let byteRate = try Self.answer(
            #"sum(bytes_rate({app="shop"}[10s] offset 10s))"#, Self.lines, steps)
        #expect(byteRate == ["": [20: 0.3, 25: 1.1]])
    }

    @Test func withoutGroupingEachLabelAndEachNameOfMetadataCounts() throws {
        let steps = try Self.steps(20, 20, 1)
        let all = try Self.answer(#"count_over_time({app="shop"}[1m])"#, Self.lines, steps)
        #expect(
            all == [
                "app=shop,level=info": [20: 2], "app=shop,id=7,level=info": [20: 1],
                "app=shop,level=error": [20: 1],
            ])
        let without = try Self.answer(
            #"sum without (id, app) (count_over_time({app="shop"}[1m]))"#, Self.lines, steps)
        #expect(without == ["level=info": [20: 3], "level=error": [20: 1]])
        for (operation, value) in [("avg", 4.0 / 3), ("min", 1), ("max", 2), ("count", 3)] {
            let one = try Self.answer(
                "\(operation)(count_over_time({app=\"shop\"}[1m]))", Self.lines, steps)
            #expect(one == ["": [20: value]], "\(operation)")
        }
        let nested = try Self.answer(
            #"max(sum by (level) (count_over_time({app="shop"}[1m])))"#, Self.lines, steps)
        #expect(nested == ["": [20: 3]])
    }

    @Test(arguments: [
        #"sum by (level) (count_over_time({app="shop"}[5s]))"#,
        #"sum by (level, none) (count_over_time({app="shop"} | drop __error__[5s]))"#,
        #"SUM(COUNT_OVER_TIME(({app="shop"})[5s])) BY (level)"#,
        #"(sum by(level,)(count_over_time({app="shop"}[5s])))"#,
        #"sum by (level) (count_over_time({app="shop"}[5s] | drop __error__, __error_details__))"#,
        #"sum without (app, id) (count_over_time(({app="shop"} |~ ".*")[0.005k5s]))"#
            .replacing("0.005k5s", with: "5000ms"),
    ])
    func whatGrafanaAsksIsRead(_ text: String) throws {
        #expect(LogMetricQuery.isMetric(text))
        let found = try Self.answer(text, Self.lines, try Self.steps(10, 20, 5))
        #expect(found == ["level=info": [10: 1, 15: 1, 20: 1], "level=error": [15: 1]])
    }

    @Test func aFieldThatIsNoNumberEndsTheQueryUnlessItIsDropped() throws {
        let text = #"count_over_time({app="shop"} | level > 5 [1m])"#
        let steps = try Self.steps(20, 20, 1)
        let error = #expect(throws: QueryError.self) {
            try Self.answer(text, Self.lines, steps)
        }
        #expect(
            error?.message.hasPrefix("pipeline error: 'LabelFilterErr' for series: '{app=") == true)
        let overlooked = try Self.answer(
            #"sum(count_over_time({app="shop"} | level > 5 | drop __error__ [1m]))"#, Self.lines,
            steps)
        #expect(overlooked == ["": [20: 4]])
        let none = try Self.answer(
            #"sum(count_over_time({app="shop"} | level > 5 | __error__="" [1m]))"#, Self.lines,
            steps)
        #expect(none.isEmpty)
    }

    @Test func randomLinesAreCountedAsAPlainCountDoes() throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let step = Int64.random(in: 1...20, using: &random)
            let window = Int64.random(in: 1...60, using: &random)
            let offset = Int64.random(in: -20...20, using: &random)
            let from = Int64.random(in: 100...200, using: &random)
            let until = from + Int64.random(in: 0...200, using: &random)
            let lines = (0..<100).map { _ in
                Line(
                    time: Int64.random(in: 0...450, using: &random) * 1_000_000_000
                        + [0, 0, 1, -1].randomElement(using: &random)!,
                    labels: Self.shop, text: "x")
            }
            let steps = try Self.steps(from, until, step)
            let text = "sum(count_over_time({app=\"shop\"}[\(window)s] offset \(offset)s))"
            let found = try Self.answer(text, lines, steps)[""] ?? [:]
            var wanted: [Int64: Double] = [:]
            var time = from / step * step
            while true {
                let end = (time - offset) * 1_000_000_000
                let count = lines.count { $0.time <= end && $0.time > end - window * 1_000_000_000 }
                if count > 0 { wanted[time] = Double(count) }
                if time >= until { break }
                time += step
            }
            #expect(found == wanted, "\(text) from \(from) until \(until) by \(step)")
        }
    }

    @Test func tooManySeriesAndTimesAreRefused() throws {
        let many = (0..<600).map {
            Line(
                time: 10_000_000_000, labels: Self.shop, text: "x",
                metadata: Self.set(("id", "\($0)")))
        }
        let steps = try Self.steps(10, 20, 1)
        let error = #expect(throws: QueryError.self) {
            try Self.answer(#"count_over_time({app="shop"}[1m])"#, many, steps)
        }
        #expect(error?.message.hasPrefix("maximum number of series (500) reached") == true)
        let sum = try Self.answer(#"sum(count_over_time({app="shop"}[1m]))"#, many, steps)
        #expect(sum[""]?[10] == 600)
        #expect(
            LogMetricSteps(from: Self.seconds(0), until: Self.seconds(11_000), step: 1_000_000_000)
                != nil)
        #expect(
            LogMetricSteps(from: Self.seconds(0), until: Self.seconds(11_001), step: 1_000_000_000)
                == nil)
        let far = Timestamp(unixNanoseconds: .max), past = Timestamp(unixNanoseconds: .min)
        for (from, until, step) in [
            (past, far, 1), (far, far, 1), (past, past, .max), (far, past, 0),
        ] {
            #expect(LogMetricSteps(from: from, until: until, step: Int64(step)) == nil)
        }
    }

    @Test(arguments: [
        (
            #"topk(3, rate({a="b"}[5m]))"#, 1,
            "the metric query topk(...), which this version does not"
        ),
        (#"quantile_over_time(0.9, {a="b"} | unwrap x [5m])"#, 1, "quantile_over_time"),
        (#"rate({a="b"})"#, 13, "a range such as [5m]"),
        (#"rate({a="b"}[5x])"#, 14, "a range such as [5m]"),
        (#"rate({a="b"}[0s])"#, 14, "a range such as [5m]"),
        (#"rate({a="b"}[-5m])"#, 14, "a range such as"),
        (#"rate({a="b"}[5m]"#, 17, "|= != |~ !~"),
        (#"rate({a="b"}[5m]) * 2"#, 19, "arithmetic of metric"),
        (#"rate({a="b"} | json [5m])"#, 16, "the stage | json"),
        (#"rate({a="b"}[5m]) by (x)"#, 19, "want sum by (...) (rate(...))"),
        (#"sum by x (rate({a="b"}[5m]))"#, 8, "\"(\""),
        (#"sum by (5) (rate({a="b"}[5m]))"#, 9, "the name of a label"),
        (#"sum by (a b) (rate({a="b"}[5m]))"#, 11, "\",\" or \")\""),
        (#"sum(sum)"#, 8, "\"(\""), (#"sum({a="b"})"#, 5, "a function such as count_over_time"),
        (#"rate({a=~".*"}[5m])"#, 6, "at least one matcher"),
        (#"rate({a="b"} | drop x [5m])"#, 16, "the stage | drop of \"x\""),
        (#"rate({a="b"}[99999y])"#, 14, "a range such as [5m]"),
    ])
    func whatCannotBeReadIsSaidWithItsPlace(text: String, place: Int, words: String) throws {
        let error = try #require(throws: QueryError.self) { try LogMetricQuery(text) }
        #expect(
            error.message.hasPrefix("cannot read LogQL: at position \(place) got "),
            "\(error.message)")
        #expect(error.message.contains(words), "\(error.message)")
    }

    @Test func bombsAreRefused() {
        for text in [
            String(repeating: "sum(", count: 3000), String(repeating: "(", count: 9000),
            "rate(" + String(repeating: "(", count: 5000) + "{a=\"b\"}",
            "sum by (" + (0..<1000).map { "l\($0)" }.joined(separator: ",") + ") (",
        ] { #expect(throws: QueryError.self) { try LogMetricQuery(text) } }
    }

    @Test(arguments: [
        (0.5, "0.5"), (1.0 / 86_400, "0.000011574074074074073"), (1e-7, "0.0000001"),
        (-2.5e-6, "-0.0000025"),
        (1e15, "1000000000000000"), (1.5e17, "150000000000000000"),
        (1.234e21, "1234000000000000000000"),
        (.infinity, "+Inf"), (.nan, "NaN"), (3, "3"), (1e16 + 2, "10000000000000002"),
    ])
    func numbersAreWrittenAsLokiDoes(number: Double, text: String) {
        #expect(Arithmetic.text(of: number) == text)
    }
}
