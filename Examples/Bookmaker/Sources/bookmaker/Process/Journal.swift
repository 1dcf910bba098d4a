// SPDX-License-Identifier: Apache-2.0
// The service's own log: one JSON object a line on the standard output.

import Glibc
import Synchronization

/// Writes whole lines, from any thread.
final class Journal: Sendable {
    private let descriptor: Mutex<Int32>

    /// A journal; a descriptor of -1 takes everything and keeps nothing.
    init(descriptor: Int32 = STDOUT_FILENO) { self.descriptor = Mutex(descriptor) }

    /// Writes one line with the event's name first.
    func write(_ event: String, _ fields: [(String, JSONValue)]) {
        guard descriptor.withLock({ $0 >= 0 }) else { return }
        let line = JSONValue.object([("event", .text(event))] + fields).text + "\n"
        let bytes = Array(line.utf8)
        descriptor.withLock { descriptor in
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeBytes { buffer in
                    // Safety: `done` stays below the buffer's count.
                    Glibc.write(
                        descriptor, buffer.baseAddress.map { $0 + done }, bytes.count - done)
                }
                if count < 0, errno == EINTR { continue }
                // A reader that went away takes the log with it, not the service.
                guard count > 0 else { return }
                done += count
            }
        }
    }
}
