// SPDX-License-Identifier: Apache-2.0
// A question about log lines, as LogQL writes it, and its answer for one line.

package import SondeModel

/// A LogQL query that selects lines: a stream selector, then filters of lines and of fields.
///
///     let query = try LogQuery(#"{service_name="shop"} |= "settle" | probe_id="p-1""#)
///     query.selector.matches(stream.labels)
///     query.accepts(entry, of: stream.labels)
///
/// A field is a label of the stream or a name of the line's structured metadata; one that is absent
/// counts as empty. Where metadata has a name that the stream has as a label, it is called
/// `<name>_extracted`, as in Loki.
package struct LogQuery: Sendable {
    /// Which streams are asked for.
    package let selector: Selector
    let stages: [LogStage]

    /// Reads a query.
    ///
    /// - Parameter text: LogQL: `{...}` and any number of `|= "text"`, `!= "text"`, `|~ "regex"`,
    ///   `!~ "regex"` (each with `or "more"`) and `| name = "value"` with `and`, `or`, brackets, and
    ///   the comparisons `== != > >= < <=` of numbers, durations and sizes.
    /// - Throws: ``QueryError`` that names the place, also for what LogQL knows and Sonde does not:
    ///   parsers (`| json`) and formats. Metric queries are ``LogMetricQuery``'s.
    package init(_ text: String) throws(QueryError) {
        var parser = try LogQLParser(text)
        (selector, stages) = try parser.query()
    }

    init(_ selector: Selector, _ stages: [LogStage]) {
        self.selector = selector
        self.stages = stages
    }

    /// A query for all lines of the streams that a selector names.
    package init(_ selector: Selector) {
        self.selector = selector
        stages = []
    }

    /// Whether the query keeps a line of a stream that its selector accepts.
    ///
    /// - Parameters:
    ///   - entry: The line.
    ///   - labels: The labels of its stream.
    /// - Returns: `nil` when it is not kept; otherwise what could not be decided about it.
    package func accepts(_ entry: LogEntry, of labels: LabelSet) -> LogMatch? {
        var fields = LogFields(labels: labels, metadata: entry.metadata)
        for stage in stages {
            switch stage {
            case .line(let filter): guard filter.accepts(entry.line) else { return nil }
            case .field(let filter): guard filter.accepts(&fields) else { return nil }
            case .forgiveness: fields.problem = nil
            }
        }
        return LogMatch(problem: fields.problem)
    }

    /// Whether a line of these bytes may be kept: what can be said without anything else of it.
    package func mayAccept(_ line: UnsafeRawBufferPointer) -> Bool {
        stages.allSatisfy { stage in
            guard case .line(let filter) = stage else { return true }
            return filter.mayAccept(line)
        }
    }

    /// The seconds of a duration such as `1h30m` or of a plain number of them; `nil` when a text is
    /// neither.
    package static func seconds(ofDuration text: String) -> Double? {
        FieldQuantity.duration(text[...]) ?? Double(text).flatMap { $0.isFinite ? $0 : nil }
    }

    /// What went wrong while matching: a regular expression took too long.
    ///
    /// Answers given after that are not complete, so ask for this when all lines are matched.
    package var problem: QueryError? {
        if let problem = selector.problem { return problem }
        for stage in stages {
            guard let exceeded = stage.exceededPattern else { continue }
            return QueryError(
                .tooExpensive,
                "cannot match \(exceeded): got a regular expression that takes more than "
                    + "\(Pattern.maximumSteps) steps for one line or "
                    + "\(Int(Pattern.maximumSeconds * 10)) s for all; want a simpler one")
        }
        return nil
    }
}

/// One step of a query, from left to right.
enum LogStage: Sendable {
    case line(LineFilter)
    case field(FieldFilter)
    /// Overlooks what could not be compared so far.
    case forgiveness

    /// The regular expression that ran into its bound, as it was written.
    var exceededPattern: String? {
        switch self {
        case .line(let filter): filter.exceededPattern
        case .field(let filter): filter.exceededPattern
        case .forgiveness: nil
        }
    }
}

/// A line that a query keeps.
package struct LogMatch: Hashable, Sendable {
    /// A field that was to be compared as a number and is none: the line is kept, as in Loki, and
    /// the answer says so in its labels `__error__` and `__error_details__`.
    package var problem: LogFieldProblem?
}

/// A field's value that could not be compared.
package struct LogFieldProblem: Hashable, Sendable {
    /// Loki's name for the kind of problem.
    package let name = "LabelFilterErr"
    /// What is wrong, in words.
    package var details: String
}

/// The fields of one line, as filters see them.
struct LogFields {
    /// The labels of the line's stream.
    var labels: LabelSet
    /// What belongs to the line alone.
    var metadata: LabelSet
    /// The first problem that a filter met.
    var problem: LogFieldProblem?

    /// Labels and metadata as one set, the latter under other names where names clash.
    static func merged(_ labels: LabelSet, _ metadata: LabelSet) -> LabelSet {
        metadata.labels.reduce(labels) { set, label in
            let clashes = labels[label.name] != nil
            return set.setting(clashes ? label.name + "_extracted" : label.name, to: label.value)
        }
    }

    /// The value of a field; empty when it is absent.
    func value(of name: String) -> String {
        switch name {
        case "__error__": return problem?.name ?? ""
        case "__error_details__": return problem?.details ?? ""
        default: break
        }
        if let value = labels[name] ?? metadata[name] { return value }
        let suffix = "_extracted"
        guard name.hasSuffix(suffix) else { return "" }
        let base = String(name.dropLast(suffix.count))
        return labels[base] == nil ? "" : metadata[base] ?? ""
    }
}
