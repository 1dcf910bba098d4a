// SPDX-License-Identifier: Apache-2.0
// Answers LogQL's metric queries from the store, as Loki does: a matrix for a range, a vector for a time.

internal import SondeModel
internal import SondeQuery
internal import SondeStore

/// The answer to a metric query, and what it took.
struct LogMetricSearch {
    private let series: [LogMetricSeries]
    private let steps: LogMetricSteps
    private var figures = LogSearchFigures()

    /// Counts the lines that a query asks for.
    ///
    /// - Parameters:
    ///   - query: The query.
    ///   - steps: For which times.
    ///   - services: The store and its limits.
    /// - Throws: ``APIError`` when it takes too long, or gives too many series.
    init(
        _ query: LogMetricQuery, _ steps: LogMetricSteps, _ services: Services
    ) throws(APIError) {
        let start = ContinuousClock.now
        let deadline = start + .seconds(services.limits.logQuerySeconds)
        var figures = LogSearchFigures()
        self.steps = steps
        series = try query.evaluate(steps) { counter throws(APIError) in
            let tally = LogSearchTally()
            guard let times = counter.times,
                let range = TimeRange(from: times.from, until: times.until)
            else { return }
            let lines = counter.query
            var request = LogRead(range, limit: 1) { lines.selector.matches($0) }
            request.deadline = deadline
            request.mayAccept = { line in
                tally.lines += 1
                tally.bytes += line.count
                return counter.problem == nil && lines.mayAccept(line)
            }
            // Counted here and not handed over: no line is kept in memory.
            request.accepts = { labels, entry in
                counter.add(entry, of: labels)
                return false
            }
            do throws(StoreError) {
                try services.logs.read(request) { _, _ in counter.problem == nil }
            } catch { throw APIError(error) }
            if let problem = counter.problem ?? lines.problem { throw APIError(problem) }
            figures.lookedAt += tally.lines
            figures.lookedAtBytes += tally.bytes
            figures.found += counter.lines
        }
        figures.duration = start.duration(to: .now)
        self.figures = figures
    }

    /// The answer for a range of time.
    var matrix: HTTPResponse {
        answer("matrix") { one, json in
            json.member("values") { json in
                let there = one.values.indices.filter { one.values[$0] != nil }
                json.array(there) { json, step in
                    Self.write(one.values[step] ?? 0, at: steps.time(step), to: &json)
                }
            }
        }
    }

    /// The answer for a point in time.
    var vector: HTTPResponse {
        answer("vector") { one, json in
            json.member("value") {
                Self.write((one.values.first ?? nil) ?? 0, at: steps.from, to: &$0)
            }
        }
    }

    private func answer(
        _ type: String, _ values: @escaping (LogMetricSeries, inout JSONWriter) -> Void
    ) -> HTTPResponse {
        lokiAnswer { json in
            json.object { json in
                json.member("resultType", type)
                json.member("result") { json in
                    json.array(series) { json, one in
                        json.object { json in
                            json.member("metric") { LokiStreams.write(one.labels, to: &$0) }
                            values(one, &json)
                        }
                    }
                }
                json.member("stats") { figures.write(to: &$0) }
            }
        }
    }

    private static func write(_ value: Double, at time: Timestamp, to json: inout JSONWriter) {
        json.array(0..<2) { json, place in
            if place == 0 {
                json.value(Double(time.unixMilliseconds) / 1000)
            } else {
                json.value(Arithmetic.text(of: value))
            }
        }
    }
}
