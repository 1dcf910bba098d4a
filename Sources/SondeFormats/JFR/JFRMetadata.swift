// SPDX-License-Identifier: Apache-2.0
// Reads a JFR chunk's metadata event: which types there are, and how their values are laid out.

/// The types of one chunk.
struct JFRMetadata {
    private(set) var types: [Int64: JFRType] = [:]

    private static let maximumStrings = 1 << 17
    private static let maximumElements = 1 << 18
    /// The tree is root, metadata, class, field, annotation.
    private static let maximumDepth = 16

    /// Reads the event that begins where `bytes` stand.
    init(_ bytes: inout JFRBytes) throws(FormatError) {
        let start = bytes.position
        let size = try bytes.varint()
        guard size > 0, size <= Int64(bytes.end - start) else {
            throw bytes.malformed("metadata of \(size) bytes", "at most \(bytes.end - start)")
        }
        guard try bytes.varint() == 0 else { throw bytes.malformed("another event", "metadata") }
        for _ in 0..<3 { _ = try bytes.varint() }
        let count = try bytes.count("strings")
        guard count <= Self.maximumStrings else {
            throw .tooMany(JFRRecording.format, "strings of metadata", limit: Self.maximumStrings)
        }
        var strings: [String] = []
        strings.reserveCapacity(count)
        for _ in 0..<count {
            guard case .literal(let text) = try bytes.string() else {
                throw bytes.malformed("a constant as a string of metadata", "its text")
            }
            strings.append(text)
        }
        var elements = 0
        // Open elements: how many children each has left, and the type that fields belong to.
        var open: [(left: Int, type: Int64?)] = []
        repeat {
            if !open.isEmpty { open[open.count - 1].left -= 1 }
            elements += 1
            guard elements <= Self.maximumElements, open.count <= Self.maximumDepth else {
                throw bytes.malformed("metadata without end", "at most \(Self.maximumElements)")
            }
            let element = try Element(&bytes, strings)
            let type = add(element, to: open.last?.type)
            let children = try bytes.count("children")
            open.append((children, type))
            while open.last?.left == 0 { open.removeLast() }
        } while !open.isEmpty
    }

    /// One element of the metadata's tree.
    private struct Element {
        var name: String
        var attributes: [String: String] = [:]

        init(_ bytes: inout JFRBytes, _ strings: [String]) throws(FormatError) {
            name = try Self.string(&bytes, strings)
            for _ in 0..<(try bytes.count("attributes")) {
                let key = try Self.string(&bytes, strings)
                attributes[key] = try Self.string(&bytes, strings)
            }
        }

        private static func string(
            _ bytes: inout JFRBytes, _ strings: [String]
        ) throws(FormatError) -> String {
            let index = try bytes.varint()
            guard index >= 0, index < Int64(strings.count) else {
                throw bytes.malformed("the string \(index)", "0..<\(strings.count)")
            }
            return strings[Int(index)]
        }
    }

    /// Takes a class or a field; returns the type that the element's children belong to.
    private mutating func add(_ element: Element, to type: Int64?) -> Int64? {
        func number(_ name: String) -> Int64? { element.attributes[name].flatMap { Int64($0) } }
        switch element.name {
        case "class":
            guard let id = number("id"), let name = element.attributes["name"] else { return nil }
            types[id] = JFRType(name: name)
            return id
        case "field":
            guard let type, let fieldType = number("class"),
                let name = element.attributes["name"]
            else { return nil }
            types[type]?.fields.append(
                JFRField(
                    name: name, type: fieldType,
                    isConstant: element.attributes["constantPool"] == "true",
                    isArray: (number("dimension") ?? 0) > 0))
            return nil
        default: return nil
        }
    }
}

/// A type of a chunk: an event, or something that is kept in a pool of constants.
struct JFRType {
    var name: String
    var fields: [JFRField] = []
}

/// A field of a type.
struct JFRField {
    var name: String
    var type: Int64
    var isConstant: Bool
    var isArray: Bool
}

/// What a type's value took out of the bytes: the fields that were asked for, by their place in
/// the question.
struct JFRRecord {
    var numbers: [Int64]
    var texts: [JFRText?]
}

extension JFRMetadata {
    private static let maximumNesting = 8

    /// Reads a value of a type and keeps the numbers and texts of some of its fields.
    ///
    /// - Parameters:
    ///   - type: The type's id.
    ///   - bytes: Where the value begins, and ends afterwards.
    ///   - wanted: The names of the fields to keep.
    ///   - onArray: Reads the elements of an array field, by name; `false` when it passed over none.
    /// - Returns: The fields that were asked for.
    /// - Throws: ``FormatError`` where the bytes do not fit the type.
    func read(
        _ type: Int64, _ bytes: inout JFRBytes, _ wanted: [String],
        onArray: (String, JFRField, Int, inout JFRBytes) throws(FormatError) -> Bool = {
            (_, _, _, _) throws(FormatError) in false
        }
    ) throws(FormatError) -> JFRRecord {
        guard let layout = types[type] else {
            throw bytes.malformed("a value of the unknown type \(type)", "one of the metadata's")
        }
        var record = JFRRecord(
            numbers: [Int64](repeating: 0, count: wanted.count),
            texts: [JFRText?](repeating: nil, count: wanted.count))
        for field in layout.fields {
            if field.isArray {
                let count = try bytes.count("elements")
                if try onArray(field.name, field, count, &bytes) { continue }
                for _ in 0..<count { try skip(field, &bytes, 1) }
            } else if let slot = wanted.firstIndex(of: field.name) {
                try keep(field, &bytes, &record, slot)
            } else {
                try skip(field, &bytes, 1)
            }
        }
        return record
    }

    private func keep(
        _ field: JFRField, _ bytes: inout JFRBytes, _ record: inout JFRRecord, _ slot: Int
    ) throws(FormatError) {
        if field.isConstant {
            record.numbers[slot] = try bytes.varint()
            return
        }
        switch types[field.type]?.name {
        case "long", "int", "short", "char": record.numbers[slot] = try bytes.varint()
        case "byte", "boolean": record.numbers[slot] = Int64(try bytes.byte())
        case "java.lang.String": record.texts[slot] = try bytes.string()
        default: try skip(field, &bytes, 1)
        }
    }

    /// Passes over one value of a field, not counting how many an array has.
    func skip(_ field: JFRField, _ bytes: inout JFRBytes, _ depth: Int) throws(FormatError) {
        try bytes.step()
        if field.isConstant {
            _ = try bytes.varint()
            return
        }
        guard let type = types[field.type] else {
            throw bytes.malformed(
                "a field of the unknown type \(field.type)", "one of the metadata's")
        }
        switch type.name {
        case "long", "int", "short", "char": _ = try bytes.varint()
        case "byte", "boolean": try bytes.skip(1)
        case "float": try bytes.skip(4)
        case "double": try bytes.skip(8)
        case "java.lang.String": try bytes.skipString()
        default:
            guard depth < Self.maximumNesting else {
                throw bytes.malformed("types inside of each other", "\(Self.maximumNesting) deep")
            }
            for inner in type.fields {
                let count = inner.isArray ? try bytes.count("elements") : 1
                for _ in 0..<count { try skip(inner, &bytes, depth + 1) }
            }
        }
    }
}
