// SPDX-License-Identifier: Apache-2.0
// Reads the primitive values of a JFR chunk out of bytes that nobody vouches for.

/// Reads big-endian and compressed integers and strings, inside the bounds of a chunk.
struct JFRBytes {
    private let bytes: [UInt8]
    var position: Int
    let end: Int
    /// Steps that may still be taken: hostile metadata can describe values that take no bytes.
    private var budget: Int

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = min(range.upperBound, bytes.count)
        budget = (range.upperBound - range.lowerBound) &* 8 &+ 65_536
    }

    func malformed(_ got: String, _ want: String) -> FormatError {
        .malformed(JFRRecording.format, got: "\(got) at byte \(position)", want: want)
    }

    /// Counts one step.
    mutating func step() throws(FormatError) {
        budget -= 1
        guard budget >= 0 else {
            throw malformed("types whose values take no bytes", "types that do")
        }
    }

    mutating func byte() throws(FormatError) -> UInt8 {
        guard position < end else { throw malformed("the end", "a value") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func skip(_ count: Int) throws(FormatError) {
        guard count <= end - position else { throw malformed("the end", "\(count) more bytes") }
        position += count
    }

    /// A big-endian integer of so many bytes.
    mutating func integer(_ count: Int) throws(FormatError) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<count { value = value << 8 | UInt64(try byte()) }
        return value
    }

    /// A compressed integer: seven bits in each of eight bytes, and eight in a ninth.
    mutating func varint() throws(FormatError) -> Int64 {
        var value: UInt64 = 0
        for index in 0..<8 as Range<UInt64> {
            let byte = try byte()
            value |= UInt64(byte & 0x7F) << (7 * index)
            if byte < 0x80 { return Int64(bitPattern: value) }
        }
        return Int64(bitPattern: value | UInt64(try byte()) << 56)
    }

    /// How many elements follow, each of which takes a byte or more.
    mutating func count(_ what: String) throws(FormatError) -> Int {
        let count = try varint()
        guard count >= 0, count <= end - position else {
            throw malformed("\(count) \(what)", "at most the \(end - position) bytes that follow")
        }
        return Int(count)
    }

    /// A string, or the constant in the pool of strings that stands for it.
    mutating func string() throws(FormatError) -> JFRText {
        switch try byte() {
        case 0, 1: return .literal("")
        case 2: return .constant(try varint())
        case 3:
            let text = String(decoding: try content(), as: UTF8.self)
            return .literal(text)
        case 4:
            let count = try count("characters")
            var units: [UInt16] = []
            units.reserveCapacity(count)
            for _ in 0..<count { units.append(UInt16(truncatingIfNeeded: try varint())) }
            return .literal(String(decoding: units, as: UTF16.self))
        case 5:
            let scalars = try content().lazy.map { Character(Unicode.Scalar($0)) }
            return .literal(String(scalars))
        case let other:
            position -= 1
            throw malformed("a string of encoding \(other)", "0...5")
        }
    }

    private mutating func content() throws(FormatError) -> ArraySlice<UInt8> {
        let count = try count("bytes of a string")
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Passes over a string.
    mutating func skipString() throws(FormatError) {
        switch try byte() {
        case 0, 1: return
        case 2: _ = try varint()
        case 3, 5: try skip(count("bytes of a string"))
        case 4: for _ in 0..<(try count("characters")) { _ = try varint() }
        case let other:
            position -= 1
            throw malformed("a string of encoding \(other)", "0...5")
        }
    }
}

/// A string of a recording.
enum JFRText {
    case literal(String)
    /// The id of a constant in the pool of strings.
    case constant(Int64)
}
