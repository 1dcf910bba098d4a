// SPDX-License-Identifier: Apache-2.0
// Where the bytes of a value, or of a part of it, can be loaded from.

/// Where the bytes of a value, or of a part of it, can be loaded from.
struct BytePlace: Hashable {
    /// Some consecutive bytes of the value.
    struct Piece: Hashable {
        /// How many bytes.
        var size: UInt64
        /// Where they are.
        var source: Source
    }

    enum Source: Hashable {
        /// Memory at a machine register plus an offset.
        case memory(base: Register, offset: Int64)
        /// A general register of the interrupted thread, from one of its bytes on.
        case general(UInt8, from: UInt64)
        /// A vector register of the interrupted thread, from one of its bytes on.
        case vector(UInt8, from: UInt64)
        /// A machine register that holds the value itself, from one of its bytes on.
        case computed(Register, from: UInt64)
        /// Known bytes.
        case bytes([UInt8])
        /// Nowhere.
        case missing(String)
    }

    /// The pieces, in the order of the bytes.
    var pieces: [Piece]
    /// Bits that do not belong to the value, by the offset of their eight bytes from its start.
    var foreign: [ForeignBits] = []
    /// The variable that the value is a part of, for messages.
    var origin: String

    /// Bits of eight bytes at an offset that hold something else: an enum's tag.
    struct ForeignBits: Hashable {
        var offset: Int64
        var mask: UInt64
    }

    /// A value in memory, of any size.
    static func memory(base: Register, offset: Int64, origin: String) -> BytePlace {
        let piece = Piece(size: .max, source: .memory(base: base, offset: offset))
        return BytePlace(pieces: [piece], origin: origin)
    }

    /// The part from an offset on, of a size.
    func slice(from offset: UInt64, size: UInt64) -> BytePlace {
        var result: [Piece] = []
        var start: UInt64 = 0
        let end = offset.addingReportingOverflow(size).overflow ? UInt64.max : offset + size
        for piece in pieces {
            let stop =
                start.addingReportingOverflow(piece.size).overflow
                ? UInt64.max : start + piece.size
            let low = max(start, offset), high = min(stop, end)
            if low < high {
                result.append(
                    Piece(size: high - low, source: piece.source.advanced(by: low - start)))
            }
            start = stop
        }
        var part = BytePlace(pieces: result, origin: origin)
        part.foreign = foreign.map {
            ForeignBits(offset: $0.offset &- Int64(clamping: offset), mask: $0.mask)
        }
        return part
    }

    /// Why some of the first bytes cannot be had; `nil` when all can.
    func missing(size: UInt64) -> String? {
        var covered: UInt64 = 0
        for piece in slice(from: 0, size: size).pieces {
            if case .missing(let reason) = piece.source { return reason }
            covered =
                covered.addingReportingOverflow(piece.size).overflow
                ? UInt64.max : covered + piece.size
        }
        return covered < size ? "optimized out" : nil
    }

    /// Whether none of the first bytes can be had.
    func isWhollyMissing(size: UInt64) -> Bool {
        slice(from: 0, size: size).pieces.allSatisfy {
            if case .missing = $0.source { true } else { false }
        }
    }

    /// The bits of an integer that belong to something else.
    func foreignMask(at offset: UInt64, bytes: Int) -> UInt64 {
        var mask: UInt64 = 0
        for part in foreign {
            for byte in 0..<bytes {
                let place = Int64(clamping: offset) &+ Int64(byte) &- part.offset
                guard (0..<8).contains(place) else { continue }
                mask |= (part.mask >> UInt64(8 * place) & 0xFF) << UInt64(8 * byte)
            }
        }
        return mask
    }
}

extension BytePlace.Source {
    /// The same source, some bytes further on.
    func advanced(by distance: UInt64) -> Self {
        switch self {
        case .memory(let base, let offset):
            .memory(base: base, offset: offset &+ Int64(clamping: distance))
        case .general(let number, let from): .general(number, from: from &+ distance)
        case .vector(let number, let from): .vector(number, from: from &+ distance)
        case .computed(let register, let from): .computed(register, from: from &+ distance)
        case .bytes(let bytes): .bytes(Array(bytes.dropFirst(Int(clamping: distance))))
        case .missing: self
        }
    }
}
