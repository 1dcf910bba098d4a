// SPDX-License-Identifier: Apache-2.0
// The agent's own log, which exists only when the user names a place for it.

internal import Glibc
internal import SondeLock

/// Adds lines to the file that `SONDE_LOG` names, or to the standard error.
///
/// The file is opened for each line, so that no descriptor is held that the program might close
/// and use for something else. A line that cannot be written is lost.
struct AgentLog: Sendable {
    private let path: String?

    /// A log at this path; `stderr` is the standard error, `nil` nothing.
    init(path: String?) { self.path = path }

    /// Adds a line.
    func write(_ message: String) {
        guard let path else { return }
        let line = Array("\(Self.now) sonde[\(getpid())]: \(message)\n".utf8)
        // A pipe may be full.
        ForkGate.rest { Self.add(line, to: path) }
    }

    private static func add(_ line: [UInt8], to path: String) {
        if path == "stderr" {
            _ = Glibc.write(STDERR_FILENO, line, line.count)
            return
        }
        let flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else { return }
        _ = Glibc.write(descriptor, line, line.count)
        close(descriptor)
    }

    /// The time as `2026-01-31T23:59:59Z`.
    private static var now: String {
        var seconds = time(nil)
        var parts = tm()
        guard gmtime_r(&seconds, &parts) != nil else { return "?" }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))Z"
    }
}
