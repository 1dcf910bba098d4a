// SPDX-License-Identifier: Apache-2.0
// Reads one chunk of a JFR recording: first its constants, then its events.

internal import SondeModel

/// The events of one chunk.
///
/// Events refer to constants that may be written behind them, so the chunk is passed over twice.
struct JFRChunkReader {
    private let bytes: [UInt8]
    private let range: Range<Int>
    private let header: JFRChunkHeader
    private let limits: FormatLimits
    private let metadata: JFRMetadata
    private var constants = JFRConstants()
    private var kinds: [Int64: JFREventKind] = [:]
    private var settings = JFRSettings()

    private static let checkpoint: Int64 = 1

    init(
        _ bytes: [UInt8], _ range: Range<Int>, _ header: JFRChunkHeader, _ limits: FormatLimits
    ) throws(FormatError) {
        self.bytes = bytes
        self.range = range
        self.header = header
        self.limits = limits
        var reader = JFRBytes(bytes, range)
        reader.position = range.lowerBound + header.metadata
        metadata = try JFRMetadata(&reader)
        for (id, type) in metadata.types {
            if let kind = JFREventKind.byName[type.name] { kinds[id] = kind }
        }
    }

    mutating func readConstants() throws(FormatError) {
        let settingType = metadata.types.first { $0.value.name == "jdk.ActiveSetting" }?.key
        var found: [JFRRecord] = []
        try forEachEvent { (type, reader) throws(FormatError) in
            if type == Self.checkpoint {
                try constants.read(&reader, metadata, limits)
            } else if type == settingType, found.count < limits.tableEntries {
                found.append(try metadata.read(type, &reader, ["id", "name", "value"]))
            }
        }
        for record in found {
            settings.take(
                event: metadata.types[record.numbers[0]]?.name ?? "",
                name: constants.text(record.texts[1]), value: constants.text(record.texts[2]))
        }
    }

    func read(into stacks: inout JFRStacks) throws(FormatError) {
        var reader = self
        try reader.readConstants()
        try reader.readEvents(into: &stacks)
    }

    private func readEvents(into stacks: inout JFRStacks) throws(FormatError) {
        stacks.beginChunk(header, settings)
        try forEachEvent { (type, reader) throws(FormatError) in
            guard let kind = kinds[type] else { return }
            let record = try metadata.read(type, &reader, JFREvent.fields)
            let event = JFREvent(record, header, state: constants.state(record.numbers[1]))
            try stacks.add(event, kind, constants)
        }
    }

    /// Calls `body` with the type of each event and a reader that stands behind it.
    private func forEachEvent(
        _ body: (Int64, inout JFRBytes) throws(FormatError) -> Void
    ) throws(FormatError) {
        var position = range.lowerBound + JFRChunkHeader.length
        while position < range.upperBound {
            var reader = JFRBytes(bytes, position..<range.upperBound)
            let size = try reader.varint()
            guard size > 0, size <= Int64(range.upperBound - position) else {
                reader.position = position
                throw reader.malformed(
                    "an event of \(size) bytes", "1...\(range.upperBound - position)")
            }
            let end = position + Int(size)
            var event = JFRBytes(bytes, reader.position..<max(reader.position, end))
            let type = try event.varint()
            try body(type, &event)
            position = end
        }
    }
}

/// What the recording says about how it was made.
struct JFRSettings {
    /// What async-profiler samples: `cpu`, `itimer`, `wall`, ...
    var event = ""
    /// The period of the JVM's own CPU samples, in nanoseconds.
    var period: Int64?

    mutating func take(event type: String, name: String, value: String) {
        if name == "event" { event = value }
        if type == "jdk.ExecutionSample", name == "period" {
            period = Self.nanoseconds(value) ?? period
        }
    }

    private static let units: [String: Int64] = [
        "ns": 1, "us": 1000, "ms": 1_000_000, "s": 1_000_000_000,
    ]

    /// A period as the JVM writes it, such as `20 ms`.
    private static func nanoseconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let number = Int64(parts[0]), number > 0,
            let unit = units[String(parts[1])]
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : product
    }
}
