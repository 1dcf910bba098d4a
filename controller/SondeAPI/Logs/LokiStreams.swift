// SPDX-License-Identifier: Apache-2.0
// Lines in Loki's form: grouped by labels, with or without metadata kept apart.

internal import SondeModel
internal import SondeQuery

/// One line that a query kept.
struct FoundLine {
    var labels: LabelSet
    var entry: LogEntry
    /// What could not be decided about it.
    var problem: LogFieldProblem?
}

/// How lines are written for Loki's clients.
enum LokiEncoding {
    /// Metadata becomes labels; lines that differ in it stand under different streams.
    case merged
    /// Labels are those of the stream; each line has a third element with the rest.
    case categorized

    /// The name under which clients ask for the second form.
    static let flag = "categorize-labels"

    /// The form that a client asks for.
    init(_ head: RequestHead) {
        let flags = head.headerValues("x-loki-response-encoding-flags").flatMap {
            $0.split(separator: ",", omittingEmptySubsequences: false)
        }
        self = flags.contains(Substring(Self.flag)) ? .categorized : .merged
    }
}

/// Lines grouped as Loki answers them.
struct LokiStreams {
    private let encoding: LokiEncoding
    private var places: [LabelSet: Int] = [:]
    private var streams: [(labels: LabelSet, lines: [FoundLine])] = []

    init(_ encoding: LokiEncoding) { self.encoding = encoding }

    /// Adds a line behind those of its stream.
    mutating func add(_ line: FoundLine) {
        let labels = encoding == .merged ? Self.merged(line) : line.labels
        if let place = places[labels] {
            streams[place].lines.append(line)
        } else {
            places[labels] = streams.count
            streams.append((labels, [line]))
        }
    }

    /// Writes the streams as an array, in order of their labels' text.
    func write(to json: inout JSONWriter) {
        let ordered = streams.map { (key: Self.text(of: $0.labels), stream: $0) }.sorted {
            $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
        }
        json.array(ordered) { json, item in
            json.object { json in
                json.member("stream") { Self.write(item.stream.labels, to: &$0) }
                json.member("values") { json in
                    json.array(item.stream.lines) { json, line in write(line, to: &json) }
                }
            }
        }
    }

    /// Writes labels as an object.
    static func write(_ labels: LabelSet, to json: inout JSONWriter) {
        json.object { json in
            for label in labels.labels { json.member(label.name, label.value) }
        }
    }

    private func write(_ line: FoundLine, to json: inout JSONWriter) {
        // The three elements are of different kinds, so the sequence is of their places.
        json.array(encoding == .merged ? 0..<2 : 0..<3) { json, place in
            switch place {
            case 0: json.value(String(line.entry.time.unixNanoseconds))
            case 1: json.value(line.entry.line)
            default:
                json.object { json in
                    if !line.entry.metadata.labels.isEmpty {
                        json.member("structuredMetadata") {
                            Self.write(Self.metadata(line), to: &$0)
                        }
                    }
                    if let problem = line.problem {
                        json.member("parsed") { json in
                            json.object { json in
                                json.member("__error__", problem.name)
                                json.member("__error_details__", problem.details)
                            }
                        }
                    }
                }
            }
        }
    }

    /// The metadata with names that do not clash with the stream's labels.
    private static func metadata(_ line: FoundLine) -> LabelSet {
        guard line.entry.metadata.labels.contains(where: { line.labels[$0.name] != nil }) else {
            return line.entry.metadata
        }
        return line.entry.metadata.labels.reduce(LabelSet()) { set, label in
            let clashes = line.labels[label.name] != nil
            return set.setting(clashes ? label.name + "_extracted" : label.name, to: label.value)
        }
    }

    private static func merged(_ line: FoundLine) -> LabelSet {
        var pairs = line.labels.labels + metadata(line).labels
        if let problem = line.problem {
            pairs.append(Label(name: "__error__", value: problem.name))
            pairs.append(Label(name: "__error_details__", value: problem.details))
        }
        if let set = try? LabelSet(pairs) { return set }
        // A name twice: the line itself has one that ends in _extracted.
        return pairs.reduce(LabelSet()) { $0.setting($1.name, to: $1.value) }
    }

    private static func text(of labels: LabelSet) -> String {
        labels.labels.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ", ")
    }
}
