// SPDX-License-Identifier: Apache-2.0
// What QuerierService's procedures about values over time ask and answer.
// Source of the field numbers: grafana/pyroscope, api/querier/v1/querier.proto and api/types/v1.

/// Asks for values over time.
struct SelectSeriesRequest: ConnectMessage {
    var profileTypeID = ""
    var labelSelector = ""
    var start: Int64 = 0
    var end: Int64 = 0
    var groupBy: [String] = []
    /// Seconds.
    var step: Double = 0
    var aggregation: SeriesAggregation = .sum
    var stackTraceSelector: StackTraceSelectorMessage?
    var limit: Int64?
    var exemplarType: ExemplarType = .unspecified

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "profile_typeID", &profileTypeID)
        try visitor.field(2, "label_selector", &labelSelector)
        try visitor.field(3, "start", &start)
        try visitor.field(4, "end", &end)
        try visitor.field(5, "group_by", &groupBy)
        try visitor.field(6, "step", &step)
        try visitor.field(7, "aggregation", &aggregation)
        try visitor.field(8, "stack_trace_selector", &stackTraceSelector)
        try visitor.field(9, "limit", &limit)
        try visitor.field(10, "exemplar_type", &exemplarType)
    }
}

/// Values over time.
struct SelectSeriesResponse: ConnectMessage {
    var series: [SeriesMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "series", &series)
    }
}

/// The values of one group over time.
struct SeriesMessage: ConnectMessage {
    var labels: [LabelPairMessage] = []
    var points: [PointMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "labels", &labels)
        try visitor.field(2, "points", &points)
    }
}

/// The value of one step.
struct PointMessage: ConnectMessage {
    var value: Double = 0
    var timestamp: Int64 = 0
    var annotations: [AnnotationMessage] = []
    var exemplars: [ExemplarMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "value", &value)
        try visitor.field(2, "timestamp", &timestamp)
        try visitor.field(3, "annotations", &annotations)
        try visitor.field(4, "exemplars", &exemplars)
    }
}

/// A note at a point.
struct AnnotationMessage: ConnectMessage {
    var key = ""
    var value = ""

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "key", &key)
        try visitor.field(2, "value", &value)
    }
}

/// One stored profile, or one span, as an example of what a point is made of.
struct ExemplarMessage: ConnectMessage {
    var timestamp: Int64 = 0
    var profileId = ""
    var spanId = ""
    var value: Int64 = 0
    var labels: [LabelPairMessage] = []
    var traceId = ""

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "timestamp", &timestamp)
        try visitor.field(2, "profile_id", &profileId)
        try visitor.field(3, "span_id", &spanId)
        try visitor.field(4, "value", &value)
        try visitor.field(5, "labels", &labels)
        try visitor.field(6, "trace_id", &traceId)
    }
}

/// Asks how values are distributed over time.
struct SelectHeatmapRequest: ConnectMessage {
    var profileTypeID = ""
    var labelSelector = ""
    var start: Int64 = 0
    var end: Int64 = 0
    /// Seconds.
    var step: Double = 0
    var groupBy: [String] = []
    var queryType: HeatmapQueryType = .unspecified
    var exemplarType: ExemplarType = .unspecified
    var limit: Int64?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "profile_typeID", &profileTypeID)
        try visitor.field(2, "label_selector", &labelSelector)
        try visitor.field(3, "start", &start)
        try visitor.field(4, "end", &end)
        try visitor.field(5, "step", &step)
        try visitor.field(6, "group_by", &groupBy)
        try visitor.field(7, "query_type", &queryType)
        try visitor.field(8, "exemplar_type", &exemplarType)
        try visitor.field(9, "limit", &limit)
    }
}

/// How values are distributed over time.
struct SelectHeatmapResponse: ConnectMessage {
    var series: [HeatmapSeriesMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "series", &series)
    }
}

/// One group's distribution over time.
struct HeatmapSeriesMessage: ConnectMessage {
    var labels: [LabelPairMessage] = []
    var slots: [HeatmapSlotMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "labels", &labels)
        try visitor.field(2, "slots", &slots)
    }
}

/// The distribution in one step.
struct HeatmapSlotMessage: ConnectMessage {
    var timestamp: Int64 = 0
    /// The least value of each bucket.
    var yMin: [Double] = []
    /// How many values are in each bucket.
    var counts: [Int32] = []
    var exemplars: [ExemplarMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "timestamp", &timestamp)
        try visitor.field(2, "y_min", &yMin)
        try visitor.field(3, "counts", &counts)
        try visitor.field(4, "exemplars", &exemplars)
    }
}
