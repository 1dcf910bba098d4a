// SPDX-License-Identifier: Apache-2.0
// From a pprof document to the message that answers hold.

internal import SondeFormats

extension GoogleProfile {
    /// The message of a document.
    init(_ document: PprofDocument) {
        var strings = StringTable()
        sampleType = document.sampleTypes.map { strings.message($0) }
        sample = document.samples.map { sample in
            var message = GoogleSample()
            message.locationId = sample.locationIDs
            message.value = sample.values
            message.label = sample.labels.map { label in
                var message = GoogleLabel()
                message.key = strings.index(label.key)
                message.str = strings.index(label.text)
                message.num = label.number
                message.numUnit = strings.index(label.numberUnit)
                return message
            }
            return message
        }
        mapping = document.mappings.map { strings.message($0) }
        location = document.locations.map { location in
            var message = GoogleLocation()
            message.id = location.id
            message.mappingId = location.mappingID
            message.address = location.address
            message.isFolded = location.isFolded
            message.line = location.lines.map { line in
                var message = GoogleLine()
                message.functionId = line.functionID
                message.line = line.line
                message.column = line.column
                return message
            }
            return message
        }
        function = document.functions.map { function in
            var message = GoogleFunction()
            message.id = function.id
            message.name = strings.index(function.name)
            message.systemName = strings.index(function.systemName)
            message.filename = strings.index(function.filename)
            message.startLine = function.startLine
            return message
        }
        timeNanos = document.timeNanos
        durationNanos = document.durationNanos
        periodType = document.periodType.map { strings.message($0) }
        period = document.period
        comment = document.comments.map { strings.index($0) }
        defaultSampleType = strings.index(document.defaultSampleType)
        stringTable = strings.texts
    }
}

private struct StringTable {
    private(set) var texts = [""]
    private var indexOf: [String: Int64] = ["": 0]

    mutating func index(_ text: String) -> Int64 {
        if let index = indexOf[text] { return index }
        let index = Int64(texts.count)
        texts.append(text)
        indexOf[text] = index
        return index
    }

    mutating func message(_ type: PprofDocument.ValueType) -> GoogleValueType {
        var message = GoogleValueType()
        message.type = index(type.type)
        message.unit = index(type.unit)
        return message
    }

    mutating func message(_ mapping: PprofDocument.Mapping) -> GoogleMapping {
        var message = GoogleMapping()
        message.id = mapping.id
        message.memoryStart = mapping.memoryStart
        message.memoryLimit = mapping.memoryLimit
        message.fileOffset = mapping.fileOffset
        message.filename = index(mapping.filename)
        message.buildId = index(mapping.buildID)
        message.hasFunctions = mapping.hasFunctions
        message.hasFilenames = mapping.hasFilenames
        message.hasLineNumbers = mapping.hasLineNumbers
        message.hasInlineFrames = mapping.hasInlineFrames
        return message
    }
}
