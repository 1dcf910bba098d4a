// SPDX-License-Identifier: Apache-2.0
// Reads the parts of which Pyroscope's tree and trie consist.

/// Reads varints and names out of untrusted bytes.
struct BranchReader {
    let bytes: [UInt8]
    private(set) var position = 0
    private let format: String

    init(_ bytes: [UInt8], _ format: String) {
        self.bytes = bytes
        self.format = format
    }

    func malformed(at place: Int, got: String, want: String) -> FormatError {
        .malformed(format, got: "\(got) at byte \(place)", want: want)
    }

    private mutating func varint() throws(FormatError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard shift < 63 || byte < 2 else {
                throw malformed(
                    at: start, got: "a number of more than 64 bits", want: "at most 64")
            }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw malformed(at: position, got: "the end", want: "a number")
    }

    /// A name: its length and its bytes.
    mutating func text() throws(FormatError) -> ArraySlice<UInt8> {
        let place = position
        let length = try varint()
        guard length <= UInt64(bytes.count - position) else {
            throw malformed(
                at: place, got: "a name of \(length) bytes",
                want: "at most the \(bytes.count - position) that follow")
        }
        defer { position += Int(length) }
        return bytes[position..<position + Int(length)]
    }

    /// A value, at most what 63 bits hold.
    mutating func value() throws(FormatError) -> Int64 {
        Int64(clamping: try varint())
    }

    /// How many children follow: each takes three bytes or more.
    mutating func childCount() throws(FormatError) -> UInt64 {
        let place = position
        let count = try varint()
        guard count <= UInt64(bytes.count - position) / 3 else {
            throw malformed(
                at: place, got: "a node with \(count) children",
                want: "at most what \(bytes.count - position) bytes can hold")
        }
        return count
    }

    /// Checks that nothing follows.
    func end() throws(FormatError) {
        guard position == bytes.count else {
            throw malformed(
                at: position, got: "\(bytes.count - position) more bytes", want: "the end")
        }
    }
}
