// SPDX-License-Identifier: Apache-2.0
// What QuerierService's procedures about types, labels and series ask and answer.
// Source of the field numbers: grafana/pyroscope, api/querier/v1/querier.proto and api/types/v1.

/// Asks which profile types have data.
struct ProfileTypesRequest: ConnectMessage {
    /// Unix milliseconds; this and the next are 0 when any time is meant.
    var start: Int64 = 0
    var end: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "start", &start)
        try visitor.field(2, "end", &end)
    }
}

/// The profile types that have data.
struct ProfileTypesResponse: ConnectMessage {
    var profileTypes: [ProfileTypeMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "profile_types", &profileTypes)
    }
}

/// One profile type and its parts.
struct ProfileTypeMessage: ConnectMessage {
    var id = ""
    var name = ""
    var sampleType = ""
    var sampleUnit = ""
    var periodType = ""
    var periodUnit = ""

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "ID", &id)
        try visitor.field(2, "name", &name)
        try visitor.field(4, "sample_type", &sampleType)
        try visitor.field(5, "sample_unit", &sampleUnit)
        try visitor.field(6, "period_type", &periodType)
        try visitor.field(7, "period_unit", &periodUnit)
    }
}

/// Asks for the names of labels.
struct LabelNamesRequest: ConnectMessage {
    var matchers: [String] = []
    var start: Int64 = 0
    var end: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "matchers", &matchers)
        try visitor.field(2, "start", &start)
        try visitor.field(3, "end", &end)
    }
}

/// Asks for the values of a label.
struct LabelValuesRequest: ConnectMessage {
    var name = ""
    var matchers: [String] = []
    var start: Int64 = 0
    var end: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "name", &name)
        try visitor.field(2, "matchers", &matchers)
        try visitor.field(3, "start", &start)
        try visitor.field(4, "end", &end)
    }
}

/// Names or values, sorted.
struct NamesResponse: ConnectMessage {
    var names: [String] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "names", &names)
    }
}

/// Asks for the labels of series.
struct SeriesRequest: ConnectMessage {
    var matchers: [String] = []
    var labelNames: [String] = []
    var start: Int64 = 0
    var end: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "matchers", &matchers)
        try visitor.field(2, "label_names", &labelNames)
        try visitor.field(3, "start", &start)
        try visitor.field(4, "end", &end)
    }
}

/// The labels of series.
struct SeriesResponse: ConnectMessage {
    var labelsSet: [LabelsMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(2, "labels_set", &labelsSet)
    }
}

/// The labels of one series.
struct LabelsMessage: ConnectMessage {
    var labels: [LabelPairMessage] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "labels", &labels)
    }
}

/// One label.
struct LabelPairMessage: ConnectMessage {
    var name = ""
    var value = ""

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "name", &name)
        try visitor.field(2, "value", &value)
    }
}

/// Asks whether there is data at all.
struct ProfileStatsRequest: ConnectMessage {

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
    }
}

/// Whether there is data at all, and of when.
struct ProfileStatsResponse: ConnectMessage {
    var dataIngested = false
    var oldestProfileTime: Int64 = 0
    var newestProfileTime: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "data_ingested", &dataIngested)
        try visitor.field(2, "oldest_profile_time", &oldestProfileTime)
        try visitor.field(3, "newest_profile_time", &newestProfileTime)
    }
}

/// Asks what a query would have to read.
struct AnalyzeQueryRequest: ConnectMessage {
    var start: Int64 = 0
    var end: Int64 = 0
    var query = ""

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(2, "start", &start)
        try visitor.field(3, "end", &end)
        try visitor.field(4, "query", &query)
    }
}

/// What a query would have to read.
struct AnalyzeQueryResponse: ConnectMessage {
    var queryScopes: [QueryScope] = []
    var queryImpact: QueryImpact?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "query_scopes", &queryScopes)
        try visitor.field(2, "query_impact", &queryImpact)
    }
}

/// What one part of the store would have to read.
struct QueryScope: ConnectMessage {
    var componentType = ""
    var componentCount: UInt64 = 0
    var blockCount: UInt64 = 0
    var seriesCount: UInt64 = 0
    var profileCount: UInt64 = 0
    var sampleCount: UInt64 = 0
    var indexBytes: UInt64 = 0
    var profileBytes: UInt64 = 0
    var symbolBytes: UInt64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "component_type", &componentType)
        try visitor.field(2, "component_count", &componentCount)
        try visitor.field(3, "block_count", &blockCount)
        try visitor.field(4, "series_count", &seriesCount)
        try visitor.field(5, "profile_count", &profileCount)
        try visitor.field(6, "sample_count", &sampleCount)
        try visitor.field(7, "index_bytes", &indexBytes)
        try visitor.field(8, "profile_bytes", &profileBytes)
        try visitor.field(9, "symbol_bytes", &symbolBytes)
    }
}

/// What a query would have to read, in sum.
struct QueryImpact: ConnectMessage {
    var totalBytesInTimeRange: UInt64 = 0
    var totalQueriedSeries: UInt64 = 0
    var deduplicationNeeded = false

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(2, "total_bytes_in_time_range", &totalBytesInTimeRange)
        try visitor.field(3, "total_queried_series", &totalQueriedSeries)
        try visitor.field(4, "deduplication_needed", &deduplicationNeeded)
    }
}
