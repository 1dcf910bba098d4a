// SPDX-License-Identifier: Apache-2.0
// Counts and histograms by label values, and their text for Prometheus.

internal import Synchronization

/// A sum that only grows, for each combination of label values.
package final class CountFamily: Sendable {
    /// The metric's name; ends in `_total`.
    package let name: String
    /// What is counted, in words.
    package let help: String
    private let labelNames: [String]
    private let values = Mutex<[[String]: UInt64]>([:])

    /// A family without values.
    package init(_ name: String, _ help: String, labels: [String] = []) {
        self.name = name
        self.help = help
        labelNames = labels
    }

    /// The most combinations of label values; further ones are counted under `other`, so that
    /// nobody outside can make the family grow.
    static let combinationLimit = 512

    /// Adds to the count of these label values, given in the order of the labels' names.
    package func add(_ amount: UInt64 = 1, _ labelValues: String...) {
        values.withLock { values in
            var key = labelValues
            if values[key] == nil, values.count >= Self.combinationLimit {
                key = key.map { _ in "other" }
            }
            values[key, default: 0] &+= amount
        }
    }

    /// The counts by label values.
    package var snapshot: [[String]: UInt64] { values.withLock { $0 } }

    func write(to text: inout MetricsText) {
        text.family(name, "counter", help)
        let sorted = snapshot.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for (labelValues, value) in sorted {
            text.sample(name, Array(zip(labelNames, labelValues)), "\(value)")
        }
        if labelNames.isEmpty, sorted.isEmpty { text.sample(name, [], "0") }
    }
}

/// How long things took, in buckets, for each value of one label.
package final class DurationFamily: Sendable {
    /// The buckets' upper bounds, in seconds.
    static let bounds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
    ]

    private struct Histogram {
        var buckets = [UInt64](repeating: 0, count: DurationFamily.bounds.count)
        var sum = 0.0
        var count: UInt64 = 0
    }

    /// The metric's name; ends in `_seconds`.
    package let name: String
    private let help: String
    private let label: String
    private let values = Mutex<[String: Histogram]>([:])

    /// A family without values.
    package init(_ name: String, _ help: String, label: String) {
        self.name = name
        self.help = help
        self.label = label
    }

    /// Records one duration.
    package func record(_ duration: Duration, _ labelValue: String) {
        let seconds = duration / .seconds(1)
        values.withLock { values in
            var histogram = values[labelValue] ?? Histogram()
            if let bucket = Self.bounds.firstIndex(where: { seconds <= $0 }) {
                histogram.buckets[bucket] &+= 1
            }
            histogram.sum += seconds
            histogram.count &+= 1
            values[labelValue] = histogram
        }
    }

    func write(to text: inout MetricsText) {
        text.family(name, "histogram", help)
        for (value, histogram) in values.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            var cumulated: UInt64 = 0
            for (bound, count) in zip(Self.bounds, histogram.buckets) {
                cumulated &+= count
                text.sample(name + "_bucket", [(label, value), ("le", "\(bound)")], "\(cumulated)")
            }
            text.sample(name + "_bucket", [(label, value), ("le", "+Inf")], "\(histogram.count)")
            text.sample(name + "_sum", [(label, value)], "\(histogram.sum)")
            text.sample(name + "_count", [(label, value)], "\(histogram.count)")
        }
    }
}

/// Builds the text exposition format 0.0.4.
struct MetricsText {
    private(set) var text = ""

    mutating func family(_ name: String, _ type: String, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
    }

    mutating func sample(_ name: String, _ labels: [(String, String)], _ value: String) {
        text += name
        if !labels.isEmpty {
            let pairs = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }
            text += "{\(pairs.joined(separator: ","))}"
        }
        text += " \(value)\n"
    }

    mutating func gauge(
        _ name: String, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]
    ) {
        family(name, "gauge", help)
        for (labels, value) in samples { sample(name, labels, Self.number(value)) }
    }

    mutating func gauge(_ name: String, _ help: String, _ value: Double) {
        gauge(name, help, [(labels: [], value: value)])
    }

    static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }

    private static func escaped(_ value: String) -> String {
        var result = ""
        for character in value.unicodeScalars {
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
