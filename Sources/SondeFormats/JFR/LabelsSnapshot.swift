// SPDX-License-Identifier: Apache-2.0
// Reads the labels that Pyroscope's Java agent sends beside a JFR recording.

package import SondeModel
internal import SondeWire

/// The labels of each context of a recording, and the texts that it refers to.
///
/// Source: grafana/pyroscope-java, `labels.proto`: `contexts` = 1, a map from id to a map (1) of
/// string ids, and `strings` = 2, a map from id to text.
package struct LabelsSnapshot: Sendable {
    private var contexts: [Int64: [(name: Int64, value: Int64)]] = [:]
    private var strings: [Int64: String] = [:]

    private static let format = "JFR labels"

    /// A snapshot of nothing.
    package init() {}

    /// Reads a snapshot, gzipped or plain.
    ///
    /// - Parameters:
    ///   - bytes: The message, from untrusted hands.
    ///   - limits: What may be held in memory at most.
    /// - Returns: The snapshot.
    /// - Throws: ``FormatError``.
    package static func decode(
        _ bytes: [UInt8], limits: FormatLimits = FormatLimits()
    ) throws(FormatError) -> LabelsSnapshot {
        let bytes = try JFRRecording.expanded(bytes, format, limits)
        var snapshot = LabelsSnapshot()
        do {
            try snapshot.read(bytes[...], limits)
        } catch let error as FormatError {
            throw error
        } catch {
            throw FormatError(.malformed, "cannot read \(format): \(error)")
        }
        return snapshot
    }

    /// The labels of a context, in order of their names; none for one that is not known.
    package func labels(of context: Int64) -> [Label] {
        (contexts[context] ?? []).compactMap { pair in
            guard let name = strings[pair.name], let value = strings[pair.value] else { return nil }
            return Label(name: name, value: value)
        }.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    }

    /// A text by its id, such as a span's name.
    package func string(_ id: Int64) -> String? { strings[id] }

    private mutating func read(_ bytes: ArraySlice<UInt8>, _ limits: FormatLimits) throws {
        var count = 0
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            count += 1
            guard count <= limits.tableEntries else {
                throw FormatError.tooMany(Self.format, "entries", limit: limits.tableEntries)
            }
            switch field.number {
            case 1:
                var key: Int64 = 0
                var value = bytes[bytes.endIndex...]
                var entry = ProtobufReader(try reader.slice(field))
                while let field = try entry.nextField() {
                    switch field.number {
                    case 1: key = try entry.signed(field)
                    case 2: value = try entry.slice(field)
                    default: try entry.skip(field)
                    }
                }
                contexts[key] = try Self.context(value, &count, limits)
            case 2:
                var key: Int64 = 0
                var text = ""
                var entry = ProtobufReader(try reader.slice(field))
                while let field = try entry.nextField() {
                    switch field.number {
                    case 1: key = try entry.signed(field)
                    case 2: text = try entry.string(field)
                    default: try entry.skip(field)
                    }
                }
                strings[key] = text
            default: try reader.skip(field)
            }
        }
    }

    private static func context(
        _ bytes: ArraySlice<UInt8>, _ count: inout Int, _ limits: FormatLimits
    ) throws -> [(name: Int64, value: Int64)] {
        var pairs: [(name: Int64, value: Int64)] = []
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            guard field.number == 1 else {
                try reader.skip(field)
                continue
            }
            var pair = (name: Int64(0), value: Int64(0))
            var entry = ProtobufReader(try reader.slice(field))
            while let field = try entry.nextField() {
                switch field.number {
                case 1: pair.name = try entry.signed(field)
                case 2: pair.value = try entry.signed(field)
                default: try entry.skip(field)
                }
            }
            count += 1
            guard count <= limits.tableEntries else {
                throw FormatError.tooMany(format, "entries", limit: limits.tableEntries)
            }
            pairs.append(pair)
        }
        return pairs
    }
}
