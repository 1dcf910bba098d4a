// SPDX-License-Identifier: Apache-2.0
// Reads an OTLP profiles request from JSON.

internal import SondeModel
internal import SondeWire

/// The state of one reading of a request in JSON.
///
/// Names may be in lower camel case, as OTLP demands, or as the protocol's definition has them.
struct OTLPJSONReader {
    private let limits: FormatLimits
    private var request = OTLPRequest()
    private var elements = 0
    /// The error to throw when reading ended with one that is not about JSON.
    private var failure: FormatError?

    static func read(_ bytes: [UInt8], _ limits: FormatLimits) throws(FormatError) -> OTLPRequest {
        var state = OTLPJSONReader(limits: limits)
        do throws(JSONError) {
            var reader = JSONReader(bytes)
            try state.readRequest(&reader)
            try reader.end()
        } catch {
            throw state.failure
                ?? FormatError(.malformed, "cannot read \(OTLPProfiles.format): \(error)")
        }
        state.request.isNamed = true
        return state.request
    }

    private init(limits: FormatLimits) { self.limits = limits }

    private mutating func checkRoom(
        _ count: Int, _ limit: Int, _ what: String
    ) throws(JSONError) {
        guard count < limit else {
            failure = .tooMany(OTLPProfiles.format, what, limit: limit)
            throw JSONError("too many")
        }
    }

    /// Reads an object, unless it is null; members that `member` does not know it must skip.
    private func object(
        _ reader: inout JSONReader,
        _ member: (inout JSONReader, String) throws(JSONError) -> Void
    ) throws(JSONError) {
        if reader.null() { return }
        try reader.object { reader, name throws(JSONError) in
            if reader.null() { return }
            try member(&reader, OTLPNames.camelCase(name))
        }
    }

    private mutating func numbers(_ reader: inout JSONReader) throws(JSONError) -> [UInt64] {
        var numbers: [UInt64] = []
        try reader.array { reader throws(JSONError) in
            elements += 1
            try checkRoom(elements, limits.nodes, "numbers in lists")
            numbers.append(UInt64(bitPattern: try reader.int64()))
        }
        return numbers
    }
}

// Resources, scopes and profiles.
extension OTLPJSONReader {
    private mutating func readRequest(_ reader: inout JSONReader) throws(JSONError) {
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "resourceProfiles":
                try reader.array { reader throws(JSONError) in try readResource(&reader) }
            case "dictionary": try readTables(&reader)
            default: try reader.skip()
            }
        }
    }

    private mutating func readResource(_ reader: inout JSONReader) throws(JSONError) {
        var origin = OTLPRequest.Origin()
        // The resource may stand behind the profiles that it is about.
        let first = request.profiles.count
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "resource":
                try object(&reader) { reader, name throws(JSONError) in
                    guard name == "attributes" else { return try reader.skip() }
                    origin.resource = try attributes(&reader)
                }
            case "scopeProfiles":
                try reader.array { reader throws(JSONError) in try readScope(&reader) }
            default: try reader.skip()
            }
        }
        for index in first..<request.profiles.count {
            request.profiles[index].origin.resource = origin.resource
        }
    }

    private mutating func readScope(_ reader: inout JSONReader) throws(JSONError) {
        var origin = OTLPRequest.Origin()
        let first = request.profiles.count
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "scope":
                try object(&reader) { reader, name throws(JSONError) in
                    switch name {
                    case "name": origin.scopeName = try reader.string()
                    case "version": origin.scopeVersion = try reader.string()
                    case "attributes": origin.scope = try attributes(&reader)
                    default: try reader.skip()
                    }
                }
            case "profiles":
                try reader.array { reader throws(JSONError) in
                    try checkRoom(request.profiles.count, limits.profiles, "profiles")
                    request.profiles.append(try readProfile(&reader))
                }
            default: try reader.skip()
            }
        }
        for index in first..<request.profiles.count { request.profiles[index].origin = origin }
    }

    private mutating func readProfile(
        _ reader: inout JSONReader
    ) throws(JSONError) -> OTLPRequest.Profile {
        var profile = OTLPRequest.Profile(origin: .init())
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "sampleType": profile.type = try valueType(&reader)
            case "periodType": profile.periodType = try valueType(&reader)
            case "period": profile.period = try reader.int64()
            case "timeUnixNano": profile.time = try reader.uint64()
            case "durationNano": profile.duration = try reader.uint64()
            case "profileId": profile.id = try id(&reader, 16)
            case "attributeIndices": profile.attributes = try numbers(&reader)
            case "sample", "timeNanos", "locationIndices":
                // Names that it had until 1.8.
                failure = OTLPProfiles.tooOld
                throw JSONError("too old")
            case "samples":
                try reader.array { reader throws(JSONError) in
                    try checkRoom(profile.samples.count, limits.tableEntries, "samples")
                    let sample = try readSample(&reader, into: &profile.numbers)
                    profile.samples.append(sample)
                }
            default: try reader.skip()
            }
        }
        return profile
    }

    private mutating func readSample(
        _ reader: inout JSONReader, into list: inout [UInt64]
    ) throws(JSONError) -> OTLPRequest.Sample {
        var sample = OTLPRequest.Sample()
        func range(_ numbers: [UInt64]) -> Range<Int32> {
            let start = list.count
            list += numbers
            return Int32(clamping: start)..<Int32(clamping: list.count)
        }
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "stackIndex": sample.stack = try reader.uint64()
            case "attributeIndices": sample.lists.second = range(try numbers(&reader))
            case "linkIndex": sample.third = try reader.uint64()
            case "values": sample.lists.fourth = range(try numbers(&reader))
            case "timestampsUnixNano":
                try reader.array { reader throws(JSONError) in
                    _ = try reader.uint64()
                    sample.timestamps += 1
                }
            default: try reader.skip()
            }
        }
        return sample
    }

    private func valueType(_ reader: inout JSONReader) throws(JSONError) -> OTLPRequest.ValueType {
        var type = OTLPRequest.ValueType()
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "typeStrindex": type.type = try reader.uint64()
            case "unitStrindex": type.unit = try reader.uint64()
            default: try reader.skip()
            }
        }
        return type
    }

    /// Bytes in hexadecimal, which OTLP demands for ids, or base64, which protobuf's JSON has.
    private func id(_ reader: inout JSONReader, _ count: Int) throws(JSONError) -> [UInt8] {
        var ahead = reader
        let text = try ahead.string()
        if text.utf8.count == count * 2, let bytes = BuildID(hex: text)?.bytes {
            reader = ahead
            return bytes
        }
        return try reader.base64()
    }

    private mutating func attributes(
        _ reader: inout JSONReader
    ) throws(JSONError) -> [OTLPRequest.Attribute] {
        var attributes: [OTLPRequest.Attribute] = []
        try reader.array { reader throws(JSONError) in
            elements += 8
            try checkRoom(elements, limits.nodes, "attributes")
            attributes.append(try attribute(&reader))
        }
        return attributes
    }

    private func attribute(_ reader: inout JSONReader) throws(JSONError) -> OTLPRequest.Attribute {
        var attribute = OTLPRequest.Attribute()
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "key": attribute.key = .literal(try reader.string())
            case "keyStrindex": attribute.key = .index(try reader.uint64())
            case "value": attribute.value = try value(&reader)
            default: try reader.skip()
            }
        }
        return attribute
    }

    private func value(_ reader: inout JSONReader) throws(JSONError) -> OTLPRequest.Text? {
        var value: OTLPRequest.Text?
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "stringValue": value = .literal(try reader.string())
            case "boolValue": value = .literal(String(try reader.bool()))
            case "intValue": value = .literal(String(try reader.int64()))
            case "doubleValue": value = .literal(String(try reader.double()))
            case "stringValueStrindex": value = .index(try reader.uint64())
            default: try reader.skip()
            }
        }
        return value
    }
}

// The tables.
extension OTLPJSONReader {
    private mutating func readTables(_ reader: inout JSONReader) throws(JSONError) {
        try object(&reader) { reader, name throws(JSONError) in
            guard name.hasSuffix("Table") else { return try reader.skip() }
            try reader.array { reader throws(JSONError) in try readEntry(&reader, of: name) }
        }
    }

    private mutating func readEntry(
        _ reader: inout JSONReader, of table: String
    ) throws(JSONError) {
        let most = limits.tableEntries
        switch table {
        case "stringTable":
            try checkRoom(request.tables.strings.count, most, "strings")
            request.tables.strings.append(try reader.string())
        case "mappingTable":
            try checkRoom(request.tables.mappings.count, most, "mappings")
            request.tables.mappings.append(try mapping(&reader))
        case "locationTable":
            try checkRoom(request.tables.locations.count, most, "locations")
            request.tables.locations.append(try location(&reader))
        case "functionTable":
            try checkRoom(request.tables.functions.count, most, "functions")
            request.tables.functions.append(try function(&reader))
        case "linkTable":
            try checkRoom(request.tables.links.count, most, "links")
            request.tables.links.append(try link(&reader))
        case "attributeTable":
            try checkRoom(request.tables.attributes.count, most, "attributes")
            var attribute = try attribute(&reader)
            if case .literal = attribute.key { attribute.key = .index(0) }
            request.tables.attributes.append(attribute)
        case "stackTable":
            try checkRoom(request.tables.stacks.count, most, "stacks")
            request.tables.stacks.append(try stack(&reader))
        default: try reader.skip()
        }
    }

    private mutating func stack(_ reader: inout JSONReader) throws(JSONError) -> [UInt64] {
        var locations: [UInt64] = []
        try object(&reader) { reader, name throws(JSONError) in
            guard name == "locationIndices" else { return try reader.skip() }
            locations = try numbers(&reader)
        }
        return locations
    }

    private mutating func mapping(
        _ reader: inout JSONReader
    ) throws(JSONError) -> OTLPTables.Mapping {
        var mapping = OTLPTables.Mapping()
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "memoryStart": mapping.start = try reader.uint64()
            case "memoryLimit": mapping.limit = try reader.uint64()
            case "fileOffset": mapping.fileOffset = try reader.uint64()
            case "filenameStrindex": mapping.filename = try reader.uint64()
            case "attributeIndices": mapping.attributes = try numbers(&reader)
            default: try reader.skip()
            }
        }
        return mapping
    }

    private mutating func location(
        _ reader: inout JSONReader
    ) throws(JSONError) -> OTLPTables.Location {
        var location = OTLPTables.Location()
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "mappingIndex": location.mapping = try reader.uint64()
            case "address": location.address = try reader.uint64()
            case "lines":
                try reader.array { reader throws(JSONError) in
                    elements += 1
                    try checkRoom(elements, limits.nodes, "lines")
                    var function: UInt64 = 0
                    try object(&reader) { reader, name throws(JSONError) in
                        guard name == "functionIndex" else { return try reader.skip() }
                        function = try reader.uint64()
                    }
                    location.functions.append(function)
                }
            default: try reader.skip()
            }
        }
        return location
    }

    private func function(_ reader: inout JSONReader) throws(JSONError) -> OTLPTables.Function {
        var function = OTLPTables.Function()
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "nameStrindex": function.name = try reader.uint64()
            case "systemNameStrindex": function.systemName = try reader.uint64()
            case "filenameStrindex": function.filename = try reader.uint64()
            case "startLine": function.startLine = try reader.int64()
            default: try reader.skip()
            }
        }
        return function
    }

    private func link(_ reader: inout JSONReader) throws(JSONError) -> OTLPTables.Link {
        var link = OTLPTables.Link()
        try object(&reader) { reader, name throws(JSONError) in
            switch name {
            case "traceId": link.trace = TraceID(otlp: try id(&reader, 16))
            case "spanId": link.span = SpanID(otlp: try id(&reader, 8))
            default: try reader.skip()
            }
        }
        return link
    }
}

/// The names of members.
enum OTLPNames {
    /// `stack_index` as `stackIndex`; what has no underscore stays as it is.
    static func camelCase(_ name: String) -> String {
        guard name.utf8.contains(UInt8(ascii: "_")) else { return name }
        var result = ""
        var isAfter = false
        for character in name {
            if character == "_" {
                isAfter = true
            } else {
                result += isAfter ? character.uppercased() : String(character)
                isAfter = false
            }
        }
        return result
    }
}
