// SPDX-License-Identifier: Apache-2.0
// LogQL's metric queries over counts: how many lines, or bytes of lines, in windows of time.

package import SondeModel

/// A LogQL query that counts lines: `sum by (level) (count_over_time({service_name="shop"}[1m]))`.
///
/// What is read: `count_over_time`, `rate`, `bytes_over_time` and `bytes_rate` over a log query with
/// filters, and `sum`, `avg`, `min`, `max` and `count` of those, with `by` or `without`. What is
/// counted is asked of a ``LogMetricCounter``.
package struct LogMetricQuery: Sendable {
    let root: LogMetric

    /// Reads a query.
    ///
    /// - Parameter text: The query.
    /// - Throws: ``QueryError`` that names the place, also for what LogQL knows and Sonde does not.
    package init(_ text: String) throws(QueryError) {
        var parser = try LogQLParser(text)
        root = try parser.metricQuery()
    }

    /// Whether a text is a metric query rather than a query for lines: after brackets, it begins
    /// with a word and not with a selector.
    package static func isMetric(_ text: String) -> Bool {
        let first = text.utf8.first { !($0 == 32 || (9...13).contains($0) || $0 == 0x28) }
        return first.map { SelectorParser.isNameByte($0) } == true && text.utf8.contains(0x7B)
    }

    /// Answers the query.
    ///
    /// - Parameters:
    ///   - steps: For which times.
    ///   - count: Counts the lines of one range; called once for each range in the query.
    /// - Throws: What `count` throws.
    /// - Returns: The series, by their labels.
    package func evaluate<Failure: Error>(
        _ steps: LogMetricSteps, _ count: (LogMetricCounter) throws(Failure) -> Void
    ) throws(Failure) -> [LogMetricSeries] {
        try Self.evaluate(root, steps, count).sorted { $0.labels.precedes($1.labels) }
    }

    private static func evaluate<Failure: Error>(
        _ metric: LogMetric, _ steps: LogMetricSteps,
        _ count: (LogMetricCounter) throws(Failure) -> Void
    ) throws(Failure) -> [LogMetricSeries] {
        switch metric {
        case .range(let range, let grouping):
            let counter = LogMetricCounter(range, grouping, steps)
            try count(counter)
            return counter.series
        case .vector(let operation, let grouping, let inner):
            return operation.combine(try evaluate(inner, steps, count), grouping, steps)
        }
    }
}

/// The times for which a metric query is answered.
package struct LogMetricSteps: Hashable, Sendable {
    /// The first time.
    package let from: Timestamp
    /// Nanoseconds from one to the next.
    package let step: Int64
    /// How many there are.
    package let count: Int

    /// The most times of one answer, as Loki has it.
    package static let limit = 11_000

    /// The times from one to another, both rounded outwards to multiples of the step, as Loki does.
    ///
    /// - Returns: `nil` when there are more than ``limit``, or the step is not above 0.
    package init?(from: Timestamp, until: Timestamp, step: Int64) {
        let far: Int64 = 1 << 61  // beyond it, sums of times overflow
        guard step > 0, step < far, abs(from.unixNanoseconds / 2) < far / 2,
            abs(until.unixNanoseconds / 2) < far / 2
        else { return nil }
        let first = from.unixNanoseconds
        let last = until.unixNanoseconds
        let floor = first - (first % step + step) % step
        let length = last - floor
        guard length >= 0 else { return nil }
        let steps = length / step + (length % step == 0 ? 0 : 1)
        guard steps <= Self.limit else { return nil }
        self.from = Timestamp(unixNanoseconds: floor)
        self.step = step
        count = Int(steps) + 1
    }

    /// One time.
    package init(at time: Timestamp) {
        from = time
        step = 1
        count = 1
    }

    /// The time of a place.
    package func time(_ index: Int) -> Timestamp {
        Timestamp(unixNanoseconds: from.unixNanoseconds + Int64(index) * step)
    }
}

/// One series of an answer.
package struct LogMetricSeries: Hashable, Sendable {
    /// Its labels.
    package var labels: LabelSet
    /// Its value at each time; `nil` where there is none.
    package var values: [Double?]
}

extension LabelSet {
    /// Whether a set comes before another in an answer.
    fileprivate func precedes(_ other: LabelSet) -> Bool {
        for (one, two) in zip(labels, other.labels) where one != two {
            return (one.name, one.value) < (two.name, two.value)
        }
        return labels.count < other.labels.count
    }
}
