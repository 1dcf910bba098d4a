// SPDX-License-Identifier: Apache-2.0
// One profile of one sample type, on its way into the store.

/// One profile: what one process spent in one stretch of time, of one kind.
package struct Profile: Sendable {
    /// What is counted, and in which unit.
    package var type: ProfileType
    /// The series that the profile belongs to: with `service_name`, without any derived label.
    package var labels: LabelSet
    /// When the profile began.
    package var start: Timestamp
    /// How long it lasted, in nanoseconds; 0 when unknown.
    package var durationNanoseconds: Int64
    /// The sampling period in the type's period unit; 0 when unknown.
    package var period: Int64
    /// The stacks and their values.
    package var stacks: LocationTree
    /// The part of ``stacks`` that belongs to spans; its values are contained in ``stacks`` too.
    package var spans: [SpanStacks] = []

    /// A profile from its parts.
    package init(
        type: ProfileType, labels: LabelSet, start: Timestamp, durationNanoseconds: Int64,
        period: Int64, stacks: LocationTree
    ) {
        self.type = type
        self.labels = labels
        self.start = start
        self.durationNanoseconds = durationNanoseconds
        self.period = period
        self.stacks = stacks
    }
}

/// What one span spent of a profile.
package struct SpanStacks: Sendable {
    /// The span.
    package var span: SpanID
    /// The trace that the span belongs to, when the sender knew it.
    package var trace: TraceID?
    /// The span's stacks and their values.
    package var stacks: LocationTree

    /// A span's part of a profile.
    package init(span: SpanID, trace: TraceID? = nil, stacks: LocationTree) {
        self.span = span
        self.trace = trace
        self.stacks = stacks
    }
}
