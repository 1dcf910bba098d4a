// SPDX-License-Identifier: Apache-2.0
// Builds record bodies as the machine writes them.

/// A record's body, value by value.
struct RecordBytes {
    var bytes: [UInt8] = []

    static func number(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    func with(_ value: UInt64, _ count: Int) -> RecordBytes {
        RecordBytes(bytes: bytes + Self.number(value, count))
    }

    func with(_ text: String, full: Int? = nil) -> RecordBytes {
        with(raw: Array(text.utf8), full: full)
    }

    func with(raw: [UInt8], full: Int? = nil) -> RecordBytes {
        let head = with(UInt64(full ?? raw.count), 4).with(UInt64(raw.count), 4)
        return RecordBytes(bytes: head.bytes + raw)
    }
}
