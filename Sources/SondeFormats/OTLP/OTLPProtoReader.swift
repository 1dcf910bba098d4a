// SPDX-License-Identifier: Apache-2.0
// Reads an OTLP profiles request from protobuf.

internal import SondeModel
internal import SondeWire

/// The state of one reading of a request in protobuf.
struct OTLPProtoReader {
    private let limits: FormatLimits
    private var request = OTLPRequest()
    private var elements = 0

    static func read(
        _ bytes: ArraySlice<UInt8>, _ limits: FormatLimits
    ) throws(FormatError) -> OTLPRequest {
        var reader = OTLPProtoReader(limits: limits)
        do {
            try reader.read(bytes)
        } catch let error as FormatError {
            throw error
        } catch {
            throw FormatError(.malformed, "cannot read \(OTLPProfiles.format): \(error)")
        }
        return reader.request
    }

    private init(limits: FormatLimits) { self.limits = limits }

    private mutating func read(_ bytes: ArraySlice<UInt8>) throws {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try readResource(reader.slice(field))
            case 2: try readTables(reader.slice(field))
            default: try reader.skip(field)
            }
        }
    }

    private mutating func take(_ count: Int) throws(FormatError) {
        elements += count
        guard elements <= limits.nodes else {
            throw .tooMany(OTLPProfiles.format, "numbers in lists", limit: limits.nodes)
        }
    }

    private func checkRoom(_ count: Int, _ what: String) throws(FormatError) {
        guard count < limits.tableEntries else {
            throw .tooMany(OTLPProfiles.format, what, limit: limits.tableEntries)
        }
    }

    private mutating func numbers(
        _ field: ProtobufReader.Field, _ reader: inout ProtobufReader, into list: inout [UInt64]
    ) throws {
        let before = list.count
        try reader.appendVarints(field, to: &list)
        try take(list.count - before)
    }
}

// Resources, scopes and profiles.
extension OTLPProtoReader {
    private mutating func readResource(_ bytes: ArraySlice<UInt8>) throws {
        var origin = OTLPRequest.Origin()
        var scopes: [ArraySlice<UInt8>] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: origin.resource += try attributes(of: reader.slice(field), field: 1)
            case 2:
                try checkRoom(scopes.count, "scopes")
                scopes.append(try reader.slice(field))
            default: try reader.skip(field)
            }
        }
        for scope in scopes { try readScope(scope, origin) }
    }

    private mutating func readScope(_ bytes: ArraySlice<UInt8>, _ outer: OTLPRequest.Origin) throws
    {
        var origin = outer
        var profiles: [ArraySlice<UInt8>] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1:
                let scope = try reader.slice(field)
                origin.scope += try attributes(of: scope, field: 3)
                var inner = ProtobufReader(scope)
                while let field = try inner.nextField() {
                    switch field.number {
                    case 1: origin.scopeName = try inner.string(field)
                    case 2: origin.scopeVersion = try inner.string(field)
                    default: try inner.skip(field)
                    }
                }
            case 2:
                try checkRoom(profiles.count, "profiles")
                profiles.append(try reader.slice(field))
            default: try reader.skip(field)
            }
        }
        for profile in profiles {
            guard request.profiles.count < limits.profiles else {
                throw FormatError.tooMany(
                    OTLPProfiles.format, "profiles", limit: limits.profiles)
            }
            request.profiles.append(try readProfile(profile, origin))
        }
    }

    private mutating func readProfile(
        _ bytes: ArraySlice<UInt8>, _ origin: OTLPRequest.Origin
    ) throws -> OTLPRequest.Profile {
        var profile = OTLPRequest.Profile(origin: origin)
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: profile.type = try valueType(reader.slice(field))
            case 2:
                try checkRoom(profile.samples.count, "samples")
                let sample = try sample(reader.slice(field), into: &profile.numbers)
                profile.samples.append(sample)
            case 3:
                // Until 1.8 the stacks of the samples stood here.
                guard field.type == .fixed64 else { throw OTLPProfiles.tooOld }
                profile.time = try reader.fixed64(field)
            case 4: profile.duration = try reader.unsigned(field)
            case 5: profile.periodType = try valueType(reader.slice(field))
            case 6: profile.period = try reader.signed(field)
            case 7: profile.id = Array(try reader.slice(field).prefix(16))
            case 11: try numbers(field, &reader, into: &profile.attributes)
            default: try reader.skip(field)
            }
        }
        return profile
    }

    private mutating func sample(
        _ bytes: ArraySlice<UInt8>, into numbers: inout [UInt64]
    ) throws -> OTLPRequest.Sample {
        var sample = OTLPRequest.Sample()
        func list(
            _ field: ProtobufReader.Field, _ reader: inout ProtobufReader,
            _ range: inout Range<Int32>
        ) throws {
            // Of a list that comes in several pieces only the last is kept whole: no writer makes
            // them, and joining them would take a copy each.
            let start = numbers.count
            try reader.appendVarints(field, to: &numbers)
            range = Int32(clamping: start)..<Int32(clamping: numbers.count)
        }
        let before = numbers.count
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch (field.number, field.type) {
            case (1, _): sample.stack = try reader.unsigned(field)
            case (2, _): try list(field, &reader, &sample.lists.second)
            case (3, .lengthDelimited): try list(field, &reader, &sample.lists.third)
            case (3, _): sample.third = try reader.unsigned(field)
            case (4, .lengthDelimited): try list(field, &reader, &sample.lists.fourth)
            case (4, _): sample.fourth = try reader.unsigned(field)
            case (5, .lengthDelimited):
                sample.timestamps += try reader.slice(field).count / 8
            case (5, .fixed64):
                try reader.skip(field)
                sample.timestamps += 1
            case (6, _): throw OTLPProfiles.tooOld
            default: try reader.skip(field)
            }
        }
        try take(numbers.count - before)
        return sample
    }

    private func valueType(_ bytes: ArraySlice<UInt8>) throws -> OTLPRequest.ValueType {
        var type = OTLPRequest.ValueType()
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: type.type = try reader.unsigned(field)
            case 2: type.unit = try reader.unsigned(field)
            default: try reader.skip(field)
            }
        }
        return type
    }

    /// The attributes that stand in field `number` of a message.
    private mutating func attributes(
        of bytes: ArraySlice<UInt8>, field number: Int
    ) throws -> [OTLPRequest.Attribute] {
        var attributes: [OTLPRequest.Attribute] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            guard field.number == number else {
                try reader.skip(field)
                continue
            }
            try take(8)
            attributes.append(try attribute(reader.slice(field)))
        }
        return attributes
    }

    private func attribute(_ bytes: ArraySlice<UInt8>) throws -> OTLPRequest.Attribute {
        var attribute = OTLPRequest.Attribute()
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: attribute.key = .literal(try reader.string(field))
            case 2: attribute.value = try value(reader.slice(field))
            case 3: attribute.key = .index(try reader.unsigned(field))
            default: try reader.skip(field)
            }
        }
        return attribute
    }

    /// A text, a number or a truth value as text; lists and bytes are no labels.
    private func value(_ bytes: ArraySlice<UInt8>) throws -> OTLPRequest.Text? {
        var value: OTLPRequest.Text?
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: value = .literal(try reader.string(field))
            case 2: value = .literal(String(try reader.bool(field)))
            case 3: value = .literal(String(try reader.signed(field)))
            case 4: value = .literal(String(try reader.double(field)))
            case 8: value = .index(try reader.unsigned(field))
            default: try reader.skip(field)
            }
        }
        return value
    }
}

// The tables.
extension OTLPProtoReader {
    private mutating func readTables(_ bytes: ArraySlice<UInt8>) throws {
        var tables = request.tables
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1:
                try checkRoom(tables.mappings.count, "mappings")
                tables.mappings.append(try mapping(reader.slice(field)))
            case 2:
                try checkRoom(tables.locations.count, "locations")
                tables.locations.append(try location(reader.slice(field)))
            case 3:
                try checkRoom(tables.functions.count, "functions")
                tables.functions.append(try function(reader.slice(field)))
            case 4:
                try checkRoom(tables.links.count, "links")
                tables.links.append(try link(reader.slice(field)))
            case 5:
                try checkRoom(tables.strings.count, "strings")
                tables.strings.append(try reader.string(field))
            case 6:
                try checkRoom(tables.attributes.count, "attributes")
                tables.attributes.append(try keyValueAndUnit(reader.slice(field)))
            case 7:
                try checkRoom(tables.stacks.count, "stacks")
                tables.stacks.append(try stack(reader.slice(field)))
            default: try reader.skip(field)
            }
        }
        request.tables = tables
    }

    private mutating func stack(_ bytes: ArraySlice<UInt8>) throws -> [UInt64] {
        var locations: [UInt64] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            guard field.number == 1 else {
                try reader.skip(field)
                continue
            }
            try numbers(field, &reader, into: &locations)
        }
        return locations
    }

    private mutating func mapping(_ bytes: ArraySlice<UInt8>) throws -> OTLPTables.Mapping {
        var mapping = OTLPTables.Mapping()
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: mapping.start = try reader.unsigned(field)
            case 2: mapping.limit = try reader.unsigned(field)
            case 3: mapping.fileOffset = try reader.unsigned(field)
            case 4: mapping.filename = try reader.unsigned(field)
            case 5: try numbers(field, &reader, into: &mapping.attributes)
            default: try reader.skip(field)
            }
        }
        return mapping
    }

    private mutating func location(_ bytes: ArraySlice<UInt8>) throws -> OTLPTables.Location {
        var location = OTLPTables.Location()
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: location.mapping = try reader.unsigned(field)
            case 2: location.address = try reader.unsigned(field)
            case 3:
                try take(1)
                location.functions.append(try lineFunction(reader.slice(field)))
            default: try reader.skip(field)
            }
        }
        return location
    }

    private func lineFunction(_ bytes: ArraySlice<UInt8>) throws -> UInt64 {
        var function: UInt64 = 0
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            if field.number == 1 {
                function = try reader.unsigned(field)
            } else {
                try reader.skip(field)
            }
        }
        return function
    }

    private func function(_ bytes: ArraySlice<UInt8>) throws -> OTLPTables.Function {
        var function = OTLPTables.Function()
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: function.name = try reader.unsigned(field)
            case 2: function.systemName = try reader.unsigned(field)
            case 3: function.filename = try reader.unsigned(field)
            case 4: function.startLine = try reader.signed(field)
            default: try reader.skip(field)
            }
        }
        return function
    }

    private func link(_ bytes: ArraySlice<UInt8>) throws -> OTLPTables.Link {
        var link = OTLPTables.Link()
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: link.trace = TraceID(otlp: try reader.slice(field))
            case 2: link.span = SpanID(otlp: try reader.slice(field))
            default: try reader.skip(field)
            }
        }
        return link
    }

    private func keyValueAndUnit(_ bytes: ArraySlice<UInt8>) throws -> OTLPRequest.Attribute {
        var attribute = OTLPRequest.Attribute(key: .index(0))
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: attribute.key = .index(try reader.unsigned(field))
            case 2: attribute.value = try value(reader.slice(field))
            default: try reader.skip(field)
            }
        }
        return attribute
    }
}

extension SpanID {
    /// An id from its eight bytes; `nil` for any other number of them, and for all zeros.
    init?(otlp bytes: some Collection<UInt8>) {
        guard bytes.count == 8 else { return nil }
        let number = bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        guard number != 0 else { return nil }
        self.init(number)
    }
}

extension TraceID {
    /// An id from its sixteen bytes; `nil` for any other number of them, and for all zeros.
    init?(otlp bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        let high = bytes.prefix(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        let low = bytes.dropFirst(8).reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
        guard high != 0 || low != 0 else { return nil }
        self.init(high: high, low: low)
    }
}
