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
    /// Whether the variables belong to a call that was inlined.
    var isInlined = false

    /// The location that a variable's entry states, for a value of a type.
    func location(of entry: DwarfEntry, type: TypeID) -> VariableLocation {
        let sizeBytes = type.byteSize ?? 0
        if let value = entry.inherited({ $0.constantValue(sizeBytes: sizeBytes) }) {
            return VariableLocation(
                pieces: [LocationPiece(sizeBytes: UInt64(value.count), source: .implicit(value))])
        }
        guard let attribute = entry.inherited({ $0.attribute(Int(DW_AT_location)) }) else {
            return .missing("optimized out", sizeBytes: sizeBytes)
        }
        let list: [LocationOperation]
        switch frame.find(attribute) {
        case .operations(let operations): list = operations
        case .nothing: return .missing("optimized out here", sizeBytes: sizeBytes)
        case .malformed:
            return .missing("its location is not understood", sizeBytes: sizeBytes)
        }
        guard !list.isEmpty else { return .missing("optimized out here", sizeBytes: sizeBytes) }
        if isAsyncEntry, let source = entered(list) {
            return VariableLocation(pieces: [LocationPiece(sizeBytes: sizeBytes, source: source)])
        }
        if isInlined, !entry.hasLocationList, hasSurplusLoad(list) {
            return reliable(location(list.dropLast(), attribute, type))
        }
        return reliable(location(list, attribute, type))
    }

    /// Whether a location of an inlined call's parameter loads once too often.
    ///
    /// When an `inout` parameter is a variable in the caller's frame, Swift 6.3 says that the frame
    /// holds its address (`DW_OP_fbreg -8, DW_OP_deref`; in an `async` function an offset from the
    /// context takes the place of the first). An address that is kept there for a while has a
    /// location list. Remove this when the tests of optimized programs fail with a newer compiler.
    private func hasSurplusLoad(_ operations: [LocationOperation]) -> Bool {
        guard operations.last?.atom == DW_OP_deref, frame.isOptimizedSwift else { return false }
        switch operations.first?.atom {
        case DW_OP_fbreg: return operations.count == 2
        case DW_OP_entry_value, DW_OP_GNU_entry_value:
            return operations.count == 3 && operations[1].atom == DW_OP_plus_uconst
        default: return false
        }
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
        _ operations: [LocationOperation]
    ) -> LocationPiece.Source? {
        let first = operations[0]
        let atom = first.atom
        switch operations.count {
        case 1 where (DW_OP_breg0...DW_OP_breg15).contains(atom) && first.number == 0:
            return .register(UInt8(atom - DW_OP_breg0))
        case 1 where (DW_OP_breg17...DW_OP_breg31).contains(atom) && first.number == 0:
            return .vector(UInt8(atom - DW_OP_breg17))
        case 1 where (DW_OP_lit0...DW_OP_lit31).contains(atom):
            return .value(AddressExpression([.constant(UInt64(atom - DW_OP_lit0))]))
        case 1 where [DW_OP_constu, DW_OP_consts].contains(atom):
            return .value(AddressExpression([.constant(first.number)]))
        case 2 where atom == DW_OP_fbreg && operations[1].atom == DW_OP_deref:
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
        _ operations: some RandomAccessCollection<LocationOperation>,
        _ attribute: Dwarf_Attribute, _ type: TypeID
    ) -> VariableLocation {
        let operations = Array(operations)
        let sizeBytes = type.byteSize ?? 0
        var pieces: [ListedPiece] = []
        var pending = PieceReader(frame: frame, attribute: attribute)
        var place = 0
        while place < operations.count {
            let operation = operations[place]
            switch operation.atom {
            case DW_OP_piece:
                let bits = operation.number &* 8
                pieces.append(ListedPiece(bits: bits, source: pending.take(operation.number)))
            case DW_OP_bit_piece where operation.number2 == 0:
                let bits = operation.number
                pieces.append(ListedPiece(bits: bits, source: pending.take((bits &+ 7) / 8)))
            case DW_OP_bit_piece:
                return .missing("its bits are spread", sizeBytes: sizeBytes)
            default: place += pending.read(operations, at: place)
            }
            place += 1
            guard pieces.count <= 64, pieces.last?.bits ?? 0 <= 1 << 20 else {
                return .missing("its location is too complicated", sizeBytes: sizeBytes)
            }
        }
        if pieces.isEmpty { return whole(pending.take(sizeBytes), type) }
        guard pending.isEmpty else {
            return .missing("its location is malformed", sizeBytes: sizeBytes)
        }
        return arranged(pieces.filter { $0.bits > 0 }, type)
    }

    /// A value in one piece.
    private func whole(_ source: LocationPiece.Source, _ type: TypeID) -> VariableLocation {
        let sizeBytes = type.byteSize ?? 0
        var source = source
        if case .memory(let expression) = source, frame.isAsync, isNumber(expression) {
            source = sizeBytes > 8 ? .missing("optimized out") : .value(expression)
        }
        // Only the lowest bit of a register that holds a `Bool` is certain.
        if case .register = source, type.mangledName == "$sSbD" {
            source = source.masked(toBits: 1)
        }
        return VariableLocation(pieces: [LocationPiece(sizeBytes: sizeBytes, source: source)])
    }

    /// A value in several pieces, or one of which only some pieces are stated.
    private func arranged(_ pieces: [ListedPiece], _ type: TypeID) -> VariableLocation {
        let bits = pieces.reduce(UInt64(0)) { $0 &+ $1.bits }
        let sizeBytes = type.byteSize ?? bits / 8
        let isWhole = pieces.allSatisfy { $0.bits % 8 == 0 }
        if isWhole && (bits == sizeBytes &* 8 || type.mangledName == nil) {
            var result = pieces.map { LocationPiece(sizeBytes: $0.bits / 8, source: $0.source) }
            if bits / 8 < sizeBytes {
                let rest = LocationPiece.Source.missing("optimized out")
                result.append(LocationPiece(sizeBytes: sizeBytes - bits / 8, source: rest))
            }
            return VariableLocation(pieces: result)
        }
        if pieces.allSatisfy(\.isMissing) {
            return .missing("optimized out", sizeBytes: sizeBytes)
        }
        let layout = PieceLayout(of: type, sizeBytes: sizeBytes, in: frame.image)
        guard let result = layout?.arranged(pieces) else {
            return .missing(
                "only parts of it are left, and which cannot be told", sizeBytes: sizeBytes)
        }
        return VariableLocation(pieces: result)
    }
}
