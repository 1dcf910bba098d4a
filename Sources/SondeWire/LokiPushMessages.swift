// SPDX-License-Identifier: Apache-2.0
// Loki's push protocol in protobuf, which travels as one snappy block.
// Source: grafana/loki, pkg/push/push.proto.

package import SondeModel

/// Log lines on their way to Loki: `logproto.PushRequest`.
package struct LokiPushRequest: ProtobufMessage {
    /// The streams.
    package var streams: [LokiStream] = []

    /// An empty message.
    package init() {}

    /// A request that holds streams; those without entries are left out.
    package init(_ streams: [LogStream]) {
        self.streams = streams.filter { !$0.entries.isEmpty }.map { stream in
            var message = LokiStream()
            message.labels = LokiLabelText.text(of: stream.labels)
            message.entries = stream.entries.map(LokiEntry.init)
            return message
        }
    }

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try reader.append(field, to: &streams)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(streams, field: 1)
    }
}

/// Lines that share their labels: `logproto.StreamAdapter`.
package struct LokiStream: ProtobufMessage {
    /// The labels as a selector: `{app="web", env="eu"}`.
    package var labels: String = ""
    /// The lines.
    package var entries: [LokiEntry] = []

    /// An empty message.
    package init() {}

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: labels = try reader.string(field)
            case 2: try reader.append(field, to: &entries)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.write(labels, field: 1)
        writer.write(entries, field: 2)
    }
}

/// One line: `logproto.EntryAdapter`.
package struct LokiEntry: ProtobufMessage {
    /// Seconds since the Unix epoch.
    package var seconds: Int64 = 0
    /// Nanoseconds beside the seconds, 0...999999999.
    package var nanoseconds: Int64 = 0
    /// The line.
    package var line: String = ""
    /// Structured metadata, in the order in which it stands.
    package var metadata: [LabelPair] = []

    /// An empty message.
    package init() {}

    /// The message of an entry.
    package init(_ entry: LogEntry) {
        let (quotient, remainder) = entry.time.unixNanoseconds.quotientAndRemainder(
            dividingBy: 1_000_000_000)
        // protobuf counts nanoseconds upwards, also before 1970.
        seconds = remainder < 0 ? quotient &- 1 : quotient
        nanoseconds = remainder < 0 ? remainder &+ 1_000_000_000 : remainder
        line = entry.line
        metadata = entry.metadata.labels
    }

    /// When the line was written; `nil` when that is beyond what 64 bits of nanoseconds can say.
    package var time: Timestamp? {
        guard (0..<1_000_000_000).contains(nanoseconds) else { return nil }
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = product.addingReportingOverflow(nanoseconds)
        return overflow || carry ? nil : Timestamp(unixNanoseconds: sum)
    }

    package init(decoding bytes: ArraySlice<UInt8>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes)
        while let field = try reader.nextField() {
            switch field.number {
            case 1: try readTime(ProtobufReader(try reader.slice(field)))
            // Lines come from programs of all kinds; one that is no UTF-8 is repaired, not refused.
            case 2: line = String(decoding: try reader.slice(field), as: UTF8.self)
            case 3: try reader.append(field, to: &metadata)
            default: try reader.skip(field)
            }
        }
    }

    private mutating func readTime(_ time: consuming ProtobufReader) throws(ProtobufError) {
        var reader = time
        while let field = try reader.nextField() {
            switch field.number {
            case 1: seconds = try reader.signed(field)
            case 2: nanoseconds = try reader.signed(field)
            default: try reader.skip(field)
            }
        }
    }

    package func write(to writer: inout ProtobufWriter) {
        writer.message(field: 1) { time in
            time.write(seconds, field: 1)
            time.write(nanoseconds, field: 2)
        }
        writer.write(line, field: 2)
        writer.write(metadata, field: 3)
    }
}

/// Labels as Loki's protobuf carries them: as the text of a selector.
package enum LokiLabelText {
    /// `{app="web", env="eu"}`: names in order, values with Go's escapes.
    package static func text(of labels: LabelSet) -> String {
        var text = "{"
        for (index, label) in labels.labels.enumerated() {
            if index > 0 { text += ", " }
            text += label.name
            text += "=\""
            for scalar in label.value.unicodeScalars {
                switch scalar {
                case "\"": text += "\\\""
                case "\\": text += "\\\\"
                case "\n": text += "\\n"
                default: text.unicodeScalars.append(scalar)
                }
            }
            text += "\""
        }
        return text + "}"
    }
}
