// SPDX-License-Identifier: Apache-2.0
// Reads LogQL's metric queries over counts; says of the others, by name and place, that they are not read.

/// Source: grafana.com, "LogQL: Metric queries".
extension LogQLParser {
    private static let answered =
        ", which this version does not answer; want "
        + "\(LogMetricOperation.allCases.map(\.rawValue).joined(separator: ", ")) "
        + "[by (label, ...)] over "
        + "\(LogMetricRange.Operation.allCases.map(\.rawValue).joined(separator: ", ")) "
        + "({...} filters [5m])"
    private static let maximumNesting = 16
    /// The most labels of a grouping.
    private static let maximumLabels = 64

    /// Reads the whole text.
    mutating func metricQuery() throws(QueryError) -> LogMetric {
        let metric = try metric(depth: 0)
        skip()
        guard scanner.peek() == nil else {
            throw scanner.failure(
                at: scanner.position,
                "\"\(rest)\" behind the query; arithmetic of metric queries" + Self.answered)
        }
        return metric
    }

    private var rest: String {
        String(decoding: scanner.bytes[scanner.position...].prefix(8), as: UTF8.self)
    }

    private mutating func metric(depth: Int) throws(QueryError) -> LogMetric {
        guard depth < Self.maximumNesting else {
            throw scanner.unexpected(want: "at most \(Self.maximumNesting) levels")
        }
        skip()
        if takes("(") {
            let inner = try metric(depth: depth + 1)
            try close()
            return inner
        }
        let start = scanner.position
        let name = word()
        guard !name.isEmpty else {
            throw scanner.unexpected(want: "a function such as count_over_time")
        }
        scanner.position += name.utf8.count
        let lower = name.lowercased()
        if let operation = LogMetricRange.Operation(rawValue: lower) {
            try open()
            let range = try range(operation)
            try close()
            skip()
            if isGrouping {
                throw scanner.failure(
                    at: scanner.position,
                    "\(word()) behind \(lower); want sum \(word()) (...) (\(lower)(...))")
            }
            return .range(range, .all)
        }
        if let operation = LogMetricOperation(rawValue: lower) {
            return try aggregation(operation, depth: depth)
        }
        throw scanner.failure(at: start, "the metric query \(name)(...)" + Self.answered)
    }

    private mutating func aggregation(
        _ operation: LogMetricOperation, depth: Int
    ) throws(QueryError) -> LogMetric {
        skip()
        var grouping = isGrouping ? try self.grouping() : nil
        try open()
        let inner = try metric(depth: depth + 1)
        try close()
        skip()
        if grouping == nil, isGrouping { grouping = try self.grouping() }
        let chosen = grouping ?? .by([])
        // A sum of sums is counted as one: the series in between may be as many as there are lines.
        if operation == .sum, case .range(let range, .without([])) = inner {
            return .range(range, chosen)
        }
        return .vector(operation, chosen, inner)
    }

    private var isGrouping: Bool { ["by", "without"].contains(word().lowercased()) }

    private mutating func grouping() throws(QueryError) -> LogMetricGrouping {
        let isBy = word().lowercased() == "by"
        scanner.position += word().utf8.count
        try open()
        var names: [String] = []
        skip()
        while !takes(")") {
            let name = word()
            guard let first = name.utf8.first, !(48...57).contains(first) else {
                throw scanner.unexpected(want: "the name of a label, or \")\"")
            }
            guard names.count < Self.maximumLabels else {
                throw scanner.unexpected(want: "at most \(Self.maximumLabels) labels")
            }
            scanner.position += name.utf8.count
            if !names.contains(name) { names.append(name) }
            skip()
            if takes(",") {
                skip()
            } else if !stands(")") {
                throw scanner.unexpected(want: "\",\" or \")\"")
            }
        }
        return isBy ? .by(names) : .without(names)
    }

    private mutating func open() throws(QueryError) {
        skip()
        guard takes("(") else { throw scanner.unexpected(want: "\"(\"") }
    }

    private mutating func close() throws(QueryError) {
        skip()
        guard takes(")") else { throw scanner.unexpected(want: "\")\"") }
    }

    /// Reads `{...} filters [5m] offset 1h`; the range may stand before the filters, too.
    private mutating func range(
        _ operation: LogMetricRange.Operation
    ) throws(QueryError) -> LogMetricRange {
        var brackets = 0
        skip()
        while takes("(") {
            brackets += 1
            guard brackets <= Self.maximumNesting else {
                throw scanner.unexpected(want: "at most \(Self.maximumNesting) brackets")
            }
            skip()
        }
        let selector = try streams()
        var stages: [LogStage] = []
        var window: Int64?
        var offset: Int64 = 0
        while true {
            skip()
            if stands(")"), brackets > 0 {
                scanner.position += 1
                brackets -= 1
            } else if window == nil, takes("[") {
                window = try duration(want: "a range such as [5m]", from: 1)
                guard takes("]") else { throw scanner.unexpected(want: "\"]\"") }
                skip()
                if takesWord("offset") {
                    offset = try duration(want: "an offset such as 1h", from: -Self.longest)
                }
            } else if stands(")") {
                break
            } else {
                guard stages.count < Self.maximumStages else {
                    throw scanner.unexpected(want: "at most \(Self.maximumStages) filters")
                }
                stages.append(try stage())
            }
        }
        guard let window else { throw scanner.unexpected(want: "a range such as [5m]") }
        return LogMetricRange(
            operation: operation, query: LogQuery(selector, stages), window: window,
            offset: offset)
    }

    /// A hundred years, in nanoseconds: no sum of such times overflows.
    private static let longest: Int64 = 36_525 * 86_400 * 1_000_000_000

    private mutating func duration(
        want: String, from least: Int64
    ) throws(QueryError) -> Int64 {
        skip()
        let text = amountWord()
        guard let seconds = FieldQuantity.duration(text[...]),
            abs(seconds) * 1e9 <= Double(Self.longest)
        else { throw scanner.unexpected(want: want) }
        let nanoseconds = Int64((seconds * 1e9).rounded())
        guard nanoseconds >= least else { throw scanner.unexpected(want: want) }
        scanner.position += text.utf8.count
        skip()
        return nanoseconds
    }
}
