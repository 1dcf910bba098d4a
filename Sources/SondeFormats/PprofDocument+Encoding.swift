// SPDX-License-Identifier: Apache-2.0
// Writes a pprof profile.

internal import SondeWire

extension PprofDocument {
    /// The profile's bytes as `perftools.profiles.Profile`, not compressed.
    ///
    /// Ids stay as they are; the string table begins with `""`, and repeated numbers are packed.
    package func encode() -> [UInt8] {
        var encoder = PprofEncoder(roomForBytes: samples.count * 48 + locations.count * 16)
        encoder.write(self)
        return encoder.bytes
    }
}

/// The state of one encoding: the message so far, and the strings that it referred to.
private struct PprofEncoder {
    private var writer: ProtobufWriter
    private var strings = [""]
    private var indexOf = ["": UInt64(0)]

    init(roomForBytes capacity: Int) { writer = ProtobufWriter(capacity: capacity) }

    var bytes: [UInt8] { writer.bytes }

    private mutating func index(_ text: String) -> UInt64 {
        if let index = indexOf[text] { return index }
        let index = UInt64(strings.count)
        strings.append(text)
        indexOf[text] = index
        return index
    }

    mutating func write(_ document: PprofDocument) {
        for type in document.sampleTypes { write(type, field: 1) }
        for sample in document.samples { write(sample) }
        for mapping in document.mappings { write(mapping) }
        for location in document.locations { write(location) }
        for function in document.functions { write(function) }
        let comments = document.comments.map { index($0) }
        let defaultType = index(document.defaultSampleType)
        let docURL = index(document.docURL)
        if let periodType = document.periodType { write(periodType, field: 11) }
        for text in strings { writer.element(text, field: 6) }
        writer.write(document.timeNanos, field: 9)
        writer.write(document.durationNanos, field: 10)
        writer.write(document.period, field: 12)
        writer.packed(comments, field: 13)
        writer.write(defaultType, field: 14)
        writer.write(docURL, field: 15)
    }

    private mutating func write(_ type: PprofDocument.ValueType, field: Int) {
        let (name, unit) = (index(type.type), index(type.unit))
        writer.message(field: field) { message in
            message.write(name, field: 1)
            message.write(unit, field: 2)
        }
    }

    private mutating func write(_ sample: PprofDocument.Sample) {
        let labels = sample.labels.map { label in
            (index(label.key), index(label.text), label.number, index(label.numberUnit))
        }
        writer.message(field: 2) { message in
            message.packed(sample.locationIDs, field: 1)
            message.packed(sample.values.lazy.map(UInt64.init(bitPattern:)), field: 2)
            for (key, text, number, unit) in labels {
                message.message(field: 3) { label in
                    label.write(key, field: 1)
                    label.write(text, field: 2)
                    label.write(number, field: 3)
                    label.write(unit, field: 4)
                }
            }
        }
    }

    private mutating func write(_ mapping: PprofDocument.Mapping) {
        let (filename, buildID) = (index(mapping.filename), index(mapping.buildID))
        writer.message(field: 3) { message in
            message.write(mapping.id, field: 1)
            message.write(mapping.memoryStart, field: 2)
            message.write(mapping.memoryLimit, field: 3)
            message.write(mapping.fileOffset, field: 4)
            message.write(filename, field: 5)
            message.write(buildID, field: 6)
            message.write(mapping.hasFunctions, field: 7)
            message.write(mapping.hasFilenames, field: 8)
            message.write(mapping.hasLineNumbers, field: 9)
            message.write(mapping.hasInlineFrames, field: 10)
        }
    }

    private mutating func write(_ location: PprofDocument.Location) {
        writer.message(field: 4) { message in
            message.write(location.id, field: 1)
            message.write(location.mappingID, field: 2)
            message.write(location.address, field: 3)
            for line in location.lines {
                message.message(field: 4) { inner in
                    inner.write(line.functionID, field: 1)
                    inner.write(line.line, field: 2)
                    inner.write(line.column, field: 3)
                }
            }
            message.write(location.isFolded, field: 5)
        }
    }

    private mutating func write(_ function: PprofDocument.Function) {
        let name = index(function.name)
        let systemName = index(function.systemName)
        let filename = index(function.filename)
        writer.message(field: 5) { message in
            message.write(function.id, field: 1)
            message.write(name, field: 2)
            message.write(systemName, field: 3)
            message.write(filename, field: 4)
            message.write(function.startLine, field: 5)
        }
    }
}
