// SPDX-License-Identifier: Apache-2.0
// Log lines as the controller answers them, see docs/http-api.md.

/// One log line.
package struct LogLine: Decodable, Sendable {
    /// Nanoseconds since the Unix epoch, as text.
    package var time: String
    package var labels: [String: String]
    package var metadata: [String: String]
    package var line: String

    /// The name of the service that wrote it; empty when nobody said.
    package var service: String { labels["service_name"] ?? "" }

    /// The line's level; empty when it is not known.
    package var level: String {
        let level =
            labels["level"] ?? metadata["level"] ?? metadata["detected_level"] ?? "unknown"
        return level == "unknown" ? "" : level
    }
}

/// `GET /api/v1/logs`.
package struct LogsAnswer: Decodable, Sendable {
    package var lines: [LogLine]
    /// Whether there are more lines than were asked for.
    package var more: Bool
}

/// One object of `GET /api/v1/tail` that is no line.
package struct TailNote: Decodable, Sendable {
    /// Lines that we were too slow for.
    package var dropped: Int?
    /// Why no more lines will come.
    package var error: String?
}
