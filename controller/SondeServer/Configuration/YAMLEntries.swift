// SPDX-License-Identifier: Apache-2.0
// Flattens a YAML document into keys with dots, values and lines, over libyaml.

internal import CYAML

/// One value of a document, with the keys that lead to it.
struct YAMLEntry: Sendable {
    /// The keys, joined by dots.
    var key: String
    var value: YAMLValue
    /// The key's line, from 1.
    var line: Int
}

/// Why a text is not the YAML that is wanted.
struct YAMLError: Error, Sendable {
    var line: Int
    var message: String
}

/// Reads documents of nested mappings whose leaves are scalars and lists of scalars.
struct YAMLEntries: ~Copyable {
    /// How deep mappings may be nested.
    private static let depthLimit = 8

    private var parser = yaml_parser_t()
    private var entries: [YAMLEntry] = []

    /// The entries of a document, in order; none when it is empty.
    static func parse(_ bytes: [UInt8]) throws(YAMLError) -> [YAMLEntry] {
        var reader = YAMLEntries()
        guard yaml_parser_initialize(&reader.parser) == 1 else {
            throw YAMLError(line: 0, message: "no memory")
        }
        defer { yaml_parser_delete(&reader.parser) }
        let result: Result<Void, YAMLError> = bytes.withUnsafeBufferPointer { buffer in
            // Safety: the parser reads `count` bytes at most, and is done with them before the
            // buffer ends; an empty buffer's address is never read.
            yaml_parser_set_input_string(&reader.parser, buffer.baseAddress, buffer.count)
            do throws(YAMLError) {
                try reader.document()
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return reader.entries
    }

    private enum Event {
        case scalar(String)
        case mappingStart, mappingEnd, sequenceStart, sequenceEnd
        case documentEnd, streamEnd, alias
        case other
    }

    private mutating func next() throws(YAMLError) -> (Event, line: Int) {
        var event = yaml_event_t()
        guard yaml_parser_parse(&parser, &event) == 1 else {
            let problem = parser.problem.map { String(cString: $0) } ?? "malformed"
            throw YAMLError(
                line: Int(parser.problem_mark.line) + 1,
                message: "got malformed YAML (\(problem)); want key: value")
        }
        defer { yaml_event_delete(&event) }
        let line = Int(event.start_mark.line) + 1
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            // Safety: libyaml holds `length` bytes at `value` until the event is deleted.
            let text = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            return (.scalar(String(decoding: text, as: UTF8.self)), line)
        case YAML_MAPPING_START_EVENT: return (.mappingStart, line)
        case YAML_MAPPING_END_EVENT: return (.mappingEnd, line)
        case YAML_SEQUENCE_START_EVENT: return (.sequenceStart, line)
        case YAML_SEQUENCE_END_EVENT: return (.sequenceEnd, line)
        case YAML_DOCUMENT_END_EVENT: return (.documentEnd, line)
        case YAML_STREAM_END_EVENT: return (.streamEnd, line)
        case YAML_ALIAS_EVENT: return (.alias, line)
        default: return (.other, line)
        }
    }

    private mutating func document() throws(YAMLError) {
        while true {
            let (event, line) = try next()
            switch event {
            case .mappingStart: try mapping(under: [])
            case .streamEnd: return
            case .other, .documentEnd: continue
            case .scalar(let text) where text.isEmpty: continue
            default: throw YAMLError(line: line, message: "got no mapping; want key: value")
            }
        }
    }

    private mutating func mapping(under keys: [String]) throws(YAMLError) {
        while true {
            let (event, line) = try next()
            switch event {
            case .mappingEnd: return
            case .scalar(let key): try value(of: keys + [key], line: line)
            default: throw YAMLError(line: line, message: "got a key that is no text; want a text")
            }
        }
    }

    private mutating func value(of keys: [String], line: Int) throws(YAMLError) {
        let key = keys.joined(separator: ".")
        let (event, valueLine) = try next()
        switch event {
        case .scalar(let text):
            entries.append(YAMLEntry(key: key, value: .scalar(text), line: line))
        case .mappingStart:
            guard keys.count < Self.depthLimit else {
                throw YAMLError(
                    line: valueLine, message: "got keys nested too deep; want two levels")
            }
            try mapping(under: keys)
        case .sequenceStart:
            entries.append(YAMLEntry(key: key, value: .sequence(try sequence()), line: line))
        default:
            throw YAMLError(
                line: valueLine, message: "got an alias under \"\(key)\"; want the value itself")
        }
    }

    private mutating func sequence() throws(YAMLError) -> [String] {
        var list: [String] = []
        while true {
            let (event, line) = try next()
            switch event {
            case .sequenceEnd: return list
            case .scalar(let text): list.append(text)
            default: throw YAMLError(line: line, message: "got a nested list; want texts")
            }
        }
    }
}
