// SPDX-License-Identifier: Apache-2.0
// Reads a record's body byte by byte, whatever is in it.

/// A place in a record's body, which nobody vouches for.
struct RecordReader {
    private let bytes: [UInt8]
    private var place = 0
    /// Whether something was read that is not there; from then on nothing is there.
    private(set) var isExhausted = false

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Bytes that were not read yet.
    var remaining: Int { isExhausted ? 0 : bytes.count &- place }

    /// Makes the rest unreadable: its meaning is lost.
    mutating func giveUp() { isExhausted = true }

    /// The next `count` bytes as a little-endian number; `nil` when they are not there.
    mutating func number(_ count: Int) -> UInt64? {
        guard (1...8).contains(count), count <= remaining else {
            isExhausted = true
            return nil
        }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[place &+ index]) << UInt64(8 &* index) }
        place &+= count
        return value
    }

    /// The next `count` bytes; fewer when there are no more.
    mutating func bytes(_ count: Int) -> ArraySlice<UInt8> {
        let available = min(max(count, 0), remaining)
        if available < count { isExhausted = true }
        let start = place
        place &+= available
        return bytes[start..<(start &+ available)]
    }
}
