// SPDX-License-Identifier: Apache-2.0
// Loki's push body as JSON: what an agent sends, because the other form needs snappy.
// Source: grafana.com, Loki HTTP API, "Ingest logs".

package import SondeModel

/// Writes the body of `POST /loki/api/v1/push` with `Content-Type: application/json`.
package enum LokiPushJSON {
    /// The body that holds these streams.
    ///
    /// Streams without entries are left out; of none at all becomes `{"streams":[]}`, which Loki
    /// refuses. Each entry is `["<nanoseconds>", "<line>"]`, with a third element, the structured
    /// metadata, where there is any.
    ///
    /// - Parameter streams: The streams; their order and that of their entries is kept.
    /// - Returns: JSON in UTF-8; gzip makes it about a tenth.
    package static func encode(_ streams: [LogStream]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(contentsOf: "{\"streams\":[".utf8)
        var isFirst = true
        for stream in streams where !stream.entries.isEmpty {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            bytes.append(contentsOf: "{\"stream\":".utf8)
            append(stream.labels, to: &bytes)
            bytes.append(contentsOf: ",\"values\":[".utf8)
            for (index, entry) in stream.entries.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(entry, to: &bytes)
            }
            bytes.append(contentsOf: "]}".utf8)
        }
        bytes.append(contentsOf: "]}".utf8)
        return bytes
    }

    private static func append(_ entry: LogEntry, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "[\"".utf8)
        bytes.append(contentsOf: String(entry.time.unixNanoseconds).utf8)
        bytes.append(contentsOf: "\",".utf8)
        append(entry.line, to: &bytes)
        if !entry.metadata.labels.isEmpty {
            bytes.append(UInt8(ascii: ","))
            append(entry.metadata, to: &bytes)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private static func append(_ labels: LabelSet, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "{"))
        for (index, label) in labels.labels.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            append(label.name, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            append(label.value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case UInt8(ascii: "\n"): bytes.append(contentsOf: "\\n".utf8)
            case 0..<32:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(digit(byte >> 4))
                bytes.append(digit(byte & 15))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") &+ value : UInt8(ascii: "a") &+ value &- 10
    }
}
