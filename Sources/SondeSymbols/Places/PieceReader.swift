// SPDX-License-Identifier: Apache-2.0
// Reads one piece of a location description: a register, memory, a number or constant bytes.

internal import CElfutils
internal import SondeModel

/// Reads the operations up to the end of a piece.
struct PieceReader {
    let frame: FunctionFrame
    var attribute: Dwarf_Attribute
    private var machine = ExpressionMachine()
    private var source: LocationPiece.Source?
    private var failure: String?

    init(frame: FunctionFrame, attribute: Dwarf_Attribute) {
        self.frame = frame
        self.attribute = attribute
    }

    /// Whether nothing was read since the last piece.
    var isEmpty: Bool { source == nil && failure == nil && machine.stack.isEmpty }

    /// What was read, for a piece of so many bytes (0: unknown).
    mutating func take(_ sizeBytes: UInt64) -> LocationPiece.Source {
        defer {
            machine.clear()
            source = nil
            failure = nil
        }
        if let failure { return .missing(failure) }
        switch source {
        case .register where sizeBytes > 8, .value where sizeBytes > 8:
            return .missing("only a part of it is in a register")
        case .vector where sizeBytes > 16: return .missing("only a part of it is in a register")
        case .implicit(let bytes) where UInt64(bytes.count) < sizeBytes:
            return .missing("its location is malformed")
        case .some(let source): return source
        case nil: break
        }
        guard let top = machine.stack.last else { return .missing("optimized out") }
        return .memory(AddressExpression(top))
    }

    /// Reads one operation; answers how many of those behind it were read with it.
    mutating func read(
        _ operations: [LocationOperation], at place: Int
    ) -> Int {
        guard failure == nil else { return 0 }
        guard source == nil else {
            failure = "its location is malformed"
            return 0
        }
        do throws(MissingLocation) {
            let operation = operations[place]
            if try machine.apply(operation) { return 0 }
            if try applyToSource(operation) { return 0 }
            if try applyToFrame(operation) { return 0 }
            if try applyTyped(operation) { return 0 }
            let atom = operation.atom
            guard atom == DW_OP_entry_value || atom == DW_OP_GNU_entry_value else {
                throw MissingLocation(Self.reason(atom))
            }
            let register = try entryRegister(operation)
            // Where only the word behind the register is known, both are taken together.
            if place + 1 < operations.count, operations[place + 1].atom == DW_OP_deref,
                let word = frame.firstWord(atEntryRegister: register)
            {
                try machine.push(word)
                return 1
            }
            try machine.push(frame.entryValue(ofRegister: register))
        } catch {
            failure = error.reason
        }
        return 0
    }

    /// Operations that say that the value is no memory.
    private mutating func applyToSource(
        _ operation: LocationOperation
    ) throws(MissingLocation) -> Bool {
        let atom = operation.atom
        switch atom {
        case DW_OP_reg0...DW_OP_reg31: source = try register(UInt64(atom - DW_OP_reg0))
        case DW_OP_regx: source = try register(operation.number)
        case DW_OP_stack_value: source = .value(AddressExpression(try machine.pop()))
        case DW_OP_implicit_value: source = .implicit(operation.bytes)
        default: return false
        }
        return true
    }

    private func register(_ number: UInt64) throws(MissingLocation) -> LocationPiece.Source {
        switch number {
        case 0...15: return .register(UInt8(number))
        case 17...32: return .vector(UInt8(number - 17))
        default: throw MissingLocation("it is in register \(number), which probes cannot read")
        }
    }

    /// Operations that depend on the function's frame, or on the image.
    private mutating func applyToFrame(
        _ operation: LocationOperation
    ) throws(MissingLocation) -> Bool {
        switch operation.atom {
        case DW_OP_fbreg:
            try machine.push(
                ExpressionMachine.sum(frame.base(), Int64(bitPattern: operation.number)))
        case DW_OP_call_frame_cfa: try machine.push(frame.canonicalAddress())
        case DW_OP_addrx, DW_OP_GNU_addr_index:
            try machine.push([.imageAddress(ImageAddress(try indexed(operation)))])
        case DW_OP_constx, DW_OP_GNU_const_index:
            try machine.push([.constant(try indexed(operation))])
        default: return false
        }
        return true
    }

    private func indexed(_ operation: LocationOperation) throws(MissingLocation) -> UInt64 {
        guard let value = frame.image.locations.address(at: operation.number, attribute) else {
            throw MissingLocation("its location is malformed")
        }
        return value
    }

    /// The register of an entry value.
    private func entryRegister(_ operation: LocationOperation) throws(MissingLocation) -> UInt64 {
        let inner = operation.bytes.withUnsafeBytes { LocationOperation.decode($0, is64: false) }
        guard let inner, inner.count == 1 else {
            throw MissingLocation("only known at the function's entry")
        }
        let atom = inner[0].atom
        if (DW_OP_reg0...DW_OP_reg31).contains(atom) { return UInt64(atom - DW_OP_reg0) }
        if atom == DW_OP_regx { return inner[0].number }
        throw MissingLocation("only known at the function's entry")
    }

    /// DWARF 5's operations on words with a type, for integers.
    private mutating func applyTyped(
        _ operation: LocationOperation
    ) throws(MissingLocation) -> Bool {
        switch operation.atom {
        case DW_OP_convert, DW_OP_GNU_convert:
            // Type 0 is the untyped word.
            if operation.number == 0 { return true }
            let type = try integerType(at: operation.number)
            try machine.narrow(toBytes: type.bytes, isSigned: type.isSigned)
        case DW_OP_regval_type, DW_OP_GNU_regval_type:
            let type = try integerType(at: operation.number2)
            try machine.push([try ExpressionMachine.register(operation.number, plus: 0)])
            try machine.narrow(toBytes: type.bytes, isSigned: type.isSigned)
        case DW_OP_deref_type, DW_OP_GNU_deref_type:
            let type = try integerType(at: operation.number2)
            guard (1...8).contains(type.bytes), type.bytes == operation.number else {
                throw MissingLocation("its location is malformed")
            }
            try machine.load(UInt8(type.bytes))
            try machine.narrow(toBytes: type.bytes, isSigned: type.isSigned)
        default: return false
        }
        return true
    }

    private func integerType(
        at offset: UInt64
    ) throws(MissingLocation) -> (bytes: UInt64, isSigned: Bool) {
        guard let type = frame.image.locations.entry(at: offset, attribute) else {
            throw MissingLocation("its location is malformed")
        }
        let encoding = Int(type.number(Int(DW_AT_encoding)) ?? 0)
        guard let bytes = type.number(Int(DW_AT_byte_size)), (1...8).contains(bytes) else {
            throw MissingLocation("its location is computed in a type that probes do not know")
        }
        switch encoding {
        case DW_ATE_signed, DW_ATE_signed_char: return (bytes, true)
        case DW_ATE_unsigned, DW_ATE_unsigned_char, DW_ATE_boolean, DW_ATE_address:
            return (bytes, false)
        default:
            throw MissingLocation("its location is computed in a type that probes do not know")
        }
    }

    private static func reason(_ atom: Int) -> String {
        switch atom {
        case DW_OP_form_tls_address, DW_OP_GNU_push_tls_address: "it is thread-local"
        case DW_OP_implicit_pointer, DW_OP_GNU_implicit_pointer:
            "optimized out: only what it points to is left"
        case DW_OP_GNU_parameter_ref: "only known to the caller"
        default: "its location is not understood (operation 0x\(String(atom, radix: 16)))"
        }
    }
}
