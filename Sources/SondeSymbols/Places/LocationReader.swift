// SPDX-License-Identifier: Apache-2.0
// Reads a DWARF location description: where the pieces of a value are at one instruction.

internal import CElfutils

/// Reads locations of variables of one function at one instruction.
///
/// Source: DWARF 5, section 2.6; GNU's extensions are those that DWARF 5 took over.
struct LocationReader {
    typealias Operation = AddressExpression.Operation

    let frame: FunctionFrame

    /// The location that a variable's entry states, for a value of so many bytes (0: unknown).
    func location(of entry: DwarfEntry, sizeBytes: UInt64) -> VariableLocation {
        if let value = entry.inherited({ $0.constantValue(sizeBytes: sizeBytes) }) {
            return VariableLocation(
                pieces: [LocationPiece(sizeBytes: UInt64(value.count), source: .implicit(value))])
        }
        guard var attribute = entry.inherited({ $0.attribute(Int(DW_AT_location)) }) else {
            return .missing("optimized out", sizeBytes: sizeBytes)
        }
        var operations: UnsafeMutablePointer<Dwarf_Op>?
        var count = 0
        let found = dwarf_getlocation_addr(&attribute, frame.address, &operations, &count, 1)
        guard found >= 0 else { return .missing("its location is malformed", sizeBytes: sizeBytes) }
        guard found > 0, let operations, count > 0 else {
            return .missing("optimized out here", sizeBytes: sizeBytes)
        }
        guard count <= 1024 else {
            return .missing("its location is too complicated", sizeBytes: sizeBytes)
        }
        // Safety: libdw keeps `count` decoded operations until dwarf_end.
        let list = UnsafeBufferPointer(start: operations, count: count)
        return location(list, attribute, sizeBytes: sizeBytes)
    }

    private func location(
        _ operations: UnsafeBufferPointer<Dwarf_Op>, _ attribute: Dwarf_Attribute,
        sizeBytes: UInt64
    ) -> VariableLocation {
        var pieces: [LocationPiece] = []
        var pending = PieceReader(frame: frame, attribute: attribute)
        var place = 0
        while place < operations.count {
            let operation = operations[place]
            switch Int(operation.atom) {
            case DW_OP_piece:
                let size = operation.number
                pieces.append(LocationPiece(sizeBytes: size, source: pending.take(size)))
            case DW_OP_bit_piece:
                let bits = operation.number
                guard bits % 8 == 0, operation.number2 == 0 else {
                    return .missing("its bits are spread", sizeBytes: sizeBytes)
                }
                pieces.append(LocationPiece(sizeBytes: bits / 8, source: pending.take(bits / 8)))
            default: place += pending.read(operations, at: place)
            }
            place += 1
            guard pieces.count <= 64 else {
                return .missing("its location is too complicated", sizeBytes: sizeBytes)
            }
        }
        if pieces.isEmpty {
            return VariableLocation(
                pieces: [
                    LocationPiece(sizeBytes: sizeBytes, source: pending.take(sizeBytes))
                ])
        }
        guard pending.isEmpty else {
            return .missing("its location is malformed", sizeBytes: sizeBytes)
        }
        let covered = pieces.reduce(UInt64(0)) { $0 &+ min($1.sizeBytes, 1 << 32) }
        if covered < sizeBytes {
            pieces.append(
                LocationPiece(sizeBytes: sizeBytes - covered, source: .missing("optimized out")))
        }
        return VariableLocation(pieces: pieces.filter { $0.sizeBytes > 0 })
    }
}
