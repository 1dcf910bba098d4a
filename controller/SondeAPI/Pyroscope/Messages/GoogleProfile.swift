// SPDX-License-Identifier: Apache-2.0
// A pprof profile as a message, for answers in JSON.
// Source: google/pprof, proto/profile.proto.

/// A pprof profile, with indices into its string table.
struct GoogleProfile: ConnectMessage {
    var sampleType: [GoogleValueType] = []
    var sample: [GoogleSample] = []
    var mapping: [GoogleMapping] = []
    var location: [GoogleLocation] = []
    var function: [GoogleFunction] = []
    var stringTable: [String] = []
    var dropFrames: Int64 = 0
    var keepFrames: Int64 = 0
    var timeNanos: Int64 = 0
    var durationNanos: Int64 = 0
    var periodType: GoogleValueType?
    var period: Int64 = 0
    var comment: [Int64] = []
    var defaultSampleType: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "sample_type", &sampleType)
        try visitor.field(2, "sample", &sample)
        try visitor.field(3, "mapping", &mapping)
        try visitor.field(4, "location", &location)
        try visitor.field(5, "function", &function)
        try visitor.field(6, "string_table", &stringTable)
        try visitor.field(7, "drop_frames", &dropFrames)
        try visitor.field(8, "keep_frames", &keepFrames)
        try visitor.field(9, "time_nanos", &timeNanos)
        try visitor.field(10, "duration_nanos", &durationNanos)
        try visitor.field(11, "period_type", &periodType)
        try visitor.field(12, "period", &period)
        try visitor.field(13, "comment", &comment)
        try visitor.field(14, "default_sample_type", &defaultSampleType)
    }
}

/// A kind of value and its unit.
struct GoogleValueType: ConnectMessage {
    var type: Int64 = 0
    var unit: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "type", &type)
        try visitor.field(2, "unit", &unit)
    }
}

/// A stack, leaf first, and its values.
struct GoogleSample: ConnectMessage {
    var locationId: [UInt64] = []
    var value: [Int64] = []
    var label: [GoogleLabel] = []

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "location_id", &locationId)
        try visitor.field(2, "value", &value)
        try visitor.field(3, "label", &label)
    }
}

/// A sample's label.
struct GoogleLabel: ConnectMessage {
    var key: Int64 = 0
    var str: Int64 = 0
    var num: Int64 = 0
    var numUnit: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "key", &key)
        try visitor.field(2, "str", &str)
        try visitor.field(3, "num", &num)
        try visitor.field(4, "num_unit", &numUnit)
    }
}

/// An image.
struct GoogleMapping: ConnectMessage {
    var id: UInt64 = 0
    var memoryStart: UInt64 = 0
    var memoryLimit: UInt64 = 0
    var fileOffset: UInt64 = 0
    var filename: Int64 = 0
    var buildId: Int64 = 0
    var hasFunctions = false
    var hasFilenames = false
    var hasLineNumbers = false
    var hasInlineFrames = false

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "id", &id)
        try visitor.field(2, "memory_start", &memoryStart)
        try visitor.field(3, "memory_limit", &memoryLimit)
        try visitor.field(4, "file_offset", &fileOffset)
        try visitor.field(5, "filename", &filename)
        try visitor.field(6, "build_id", &buildId)
        try visitor.field(7, "has_functions", &hasFunctions)
        try visitor.field(8, "has_filenames", &hasFilenames)
        try visitor.field(9, "has_line_numbers", &hasLineNumbers)
        try visitor.field(10, "has_inline_frames", &hasInlineFrames)
    }
}

/// An entry of stacks.
struct GoogleLocation: ConnectMessage {
    var id: UInt64 = 0
    var mappingId: UInt64 = 0
    var address: UInt64 = 0
    var line: [GoogleLine] = []
    var isFolded = false

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "id", &id)
        try visitor.field(2, "mapping_id", &mappingId)
        try visitor.field(3, "address", &address)
        try visitor.field(4, "line", &line)
        try visitor.field(5, "is_folded", &isFolded)
    }
}

/// A line of a function.
struct GoogleLine: ConnectMessage {
    var functionId: UInt64 = 0
    var line: Int64 = 0
    var column: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "function_id", &functionId)
        try visitor.field(2, "line", &line)
        try visitor.field(3, "column", &column)
    }
}

/// A function.
struct GoogleFunction: ConnectMessage {
    var id: UInt64 = 0
    var name: Int64 = 0
    var systemName: Int64 = 0
    var filename: Int64 = 0
    var startLine: Int64 = 0

    mutating func fields<V: FieldVisitor & ~Copyable>(_ visitor: inout V) throws(V.Failure) {
        try visitor.field(1, "id", &id)
        try visitor.field(2, "name", &name)
        try visitor.field(3, "system_name", &systemName)
        try visitor.field(4, "filename", &filename)
        try visitor.field(5, "start_line", &startLine)
    }
}
