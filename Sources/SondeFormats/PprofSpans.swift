// SPDX-License-Identifier: Apache-2.0
// Which samples of a pprof belong to spans, and the stacks of each span.

internal import SondeModel

/// The spans that a pprof's samples name in their labels.
struct PprofSpans {
    /// One span, with the samples that belong to it.
    struct Span {
        var id: SpanID
        var trace: TraceID?
        var samples: [Int]
    }

    /// The spans in the order of their first samples.
    private(set) var spans: [Span] = []

    /// Finds the spans of a document.
    ///
    /// Their samples have the label `span_id`, or `profile_id` as it was called before. Ids that
    /// are none are passed over.
    init(_ document: PprofDocument) {
        var indexOf: [SpanID: Int] = [:]
        for (index, sample) in document.samples.enumerated() where !sample.labels.isEmpty {
            guard let text = Self.text("span_id", sample) ?? Self.text("profile_id", sample),
                let id = SpanID(text)
            else { continue }
            let trace = Self.text("trace_id", sample).flatMap { TraceID($0) }
            if let known = indexOf[id] {
                spans[known].samples.append(index)
                spans[known].trace = spans[known].trace ?? trace
            } else {
                indexOf[id] = spans.count
                spans.append(Span(id: id, trace: trace, samples: [index]))
            }
        }
    }

    /// What these labels are called; other texts on samples are not kept.
    static let labels: Set<String> = ["span_id", "profile_id", "trace_id"]

    private static func text(_ key: String, _ sample: PprofDocument.Sample) -> String? {
        sample.labels.first { $0.key == key && !$0.text.isEmpty }?.text
    }
}

extension PprofDocument {
    /// How many texts on samples ``profiles(seriesLabels:receivedAt:maxStackDepth:)`` does not keep.
    package var droppedSampleLabels: Int {
        var count = 0
        for sample in samples {
            for label in sample.labels
            where !label.text.isEmpty && !PprofSpans.labels.contains(label.key) { count += 1 }
        }
        return count
    }
}
