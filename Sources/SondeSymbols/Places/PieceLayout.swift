// SPDX-License-Identifier: Apache-2.0
// Puts the pieces of a value to the bytes that they are.

/// A piece of a value as debug info lists it, in bits.
struct ListedPiece {
    var bits: UInt64
    var source: LocationPiece.Source

    var isMissing: Bool {
        if case .missing = source { return true }
        return false
    }
}

/// Puts the pieces of a Swift value to the bytes that they are.
///
/// Swift 6.3 lists pieces in two ways, and does not say which: as the value lies in memory, with its
/// gaps; or its scalars one behind the other, without gaps and with a `Bool` as one bit. Here both
/// are tried against the type's layout. Where neither fits, or both do but differ, nothing is known.
struct PieceLayout {
    /// A part of the value that has no gaps inside.
    struct Leaf {
        /// The bits of the value in memory.
        var memory: Range<UInt64>
        /// Its bits when scalars follow each other without gaps.
        var packed: Range<UInt64>
    }

    private var leaves: [Leaf] = []
    private let sizeBytes: UInt64

    /// The layout of a type; `nil` when it is not known.
    init?(of type: TypeID, sizeBytes: UInt64, in image: ProbeImage) {
        guard (1...4096).contains(sizeBytes) else { return nil }
        self.sizeBytes = sizeBytes
        var packed: UInt64 = 0
        guard add(type, at: 0, image, &packed, depth: 0) else { return nil }
    }

    private mutating func add(
        _ type: TypeID, at offset: UInt64, _ image: ProbeImage, _ packed: inout UInt64, depth: Int
    ) -> Bool {
        guard depth < 16, leaves.count < 256 else { return false }
        let layout = image.layout(of: type)
        if layout.size == 0, case .opaque = layout.kind { return false }
        var bits = layout.size &* 8
        switch layout.kind {
        case .structure(let fields), .tuple(let fields):
            for field in fields {
                guard field.bits == nil, field.offset <= sizeBytes,
                    add(field.type, at: offset &+ field.offset, image, &packed, depth: depth + 1)
                else { return false }
            }
            return true
        case .opaque where layout.size > 8: return false
        case .boolean: bits = 1
        case .enumeration(let cases, _)
        where layout.size == 1 && cases.allSatisfy { $0.payload == nil }:
            // As many bits as the number of the last case needs.
            bits = UInt64(
                max(0, cases.count - 1).bitWidth - max(0, cases.count - 1).leadingZeroBitCount)
        default: break
        }
        let (end, overflow) = offset.addingReportingOverflow(layout.size)
        guard !overflow, end <= sizeBytes else { return false }
        guard layout.size > 0 else { return true }
        leaves.append(Leaf(memory: offset * 8..<end * 8, packed: packed..<packed + bits))
        packed += bits
        return true
    }

    /// The pieces in the order of the value's bytes, or `nil` when that cannot be told.
    func arranged(_ pieces: [ListedPiece]) -> [LocationPiece]? {
        let inMemory = placed(pieces, \.memory)
        let packed = placed(pieces, \.packed)
        switch (inMemory, packed) {
        case (nil, nil): return nil
        case (let one?, nil), (nil, let one?): return filled(one)
        case (let one?, let other?):
            let isSame = one.elementsEqual(other) { $0.byte == $1.byte && $0.bits == $1.bits }
            return isSame ? filled(one) : nil
        }
    }

    private struct Placed {
        var byte: UInt64
        var bits: UInt64
        var source: LocationPiece.Source
    }

    /// Where the pieces are when they are listed in one of the two ways; `nil` when they are not.
    private func placed(
        _ pieces: [ListedPiece], _ bits: KeyPath<Leaf, Range<UInt64>>
    ) -> [Placed]? {
        var placed: [Placed] = []
        var start: UInt64 = 0
        for piece in pieces {
            let range = start..<start &+ piece.bits
            start = range.upperBound
            guard !piece.isMissing else { continue }
            guard let first = leaves.first(where: { $0[keyPath: bits].contains(range.lowerBound) })
            else { return nil }
            let distance = range.lowerBound - first[keyPath: bits].lowerBound
            guard distance % 8 == 0 else { return nil }
            let byte = first.memory.lowerBound / 8 + distance / 8
            // A piece of several leaves keeps them as far apart as they are in memory.
            for leaf in leaves
            where leaf[keyPath: bits].overlaps(range)
                && leaf[keyPath: bits].lowerBound > range.lowerBound
            {
                let ahead = leaf[keyPath: bits].lowerBound - range.lowerBound
                guard leaf.memory.lowerBound == byte * 8 + ahead else { return nil }
            }
            guard range.upperBound <= leaves.map({ $0[keyPath: bits].upperBound }).max() ?? 0
            else { return nil }
            placed.append(Placed(byte: byte, bits: piece.bits, source: piece.source))
        }
        return placed
    }

    /// Fills what is between the pieces: with zeros where the value has a gap.
    private func filled(_ placed: [Placed]) -> [LocationPiece]? {
        var pieces: [LocationPiece] = []
        var byte: UInt64 = 0
        for piece in placed.sorted(by: { $0.byte < $1.byte }) {
            guard piece.byte >= byte else { return nil }
            fill(byte..<piece.byte, &pieces)
            if piece.bits % 8 == 0 {
                pieces.append(LocationPiece(sizeBytes: piece.bits / 8, source: piece.source))
                byte = piece.byte + piece.bits / 8
            } else {
                guard piece.bits < 8 else { return nil }
                let source = piece.source.masked(toBits: piece.bits)
                pieces.append(LocationPiece(sizeBytes: 1, source: source))
                byte = piece.byte + 1
            }
        }
        guard byte <= sizeBytes else { return nil }
        fill(byte..<sizeBytes, &pieces)
        return pieces
    }

    private func fill(_ range: Range<UInt64>, _ pieces: inout [LocationPiece]) {
        var byte = range.lowerBound
        while byte < range.upperBound {
            let holds = leaves.contains { $0.memory.contains(byte * 8) }
            var end = byte + 1
            while end < range.upperBound,
                leaves.contains(where: { $0.memory.contains(end * 8) }) == holds
            { end += 1 }
            let zeros = LocationPiece.Source.implicit(Array(repeating: 0, count: Int(end - byte)))
            pieces.append(
                LocationPiece(
                    sizeBytes: end - byte, source: holds ? .missing("optimized out") : zeros))
            byte = end
        }
    }
}

extension LocationPiece.Source {
    /// The low bits as one byte whose other bits are zero.
    func masked(toBits bits: UInt64) -> Self {
        let mask = UInt64.max >> (64 - min(64, max(1, bits)))
        let keep: [AddressExpression.Operation] = [.constant(mask), .and]
        switch self {
        case .register(let number):
            return .value(AddressExpression([.register(number, plus: 0)] + keep))
        case .memory(let expression):
            return .value(AddressExpression(expression.operations + [.load(bytes: 1)] + keep))
        case .value(let expression): return .value(AddressExpression(expression.operations + keep))
        case .implicit(let bytes):
            return .implicit([(bytes.first ?? 0) & UInt8(truncatingIfNeeded: mask)])
        case .vector: return .missing("its bits are in a vector register")
        case .missing: return self
        }
    }
}
