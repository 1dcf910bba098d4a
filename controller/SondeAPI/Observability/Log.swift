// SPDX-License-Identifier: Apache-2.0
// The controller's own log: one line of key=value pairs per event on standard error.

internal import FoundationEssentials

#if canImport(Glibc)
    internal import Glibc
#endif

/// Writes the controller's own log.
///
/// Each event is one line in logfmt: `ts=... level=info msg="agent connected" service=bookmaker`.
/// Nothing that was sent as a token or a header is ever a value here.
package final class Log: Sendable {
    /// How much an event matters.
    package enum Level: String, Sendable, CaseIterable, Comparable {
        case debug, info, warn, error

        package static func < (left: Level, right: Level) -> Bool {
            left.rank < right.rank
        }

        private var rank: Int {
            switch self {
            case .debug: 0
            case .info: 1
            case .warn: 2
            case .error: 3
            }
        }
    }

    /// Events below this level are left out.
    package let level: Level
    private let write: @Sendable (String) -> Void

    /// A log.
    ///
    /// - Parameters:
    ///   - level: Events below it are left out.
    ///   - write: Takes each line, without its line feed; standard error unless given.
    package init(
        level: Level = .info, write: @escaping @Sendable (String) -> Void = Log.standardError
    ) {
        self.level = level
        self.write = write
    }

    /// Writes an event.
    ///
    /// - Parameters:
    ///   - level: How much it matters.
    ///   - message: What happened, in lower case.
    ///   - values: What else is known of it, in order.
    package func event(
        _ level: Level, _ message: String,
        _ values: KeyValuePairs<String, any CustomStringConvertible> = [:]
    ) {
        guard level >= self.level else { return }
        var line = "ts=\(Date().formatted(.iso8601)) level=\(level.rawValue)"
        line += " msg=\(Self.quoted(message))"
        for (key, value) in values { line += " \(key)=\(Self.quoted(value.description))" }
        write(line)
    }

    /// Writes a line to standard error in one piece.
    @Sendable package static func standardError(_ line: String) {
        var bytes = Array(line.utf8)
        bytes.append(UInt8(ascii: "\n"))
        bytes.withUnsafeBytes { buffer in
            // Safety: the buffer holds `count` bytes during the call. A log that cannot be written
            // has nowhere to be reported.
            _ = Glibc.write(STDERR_FILENO, buffer.baseAddress, buffer.count)
        }
    }

    /// A value as logfmt has it: in quotes when it holds anything but plain characters.
    static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty
            && value.utf8.allSatisfy { byte in
                byte > 32 && byte < 127 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "=")
                    && byte != UInt8(ascii: "\\")
            }
        if isPlain { return value }
        var text = "\""
        for scalar in value.unicodeScalars.prefix(2000) {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case "\n": text += "\\n"
            case _ where scalar.value < 32 || (127..<160).contains(scalar.value):
                text += "\\x\(String(scalar.value, radix: 16))"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }
}
