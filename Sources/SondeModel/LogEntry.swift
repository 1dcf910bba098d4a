// SPDX-License-Identifier: Apache-2.0
// Log lines: an entry, and the entries of one stream.

/// One log line with its time and what is known beside it.
package struct LogEntry: Hashable, Sendable {
    /// When it was written.
    package var time: Timestamp
    /// The line itself; it may hold line feeds.
    package var line: String
    /// Structured metadata: names and values that belong to this line alone, such as `trace_id`.
    ///
    /// Sorted by name, each name once; an empty value is the same as none.
    package var metadata: LabelSet

    /// An entry from its parts.
    package init(time: Timestamp, line: String, metadata: LabelSet = LabelSet()) {
        self.time = time
        self.line = line
        self.metadata = metadata
    }
}

/// Entries that share their labels.
package struct LogStream: Hashable, Sendable {
    /// The labels, few and of few values each: they name the stream.
    package var labels: LabelSet
    /// The entries, in the order in which they were written or received.
    package var entries: [LogEntry]

    /// A stream from its parts.
    package init(labels: LabelSet, entries: [LogEntry] = []) {
        self.labels = labels
        self.entries = entries
    }
}
