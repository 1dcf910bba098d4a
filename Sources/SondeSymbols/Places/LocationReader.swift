// SPDX-License-Identifier: Apache-2.0
// Reads a DWARF location description: where the pieces of a value are at one instruction.

internal import CElfutils

/// Reads locations of variables of one function at one instruction.
///
/// Source: DWARF 5, section 2.6; GNU's extensions are those that DWARF 5 took over.
struct LocationReader {
    typealias Operation = AddressExpression.Operation

    let frame: FunctionFrame
    /// Whether the variables belong to an `async` function as it is entered; see ``entered(_:)``.
    var isAsyncEntry = false

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
        if isAsyncEntry, let source = entered(list) {
            return VariableLocation(pieces: [LocationPiece(sizeBytes: sizeBytes, source: source)])
        }
        return reliable(location(list, attribute, sizeBytes: sizeBytes))
    }

    /// The location without what depends on registers that do not hold what they should.
    private func reliable(_ location: VariableLocation) -> VariableLocation {
        var location = location
        for index in location.pieces.indices {
            switch location.pieces[index].source {
            case .memory(let expression), .value(let expression):
                if let reason = frame.reasonAgainst(expression) {
                    location.pieces[index].source = .missing(reason)
                }
            default: break
            }
        }
        return location
    }

    /// Where a value is for which optimized code claims that its address is there.
    ///
    /// In the part of an `async` function that runs first, Swift 6.3 describes values in registers,
    /// on the stack and constants as if they were the addresses of values (`DW_OP_breg5 0` for an
    /// `Int` in `rdi`). Remove this when the tests that stop at every instruction fail with a newer
    /// compiler.
    private func entered(
        _ operations: UnsafeBufferPointer<Dwarf_Op>
    ) -> LocationPiece.Source? {
        let first = operations[0]
        let atom = Int(first.atom)
        switch operations.count {
        case 1 where (DW_OP_breg0...DW_OP_breg15).contains(atom) && first.number == 0:
            return .register(UInt8(atom - DW_OP_breg0))
        case 1 where (DW_OP_breg17...DW_OP_breg31).contains(atom) && first.number == 0:
            return .vector(UInt8(atom - DW_OP_breg17))
        case 1 where (DW_OP_lit0...DW_OP_lit31).contains(atom):
            return .value(AddressExpression([.constant(UInt64(atom - DW_OP_lit0))]))
        case 1 where [DW_OP_constu, DW_OP_consts].contains(atom):
            return .value(AddressExpression([.constant(first.number)]))
        case 2 where atom == DW_OP_fbreg && Int(operations[1].atom) == DW_OP_deref:
            guard let base = try? frame.base() else { return nil }
            let slot = ExpressionMachine.sum(base, Int64(bitPattern: first.number))
            return .memory(AddressExpression(slot))
        default: return nil
        }
    }

    /// Whether an expression is no address although debug info says so.
    ///
    /// When LLVM splits an `async` function it describes a number that was computed, such as
    /// `count * 2`, by the computation, but forgets to say that the result is the value. Nothing but
    /// a number ends in such an operation. The sum of a number and a constant cannot be told from
    /// the address of a field; it stays an address, and a hit will find that it cannot be read.
    private func isNumber(_ expression: AddressExpression) -> Bool {
        switch expression.operations.last {
        case .shl, .shrU, .shrS, .mul, .divS, .remU, .and, .or, .xor, .neg, .not: true
        default: false
        }
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
            var source = pending.take(sizeBytes)
            if case .memory(let expression) = source, frame.isAsync, isNumber(expression) {
                source = sizeBytes > 8 ? .missing("optimized out") : .value(expression)
            }
            return VariableLocation(
                pieces: [LocationPiece(sizeBytes: sizeBytes, source: source)])
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
