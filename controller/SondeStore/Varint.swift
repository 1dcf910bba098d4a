// SPDX-License-Identifier: Apache-2.0
// Numbers and texts in few bytes: the alphabet of everything that the profile store packs.

/// Writes variable-length numbers, seven bits a byte, the lowest first.
struct VarintWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func write(count: Int) { write(UInt64(count)) }

    /// A number near zero in few bytes, whichever its sign.
    mutating func write(signed value: Int64) {
        write(UInt64(bitPattern: value << 1 ^ value >> 63))
    }

    mutating func write(_ text: String) {
        write(count: text.utf8.count)
        bytes.append(contentsOf: text.utf8)
    }

    mutating func write(_ value: [UInt8]) {
        write(count: value.count)
        bytes.append(contentsOf: value)
    }
}

/// The bytes are not what was written.
struct VarintError: Error {
    /// What is wrong, in words.
    var reason: String

    static let truncated = VarintError(reason: "it ends inside a value")
    static let outOfRange = VarintError(reason: "a number is out of range")
}

/// Reads what ``VarintWriter`` wrote; never trusts it, because a disk may lie.
struct VarintReader {
    private let bytes: UnsafeRawBufferPointer
    private(set) var position = 0

    /// A reader of bytes that outlive it.
    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func read() throws(VarintError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count {
            // Safety: `position` was compared with the count just now.
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
            if shift > 63 { throw .outOfRange }
        }
        throw .truncated
    }

    mutating func readSigned() throws(VarintError) -> Int64 {
        let value = try read()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    /// A number of at most `limit`.
    mutating func read(upTo limit: Int) throws(VarintError) -> Int {
        let value = try read()
        guard value <= UInt64(max(0, limit)) else { throw .outOfRange }
        return Int(value)
    }

    /// How many elements follow, each of at least a byte: so that no room is reserved for more
    /// than can be there.
    mutating func readCount() throws(VarintError) -> Int {
        try read(upTo: bytes.count - position)
    }

    /// Bytes where they are; valid as long as those that are read from.
    mutating func readSlice() throws(VarintError) -> UnsafeRawBufferPointer {
        let count = try readCount()
        defer { position += count }
        // Safety: `readCount` lets no more through than there is.
        return UnsafeRawBufferPointer(rebasing: bytes[position..<position + count])
    }

    mutating func readBytes() throws(VarintError) -> [UInt8] {
        let count = try readCount()
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    mutating func readText() throws(VarintError) -> String {
        let count = try readCount()
        defer { position += count }
        return String(decoding: bytes[position..<position + count], as: UTF8.self)
    }
}
