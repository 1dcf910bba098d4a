// SPDX-License-Identifier: Apache-2.0
// Counts the lines of one range of a metric query, in one pass and in any order.

package import SondeModel

/// Counts lines into windows of time.
///
/// A line counts in each window that it lies in: those of the times `t` with `t - window < line <=
/// t`. Only where the count begins and where it ends is noted, so a line costs the same however
/// many windows it lies in.
package final class LogMetricCounter {
    /// The most series of an answer, as Loki has it.
    package static let maximumSeries = 500
    /// The most numbers that counting may need in memory.
    private static let maximumCells = 8 << 20

    private struct Tally {
        var labels: LabelSet
        /// What lines and their bytes add at each place; one more than there are.
        var lines: [Int64]
        var bytes: [Int64]
    }

    private let range: LogMetricRange
    private let grouping: LogMetricGrouping
    private let steps: LogMetricSteps
    private var tallies: [Tally] = []
    /// Lines that the query kept.
    package private(set) var lines = 0
    private var places: [[String]: Int] = [:]
    private var placesBySet: [LabelSet: Int] = [:]

    init(_ range: LogMetricRange, _ grouping: LogMetricGrouping, _ steps: LogMetricSteps) {
        self.range = range
        self.grouping = grouping
        self.steps = steps
    }

    /// Which lines are counted.
    package var query: LogQuery { range.query }

    /// The times of the lines that may count, both ends included; `nil` when there are none.
    package var times: (from: Timestamp, until: Timestamp)? {
        let last = steps.time(steps.count - 1).unixNanoseconds
        let (end, over) = last.subtractingReportingOverflow(range.offset)
        let (start, under) = steps.from.unixNanoseconds.subtractingReportingOverflow(
            range.offset &+ range.window &- 1)
        guard !over, !under, start <= end else { return nil }
        return (Timestamp(unixNanoseconds: start), Timestamp(unixNanoseconds: end))
    }

    /// Why the answer cannot be given; nothing is counted any more then.
    package private(set) var problem: QueryError?

    /// Counts a line when the query keeps it.
    ///
    /// - Parameters:
    ///   - entry: The line.
    ///   - labels: The labels of its stream.
    package func add(_ entry: LogEntry, of labels: LabelSet) {
        guard problem == nil, let match = query.accepts(entry, of: labels) else { return }
        if let field = match.problem {
            problem = QueryError(
                .invalidArgument, Self.words(field, LogFields.merged(labels, entry.metadata)))
            return
        }
        lines += 1
        do throws(QueryError) { try count(entry, labels) } catch { problem = error }
    }

    /// Loki's own words.
    private static func words(_ problem: LogFieldProblem, _ labels: LabelSet) -> String {
        let series = labels.labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ", ")
        return "pipeline error: '\(problem.name)' for series: '{\(series)}'.\n"
            + "Use a label filter to intentionally skip this error. "
            + "(e.g | __error__!=\"\(problem.name)\").\n"
            + "To skip all potential errors you can match empty errors.(e.g __error__=\"\"): "
            + problem.details
    }

    private func count(_ entry: LogEntry, _ labels: LabelSet) throws(QueryError) {
        let time = entry.time.unixNanoseconds &+ range.offset &- steps.from.unixNanoseconds
        let first = max(0, Self.ceiling(time, steps.step))
        let end = min(Int64(steps.count), Self.ceiling(time &+ range.window, steps.step))
        guard first < end else { return }
        let place = try place(entry, labels)
        let bytes = Int64(entry.line.utf8.count)
        tallies[place].lines[Int(first)] += 1
        tallies[place].lines[Int(end)] -= 1
        tallies[place].bytes[Int(first)] += bytes
        tallies[place].bytes[Int(end)] -= bytes
    }

    /// A quotient rounded up.
    private static func ceiling(_ value: Int64, _ divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor > 0 ? quotient + 1 : quotient
    }

    private func place(
        _ entry: LogEntry, _ labels: LabelSet
    ) throws(QueryError) -> Int {
        if case .by(let names) = grouping {
            let fields = LogFields(labels: labels, metadata: entry.metadata)
            let values = names.map { fields.value(of: $0) }
            if let known = places[values] { return known }
            let set = zip(names, values).reduce(LabelSet()) { set, pair in
                pair.1.isEmpty ? set : set.setting(pair.0, to: pair.1)
            }
            let place = try begin(set)
            places[values] = place
            return place
        }
        let set = grouping.labels(of: LogFields.merged(labels, entry.metadata))
        if let known = placesBySet[set] { return known }
        let place = try begin(set)
        placesBySet[set] = place
        return place
    }

    private func begin(_ labels: LabelSet) throws(QueryError) -> Int {
        guard tallies.count < Self.maximumSeries,
            (tallies.count + 1) * (steps.count + 1) * 2 <= Self.maximumCells
        else {
            throw QueryError(
                .tooExpensive,
                "maximum number of series (\(Self.maximumSeries)) reached for a single query; "
                    + "consider reducing query cardinality by adding more specific stream "
                    + "selectors, reducing the time range, or aggregating results with sum")
        }
        let zeros = [Int64](repeating: 0, count: steps.count + 1)
        tallies.append(Tally(labels: labels, lines: zeros, bytes: zeros))
        return tallies.count - 1
    }

    /// What was counted.
    var series: [LogMetricSeries] {
        tallies.map { tally in
            var counted: Int64 = 0
            var bytes: Int64 = 0
            let seconds = Double(range.window) / 1e9
            let values = (0..<steps.count).map { step -> Double? in
                counted += tally.lines[step]
                bytes += tally.bytes[step]
                guard counted > 0 else { return nil }
                let sum = Double(range.operation.countsBytes ? bytes : counted)
                return range.operation.isRate ? sum / seconds : sum
            }
            return LogMetricSeries(labels: tally.labels, values: values)
        }.filter { $0.values.contains { $0 != nil } }
    }
}
