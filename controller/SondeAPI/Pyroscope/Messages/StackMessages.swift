// SPDX-License-Identifier: Apache-2.0
// What QuerierService's procedures about stacks ask and answer.
// Source of the field numbers: grafana/pyroscope, api/querier/v1/querier.proto and api/types/v1.

/// Asks for merged stacks.
struct SelectMergeStacktracesRequest: ConnectMessage {
    var profileTypeID = ""
    var labelSelector = ""
    var start: Int64 = 0
    var end: Int64 = 0
    var maxNodes: Int64?
    var format: StacktracesFormat = .unspecified
    var stackTraceSelector: StackTraceSelectorMessage?
    /// UUIDs of stored profiles.
    var profileIdSelector: [String] = []
    /// 32 hexadecimal digits each.
    var traceIdSelector: [String] = []
    /// 16 hexadecimal digits each.
    var spanSelector: [String] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "profile_typeID", &profileTypeID)
        try visitor.field(2, "label_selector", &labelSelector)
        try visitor.field(3, "start", &start)
        try visitor.field(4, "end", &end)
        try visitor.field(5, "max_nodes", &maxNodes)
        try visitor.field(6, "format", &format)
        try visitor.field(7, "stack_trace_selector", &stackTraceSelector)
        try visitor.field(8, "profile_id_selector", &profileIdSelector)
        try visitor.field(10, "trace_id_selector", &traceIdSelector)
        try visitor.field(11, "span_selector", &spanSelector)
    }
}

/// Merged stacks, in the one form that was asked for.
struct SelectMergeStacktracesResponse: ConnectMessage {
    var flamegraph: FlameGraphMessage?
    var tree: [UInt8] = []
    var dot = ""
    var pprof: PprofMessage?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "flamegraph", &flamegraph)
        try visitor.field(2, "tree", &tree)
        try visitor.field(3, "dot", &dot)
        try visitor.field(5, "pprof", &pprof)
    }
}

/// A pprof profile inside another message.
struct PprofMessage: ConnectMessage {
    var profile: GoogleProfile?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "profile", &profile)
    }
}

/// Which stacks count.
struct StackTraceSelectorMessage: ConnectMessage {
    /// Names of functions from the root.
    var callSite: [CallSiteMessage] = []
    var goPgo: GoPGOMessage?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "call_site", &callSite)
        try visitor.field(2, "go_pgo", &goPgo)
    }
}

/// One function of a call site.
struct CallSiteMessage: ConnectMessage {
    var name = ""

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "name", &name)
    }
}

/// What Go's compiler needs of stacks.
struct GoPGOMessage: ConnectMessage {
    /// How many locations from the leaf on are kept.
    var keepLocations: UInt32 = 0
    var aggregateCallees = false

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "keep_locations", &keepLocations)
        try visitor.field(2, "aggregate_callees", &aggregateCallees)
    }
}

/// Asks for the merged stacks of spans.
struct SelectMergeSpanProfileRequest: ConnectMessage {
    var profileTypeID = ""
    var labelSelector = ""
    var spanSelector: [String] = []
    var start: Int64 = 0
    var end: Int64 = 0
    var maxNodes: Int64?
    var format: StacktracesFormat = .unspecified

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "profile_typeID", &profileTypeID)
        try visitor.field(2, "label_selector", &labelSelector)
        try visitor.field(3, "span_selector", &spanSelector)
        try visitor.field(4, "start", &start)
        try visitor.field(5, "end", &end)
        try visitor.field(6, "max_nodes", &maxNodes)
        try visitor.field(7, "format", &format)
    }
}

/// The merged stacks of spans.
struct SelectMergeSpanProfileResponse: ConnectMessage {
    var flamegraph: FlameGraphMessage?
    var tree: [UInt8] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "flamegraph", &flamegraph)
        try visitor.field(2, "tree", &tree)
    }
}

/// Asks for merged stacks as pprof.
struct SelectMergeProfileRequest: ConnectMessage {
    var profileTypeID = ""
    var labelSelector = ""
    var start: Int64 = 0
    var end: Int64 = 0
    var maxNodes: Int64?
    var stackTraceSelector: StackTraceSelectorMessage?
    var profileIdSelector: [String] = []
    var traceIdSelector: [String] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "profile_typeID", &profileTypeID)
        try visitor.field(2, "label_selector", &labelSelector)
        try visitor.field(3, "start", &start)
        try visitor.field(4, "end", &end)
        try visitor.field(5, "max_nodes", &maxNodes)
        try visitor.field(6, "stack_trace_selector", &stackTraceSelector)
        try visitor.field(7, "profile_id_selector", &profileIdSelector)
        try visitor.field(8, "trace_id_selector", &traceIdSelector)
    }
}

/// Asks how two selections differ.
struct DiffRequest: ConnectMessage {
    var left: SelectMergeStacktracesRequest?
    var right: SelectMergeStacktracesRequest?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "left", &left)
        try visitor.field(2, "right", &right)
    }
}

/// How two selections differ.
struct DiffResponse: ConnectMessage {
    var flamegraph: FlameGraphDiffMessage?

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "flamegraph", &flamegraph)
    }
}

/// A flame graph by levels, in tuples of four.
struct FlameGraphMessage: ConnectMessage {
    var names: [String] = []
    var levels: [LevelMessage] = []
    var total: Int64 = 0
    var maxSelf: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "names", &names)
        try visitor.field(2, "levels", &levels)
        try visitor.field(3, "total", &total)
        try visitor.field(4, "max_self", &maxSelf)
    }
}

/// Two flame graphs by levels, in tuples of seven.
struct FlameGraphDiffMessage: ConnectMessage {
    var names: [String] = []
    var levels: [LevelMessage] = []
    var total: Int64 = 0
    var maxSelf: Int64 = 0
    var leftTicks: Int64 = 0
    var rightTicks: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "names", &names)
        try visitor.field(2, "levels", &levels)
        try visitor.field(3, "total", &total)
        try visitor.field(4, "max_self", &maxSelf)
        try visitor.field(5, "leftTicks", &leftTicks)
        try visitor.field(6, "rightTicks", &rightTicks)
    }
}

/// The nodes of one depth.
struct LevelMessage: ConnectMessage {
    var values: [Int64] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "values", &values)
    }
}
