// SPDX-License-Identifier: Apache-2.0
// A profile whose stacks are interned: what a day's database takes.

internal import SondeModel

/// A profile whose stacks are interned already.
struct InternedProfile {
    var series: ProfileSeries
    var start: Timestamp
    var durationNanoseconds: Int64
    var period: Int64
    /// The tree that all values name nodes of.
    var home: StackHome
    /// In ascending order of nodes.
    var values: [StackValue]
    var spans: [InternedSpan] = []
}

/// A span's part of an interned profile.
struct InternedSpan {
    var span: SpanID
    var trace: TraceID?
    var values: [StackValue]
}

extension StackWriter {
    /// Interns a profile's stacks, and those of its spans.
    func intern(_ profile: Profile) throws(StoreError) -> InternedProfile {
        // A span that is named twice is one.
        var spans: [SpanID: SpanStacks] = [:]
        for part in profile.spans {
            if spans[part.span] == nil {
                spans[part.span] = part
            } else {
                spans[part.span]?.stacks.merge(part.stacks)
            }
        }
        let parts = spans.values.sorted { $0.span.rawValue < $1.span.rawValue }
        let (home, values) = try intern(
            [profile.stacks] + parts.map(\.stacks), of: profile.labels[LabelName.service] ?? "")
        var result = InternedProfile(
            series: ProfileSeries(type: profile.type, labels: profile.labels),
            start: profile.start, durationNanoseconds: profile.durationNanoseconds,
            period: profile.period, home: home, values: values[0])
        for (part, values) in zip(parts, values.dropFirst()) {
            result.spans.append(
                InternedSpan(span: part.span, trace: part.trace, values: values))
        }
        return result
    }
}

extension Sequence where Element == StackValue {
    /// The sum of the values; saturates where the range ends.
    var total: Int64 {
        var total: Int64 = 0
        for value in self { total = total.addingOrSaturating(value.value) }
        return total
    }
}

extension Int64 {
    /// The sum; saturates where the range ends.
    func addingOrSaturating(_ more: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(more)
        return overflow ? (more < 0 ? .min : .max) : sum
    }
}

extension TraceID {
    /// The id's bytes, as they are stored.
    var bytes: [UInt8] {
        [high, low].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
        }
    }

    /// The id of stored bytes; `nil` when they are none.
    init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == 16 else { return nil }
        let words = [0, 8].map { offset in
            bytes[offset..<offset + 8].reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        }
        self.init(high: words[0], low: words[1])
    }
}
