// SPDX-License-Identifier: Apache-2.0
// Log lines as people read them: time, level, service, message.

internal import Glibc

/// Writes log lines as text, a column for each part.
struct LogText {
    /// Whether metadata stand behind each line.
    var hasMetadata = false
    /// The present, for leaving out the date of today's lines.
    var now: Int64 = Quantity.nowMilliseconds()
    private var serviceWidth = 0

    /// The widest column for services: longer names push the message to the right.
    private static let widestService = 24

    init(hasMetadata: Bool) { self.hasMetadata = hasMetadata }

    /// Makes the column of services wide enough for these lines.
    mutating func fit(_ lines: [LogLine]) {
        for line in lines { fit(line.service.forTerminal) }
    }

    private mutating func fit(_ service: String) {
        serviceWidth = max(serviceWidth, min(DisplayWidth.of(service), Self.widestService))
    }

    /// A line as text, with a line feed at its end.
    ///
    /// A message of several lines goes on under its own beginning.
    mutating func text(of line: LogLine, in outlet: Outlet) -> String {
        let service = line.service.forTerminal
        fit(service)
        let level = line.level.forTerminal
        let time = Self.clock(Int64(line.time) ?? 0, now: now)
        let head = [
            Style.dim.apply(time, in: outlet),
            Self.style(of: level).apply(DisplayWidth.pad(level, to: 5), in: outlet),
            DisplayWidth.pad(service, to: serviceWidth),
        ].joined(separator: " ")
        let width = DisplayWidth.of(time) + 1 + max(5, DisplayWidth.of(level)) + 1
        let indent = String(
            repeating: " ", count: width + max(serviceWidth, DisplayWidth.of(service)) + 2)
        let parts = line.line.split(separator: "\n", omittingEmptySubsequences: false).map {
            String($0).replacing("\t", with: "    ").forTerminal
        }
        var text = head + "  " + parts.joined(separator: "\n" + indent)
        let metadata = hasMetadata ? Self.metadata(of: line) : ""
        if !metadata.isEmpty { text += "  " + Style.dim.apply(metadata, in: outlet) }
        return text + "\n"
    }

    private static func style(of level: String) -> Style {
        switch level {
        case "error", "critical", "fatal", "err": .red
        case "warn", "warning": .yellow
        case "info": .green
        default: .dim
        }
    }

    /// What belongs to the line alone, as `name=value`; values with blanks in quotes.
    private static func metadata(of line: LogLine) -> String {
        line.metadata.filter { $0.key != "detected_level" }.sorted { $0.key < $1.key }.map {
            let isPlain = !$0.value.isEmpty && !$0.value.contains { " \"=".contains($0) }
            let value = $0.value.forTerminal
            return $0.key.forTerminal + "=" + (isPlain ? value : "\"\(value)\"")
        }.joined(separator: " ")
    }

    /// A point in time on this machine's clock; with its date unless that is today.
    static func clock(_ nanoseconds: Int64, now: Int64) -> String {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let milliseconds = String((rest < 0 ? rest + 1_000_000_000 : rest) / 1_000_000)
        let fraction = String(repeating: "0", count: 3 - milliseconds.count) + milliseconds
        let text = Quantity.clock(milliseconds: (rest < 0 ? seconds - 1 : seconds) * 1000)
        let today = Quantity.clock(milliseconds: now).prefix(10)
        return (text.hasPrefix(today) ? String(text.dropFirst(11)) : text) + "." + fraction
    }
}
