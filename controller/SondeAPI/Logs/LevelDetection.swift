// SPDX-License-Identifier: Apache-2.0
// Finds a line's level, as Loki does when it takes lines in.

internal import SondeModel
internal import SondeWire

/// What `detected_level` of a line is.
///
/// Source: grafana/loki, pkg/distributor/field_detection.go.
enum LevelDetection {
    /// The metadata's name.
    static let name = "detected_level"

    /// Where a level may be told, the first that is there counts.
    private static let fields = [
        "level", "LEVEL", "Level", "log.level", "severity", "SEVERITY", "Severity", "SeverityText",
        "lvl", "LVL", "Lvl", "severity_text", "Severity_Text", "SEVERITY_TEXT",
    ]
    private static let lowerFields = Set(fields.map { $0.lowercased() })
    /// Words in a line that tell a level, the most telling first.
    private static let words = [
        "trace", "debug", "fatal", "critical", "error", "err", "warning", "warn", "info",
    ]
    /// How much of a line is looked at.
    private static let lineLimit = 4096

    /// The level of a line: `trace`, `debug`, `info`, `warn`, `error`, `critical`, `fatal` or
    /// `unknown`.
    static func level(of entry: LogEntry, in labels: LabelSet) -> String {
        if let told = entry.metadata[name] { return normalized(told) }
        for set in [labels, entry.metadata] {
            for field in fields {
                if let told = set[field] { return normalized(told) }
            }
        }
        if let number = entry.metadata["severity_number"].flatMap({ Int($0) }) {
            return level(ofSeverity: number)
        }
        return level(ofLine: entry.line)
    }

    private static func normalized(_ text: String) -> String {
        switch text.lowercased() {
        case "trace", "trc": "trace"
        case "debug", "dbg": "debug"
        case "info", "inf", "information": "info"
        case "warn", "wrn", "warning": "warn"
        case "error", "err": "error"
        case "critical": "critical"
        case "fatal": "fatal"
        default: "unknown"
        }
    }

    /// OpenTelemetry's severities come in fours.
    private static func level(ofSeverity number: Int) -> String {
        switch number {
        case 1...4: "trace"
        case 5...8: "debug"
        case 9...12: "info"
        case 13...16: "warn"
        case 17...20: "error"
        case 21...24: "fatal"
        default: "unknown"
        }
    }

    private static func level(ofLine line: String) -> String {
        let bytes = Array(line.utf8.prefix(lineLimit))
        if bytes.first == UInt8(ascii: "{") {
            var reader = JSONReader(bytes)
            if let told = told(byJSON: &reader, depth: 2) { return normalized(told) }
        } else if bytes.contains(UInt8(ascii: "=")), let told = told(byLogfmt: bytes) {
            return normalized(told)
        }
        return level(ofWords: bytes)
    }

    private static func told(byJSON reader: inout JSONReader, depth: Int) -> String? {
        var found: String?
        // What was found before the line stops being JSON still counts.
        try? reader.object { reader, name throws(JSONError) in
            reader.whitespace()
            switch reader.current {
            case UInt8(ascii: "\"") where found == nil && fields.contains(name):
                found = try reader.string()
            case UInt8(ascii: "{") where found == nil && depth > 1:
                let start = reader
                found = told(byJSON: &reader, depth: depth - 1)
                reader = start
                try reader.skip()
            default: try reader.skip()
            }
        }
        return found
    }

    private static func told(byLogfmt bytes: [UInt8]) -> String? {
        for pair in bytes.split(separator: UInt8(ascii: " ")) {
            guard let equals = pair.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let key = String(decoding: pair[..<equals], as: UTF8.self).lowercased()
            guard lowerFields.contains(key) else { continue }
            let value = pair[(equals + 1)...].filter { $0 != UInt8(ascii: "\"") }
            return String(decoding: value, as: UTF8.self)
        }
        return nil
    }

    private static func level(ofWords bytes: [UInt8]) -> String {
        let found = Set(
            bytes.split { !(65...90).contains($0) && !(97...122).contains($0) }
                .filter { (3...8).contains($0.count) }
                .map { String(decoding: $0.map { $0 | 0x20 }, as: UTF8.self) })
        return words.first { found.contains($0) }.map(normalized) ?? "unknown"
    }
}
