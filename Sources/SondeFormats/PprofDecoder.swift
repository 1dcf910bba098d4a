// SPDX-License-Identifier: Apache-2.0
// Reads a pprof profile out of bytes that nobody vouches for.

internal import SondeWire

extension PprofDocument {
    /// A document from a pprof profile's bytes, not compressed.
    ///
    /// Whatever `go tool pprof` refuses is refused: broken framing, string indices outside the
    /// table, ids that are 0, doubled or unknown, and samples whose values do not fit the sample
    /// types. Besides, strings must be UTF-8. Unknown fields are passed over.
    ///
    /// - Parameters:
    ///   - bytes: The message `perftools.profiles.Profile`, from untrusted hands.
    ///   - limits: What may be held in memory at most.
    ///   - isChecked: Whether ids and references are checked; without, it is the caller's to repair
    ///     them and to call ``check()``.
    /// - Throws: ``PprofError``.
    package init(
        decoding bytes: ArraySlice<UInt8>, limits: PprofLimits = PprofLimits(),
        isChecked: Bool = true
    ) throws(PprofError) {
        var decoder = PprofDecoder(limits: limits)
        do {
            try decoder.decode(bytes)
        } catch let error as PprofError {
            throw error
        } catch let error as ProtobufError {
            throw .wire(error)
        } catch {
            // Nothing else is thrown below; the compiler cannot know.
            throw .empty
        }
        self = decoder.document
        if isChecked { try check() }
    }

    /// Passes when every id is unique and every reference finds its entry.
    package func check() throws(PprofError) { try PprofValidator.check(self) }
}

/// The state of one decoding.
///
/// The string table may stand behind what refers to it, so the message is passed over twice: first
/// for strings and counts, then for everything else.
private struct PprofDecoder {
    let limits: PprofLimits
    var document = PprofDocument()
    private var strings: [String] = []
    private var elements = 0

    init(limits: PprofLimits) { self.limits = limits }

    mutating func decode(_ bytes: ArraySlice<UInt8>) throws {
        guard !bytes.isEmpty else { throw PprofError.empty }
        guard bytes.count <= limits.bytes else {
            throw PprofError.tooMany(what: "bytes", limit: limits.bytes)
        }
        let span = bytes.span
        try readStrings(span)
        var reader = WireCursor(span)
        while let field = try reader.nextField(span) { try read(field, from: &reader, span) }
    }

    private mutating func readStrings(_ bytes: Span<UInt8>) throws {
        var samples = 0
        var locations = 0
        var functions = 0
        var mappings = 0
        var reader = WireCursor(bytes)
        while let field = try reader.nextField(bytes) {
            switch field.number {
            case 6:
                guard strings.count < limits.strings else {
                    throw PprofError.tooMany(what: "strings", limit: limits.strings)
                }
                strings.append(try reader.string(field, bytes))
                continue
            case 2: samples += 1
            case 3: mappings += 1
            case 4: locations += 1
            case 5: functions += 1
            default: break
            }
            try reader.skip(field, bytes)
        }
        guard strings.first == "" else { throw PprofError.badFirstString }
        try Self.limit(samples, "samples", limits.samples)
        try Self.limit(mappings, "mappings", limits.mappings)
        try Self.limit(locations, "locations", limits.locations)
        try Self.limit(functions, "functions", limits.locations)
        document.samples.reserveCapacity(samples)
        document.mappings.reserveCapacity(mappings)
        document.locations.reserveCapacity(locations)
        document.functions.reserveCapacity(functions)
    }

    private static func limit(_ count: Int, _ what: String, _ limit: Int) throws {
        guard count <= limit else { throw PprofError.tooMany(what: what, limit: limit) }
    }

    private mutating func take(_ count: Int) throws {
        elements += count
        try Self.limit(elements, "stack entries, values, labels and lines", limits.elements)
    }

    private func string(_ index: UInt64) throws -> String {
        if index < UInt64(strings.count) { return strings[Int(index)] }
        throw PprofError.badStringIndex(index, count: strings.count)
    }

    private mutating func read(
        _ field: WireCursor.Field, from reader: inout WireCursor, _ bytes: Span<UInt8>
    ) throws {
        switch field.number {
        case 1:
            document.sampleTypes.append(try valueType(reader.message(field, bytes), bytes))
            try Self.limit(document.sampleTypes.count, "sample types", limits.sampleTypes)
        case 2: document.samples.append(try sample(reader.message(field, bytes), bytes))
        case 3: document.mappings.append(try mapping(reader.message(field, bytes), bytes))
        case 4: document.locations.append(try location(reader.message(field, bytes), bytes))
        case 5: document.functions.append(try function(reader.message(field, bytes), bytes))
        case 7, 8: _ = try string(reader.unsigned(field, bytes))
        case 9:
            let time = try reader.signed(field, bytes)
            guard document.timeNanos == 0 || time == 0 else { throw PprofError.concatenated }
            document.timeNanos = document.timeNanos == 0 ? time : document.timeNanos
        case 10: document.durationNanos = try reader.signed(field, bytes)
        case 11: document.periodType = try valueType(reader.message(field, bytes), bytes)
        case 12: document.period = try reader.signed(field, bytes)
        case 13:
            for index in try varints(field, of: &reader, bytes) {
                document.comments.append(try string(index))
            }
            try Self.limit(document.comments.count, "comments", limits.locations)
        case 14: document.defaultSampleType = try string(reader.unsigned(field, bytes))
        case 15: document.docURL = try string(reader.unsigned(field, bytes))
        default: try reader.skip(field, bytes)
        }
    }

    private mutating func varints(
        _ field: WireCursor.Field, of reader: inout WireCursor, _ bytes: Span<UInt8>
    ) throws -> [UInt64] {
        var values: [UInt64] = []
        try reader.appendVarints(field, bytes, to: &values)
        try take(values.count)
        return values
    }

    private func valueType(
        _ message: WireCursor, _ bytes: Span<UInt8>
    ) throws -> PprofDocument.ValueType {
        var type = PprofDocument.ValueType(type: "", unit: "")
        var reader = message
        while let field = try reader.nextField(bytes) {
            switch field.number {
            case 1: type.type = try string(reader.unsigned(field, bytes))
            case 2: type.unit = try string(reader.unsigned(field, bytes))
            default: try reader.skip(field, bytes)
            }
        }
        return type
    }

    private mutating func sample(
        _ message: WireCursor, _ bytes: Span<UInt8>
    ) throws -> PprofDocument.Sample {
        var sample = PprofDocument.Sample(locationIDs: [], values: [])
        var reader = message
        while let field = try reader.nextField(bytes) {
            switch field.number {
            case 1:
                try reader.appendVarints(field, bytes, to: &sample.locationIDs)
            case 2:
                try reader.appendVarints(field, bytes, to: &sample.values)
            case 3:
                sample.labels.append(try label(reader.message(field, bytes), bytes))
                try take(8)
            default: try reader.skip(field, bytes)
            }
        }
        try take(sample.locationIDs.count + sample.values.count)
        try Self.limit(
            sample.locationIDs.count, "entries in a sample's stack", limits.stackDepth)
        return sample
    }

    private func label(
        _ message: WireCursor, _ bytes: Span<UInt8>
    ) throws -> PprofDocument.SampleLabel {
        var label = PprofDocument.SampleLabel(key: "")
        var reader = message
        while let field = try reader.nextField(bytes) {
            switch field.number {
            case 1: label.key = try string(reader.unsigned(field, bytes))
            case 2: label.text = try string(reader.unsigned(field, bytes))
            case 3: label.number = try reader.signed(field, bytes)
            case 4: label.numberUnit = try string(reader.unsigned(field, bytes))
            default: try reader.skip(field, bytes)
            }
        }
        return label
    }

    private func mapping(
        _ message: WireCursor, _ bytes: Span<UInt8>
    ) throws -> PprofDocument.Mapping {
        var mapping = PprofDocument.Mapping(id: 0)
        var reader = message
        while let field = try reader.nextField(bytes) {
            switch field.number {
            case 1: mapping.id = try reader.unsigned(field, bytes)
            case 2: mapping.memoryStart = try reader.unsigned(field, bytes)
            case 3: mapping.memoryLimit = try reader.unsigned(field, bytes)
            case 4: mapping.fileOffset = try reader.unsigned(field, bytes)
            case 5: mapping.filename = try string(reader.unsigned(field, bytes))
            case 6: mapping.buildID = try string(reader.unsigned(field, bytes))
            case 7: mapping.hasFunctions = try reader.unsigned(field, bytes) != 0
            case 8: mapping.hasFilenames = try reader.unsigned(field, bytes) != 0
            case 9: mapping.hasLineNumbers = try reader.unsigned(field, bytes) != 0
            case 10: mapping.hasInlineFrames = try reader.unsigned(field, bytes) != 0
            default: try reader.skip(field, bytes)
            }
        }
        return mapping
    }

    private mutating func location(
        _ message: WireCursor, _ bytes: Span<UInt8>
    ) throws -> PprofDocument.Location {
        var location = PprofDocument.Location(id: 0)
        var reader = message
        while let field = try reader.nextField(bytes) {
            switch field.number {
            case 1: location.id = try reader.unsigned(field, bytes)
            case 2: location.mappingID = try reader.unsigned(field, bytes)
            case 3: location.address = try reader.unsigned(field, bytes)
            case 4:
                location.lines.append(try line(reader.message(field, bytes), bytes))
                try take(3)
            case 5: location.isFolded = try reader.unsigned(field, bytes) != 0
            default: try reader.skip(field, bytes)
            }
        }
        return location
    }

    private func line(
        _ message: WireCursor, _ bytes: Span<UInt8>
    ) throws -> PprofDocument.Line {
        var line = PprofDocument.Line(functionID: 0)
        var reader = message
        while let field = try reader.nextField(bytes) {
            switch field.number {
            case 1: line.functionID = try reader.unsigned(field, bytes)
            case 2: line.line = try reader.signed(field, bytes)
            case 3: line.column = try reader.signed(field, bytes)
            default: try reader.skip(field, bytes)
            }
        }
        return line
    }

    private func function(
        _ message: WireCursor, _ bytes: Span<UInt8>
    ) throws -> PprofDocument.Function {
        var function = PprofDocument.Function(id: 0)
        var reader = message
        while let field = try reader.nextField(bytes) {
            switch field.number {
            case 1: function.id = try reader.unsigned(field, bytes)
            case 2: function.name = try string(reader.unsigned(field, bytes))
            case 3: function.systemName = try string(reader.unsigned(field, bytes))
            case 4: function.filename = try string(reader.unsigned(field, bytes))
            case 5: function.startLine = try reader.signed(field, bytes)
            default: try reader.skip(field, bytes)
            }
        }
        return function
    }
}
