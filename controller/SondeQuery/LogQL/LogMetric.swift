// SPDX-License-Identifier: Apache-2.0
// The parts of a metric query: what is counted in which range, and how series are put together.

internal import SondeModel

/// A part of a metric query.
indirect enum LogMetric: Sendable {
    /// Lines of a range of time, counted by the labels that are named.
    case range(LogMetricRange, LogMetricGrouping)
    /// Series put together.
    case vector(LogMetricOperation, LogMetricGrouping, LogMetric)
}

/// `rate({...} |= "x" [5m] offset 1h)`.
struct LogMetricRange: Sendable {
    enum Operation: String, CaseIterable, Sendable {
        case count = "count_over_time"
        case rate = "rate"
        case bytes = "bytes_over_time"
        case byteRate = "bytes_rate"

        var countsBytes: Bool { self == .bytes || self == .byteRate }
        var isRate: Bool { self == .rate || self == .byteRate }
    }

    var operation: Operation
    var query: LogQuery
    /// The length of each window, in nanoseconds.
    var window: Int64
    /// How long before the answer's times the windows end, in nanoseconds.
    var offset: Int64
}

/// Which labels tell series apart.
enum LogMetricGrouping: Hashable, Sendable {
    /// These.
    case by([String])
    /// All but these.
    case without([String])

    /// All labels.
    static let all = LogMetricGrouping.without([])

    /// The labels of a set that count.
    func labels(of set: LabelSet) -> LabelSet {
        switch self {
        case .by(let names):
            names.reduce(LabelSet()) { result, name in
                guard let value = set[name], !value.isEmpty else { return result }
                return result.setting(name, to: value)
            }
        case .without(let names):
            names.isEmpty
                ? set
                : set.labels.reduce(LabelSet()) {
                    names.contains($1.name) ? $0 : $0.setting($1.name, to: $1.value)
                }
        }
    }
}

/// How several series become one.
enum LogMetricOperation: String, CaseIterable, Sendable {
    case sum, avg, min, max, count

    /// Puts series together that have the same labels of a grouping.
    func combine(
        _ series: [LogMetricSeries], _ grouping: LogMetricGrouping, _ steps: LogMetricSteps
    ) -> [LogMetricSeries] {
        var groups: [LabelSet: [LogMetricSeries]] = [:]
        for one in series { groups[grouping.labels(of: one.labels), default: []].append(one) }
        return groups.map { labels, members in
            LogMetricSeries(
                labels: labels,
                values: (0..<steps.count).map { step in
                    combine(members.compactMap { $0.values[step] })
                })
        }
    }

    private func combine(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        switch self {
        case .sum: return values.reduce(0, +)
        case .avg: return values.reduce(0, +) / Double(values.count)
        case .min: return values.min()
        case .max: return values.max()
        case .count: return Double(values.count)
        }
    }
}
