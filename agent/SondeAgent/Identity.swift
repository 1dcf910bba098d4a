// SPDX-License-Identifier: Apache-2.0
// Who this process is: instance, host and number.

internal import Glibc

/// Names of one start of one process.
struct Identity: Hashable, Sendable {
    /// A random UUID, unique for each start.
    var instance: String
    /// The host's name.
    var host: String
    /// The process's number.
    var pid: UInt64
    /// When the agent started, in nanoseconds since the Unix epoch.
    var started: UInt64

    /// A new identity of this process.
    init() {
        instance = Self.randomUUID()
        var name = [CChar](repeating: 0, count: 256)
        // One byte is left out, so that a name that is cut off still ends in a zero.
        let status = gethostname(&name, name.count - 1)
        let bytes = name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        host = status == 0 && !bytes.isEmpty ? String(decoding: bytes, as: UTF8.self) : "unknown"
        pid = UInt64(clamping: getpid())
        started = Clock.unix
    }

    /// A UUID of version 4.
    static func randomUUID() -> String {
        var generator = SystemRandomNumberGenerator()
        let high = generator.next() & ~0xF000 | 0x4000
        let low = generator.next() & ~(3 << 62) | 2 << 62
        func hex(_ value: UInt64, _ digits: Int) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: max(0, digits - text.count)) + text
        }
        return [
            hex(high >> 32, 8), hex(high >> 16 & 0xFFFF, 4), hex(high & 0xFFFF, 4),
            hex(low >> 48, 4), hex(low & 0xFFFF_FFFF_FFFF, 12),
        ].joined(separator: "-")
    }
}
