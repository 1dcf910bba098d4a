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
        _ operations: UnsafeMutablePointer<Dwarf_Op>, _ count: Int, at place: Int
    ) -> Int {
        guard failure == nil else { return 0 }
        guard source == nil else {
            failure = "its location is malformed"
            return 0
        }
        do throws(MissingLocation) {
            // libdw finds what belongs to an operation by where it is. Safety: `place` is below
            // the count of decoded operations, which libdw keeps until dwarf_end.
            let operation = operations + place
            if try machine.apply(operation.pointee) { return 0 }
            if try applyToSource(operation) { return 0 }
            if try applyToFrame(operation) { return 0 }
            if try applyTyped(operation) { return 0 }
            let atom = Int(operation.pointee.atom)
            guard atom == DW_OP_entry_value || atom == DW_OP_GNU_entry_value else {
                throw MissingLocation(Self.reason(atom))
            }
            let register = try entryRegister(operation)
            // Where only the word behind the register is known, both are taken together.
            if place + 1 < count, Int(operations[place + 1].atom) == DW_OP_deref,
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
        _ operation: UnsafeMutablePointer<Dwarf_Op>
    ) throws(MissingLocation) -> Bool {
        let atom = Int(operation.pointee.atom)
        switch atom {
        case DW_OP_reg0...DW_OP_reg31: source = try register(UInt64(atom - DW_OP_reg0))
        case DW_OP_regx: source = try register(operation.pointee.number)
        case DW_OP_stack_value: source = .value(AddressExpression(try machine.pop()))
        case DW_OP_implicit_value:
            var block = Dwarf_Block()
            guard
                dwarf_getlocation_implicit_value(&attribute, operation, &block) == 0,
                let data = block.data, block.length <= 4096
            else { throw MissingLocation("its location is malformed") }
            // Safety: libdw checked that the block lies inside the section, which stays mapped.
            source = .implicit(Array(UnsafeBufferPointer(start: data, count: Int(block.length))))
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
        _ operation: UnsafeMutablePointer<Dwarf_Op>
    ) throws(MissingLocation) -> Bool {
        switch Int(operation.pointee.atom) {
        case DW_OP_fbreg:
            try machine.push(
                ExpressionMachine.sum(frame.base(), Int64(bitPattern: operation.pointee.number)))
        case DW_OP_call_frame_cfa: try machine.push(frame.canonicalAddress())
        case DW_OP_addrx, DW_OP_GNU_addr_index:
            let address = try indexed(operation, isAddress: true)
            try machine.push([.imageAddress(ImageAddress(address))])
        case DW_OP_constx, DW_OP_GNU_const_index:
            try machine.push([.constant(try indexed(operation, isAddress: false))])
        default: return false
        }
        return true
    }

    private mutating func indexed(
        _ operation: UnsafeMutablePointer<Dwarf_Op>, isAddress: Bool
    ) throws(MissingLocation) -> UInt64 {
        var target = Dwarf_Attribute()
        var value: UInt64 = 0
        guard dwarf_getlocation_attr(&attribute, operation, &target) == 0,
            (isAddress
                ? dwarf_formaddr(&target, &value) : dwarf_formudata(&target, &value)) == 0
        else { throw MissingLocation("its location is malformed") }
        return value
    }

    /// The register of an entry value.
    private mutating func entryRegister(
        _ operation: UnsafeMutablePointer<Dwarf_Op>
    ) throws(MissingLocation) -> UInt64 {
        var target = Dwarf_Attribute()
        var inner: UnsafeMutablePointer<Dwarf_Op>?
        var count = 0
        guard dwarf_getlocation_attr(&attribute, operation, &target) == 0,
            dwarf_getlocation(&target, &inner, &count) == 0, let inner, count == 1
        else { throw MissingLocation("only known at the function's entry") }
        // Safety: libdw keeps the decoded operation until dwarf_end.
        let atom = Int(inner[0].atom)
        if (DW_OP_reg0...DW_OP_reg31).contains(atom) { return UInt64(atom - DW_OP_reg0) }
        if atom == DW_OP_regx { return inner[0].number }
        throw MissingLocation("only known at the function's entry")
    }

    /// DWARF 5's operations on words with a type, for integers.
    private mutating func applyTyped(
        _ operation: UnsafeMutablePointer<Dwarf_Op>
    ) throws(MissingLocation) -> Bool {
        switch Int(operation.pointee.atom) {
        case DW_OP_convert, DW_OP_GNU_convert:
            // Type 0 is the untyped word.
            if operation.pointee.number == 0 { return true }
            let type = try integerType(operation)
            try machine.narrow(toBytes: type.bytes, isSigned: type.isSigned)
        case DW_OP_regval_type, DW_OP_GNU_regval_type:
            let type = try integerType(operation)
            try machine.push([try ExpressionMachine.register(operation.pointee.number, plus: 0)])
            try machine.narrow(toBytes: type.bytes, isSigned: type.isSigned)
        case DW_OP_deref_type, DW_OP_GNU_deref_type:
            let type = try integerType(operation)
            guard (1...8).contains(type.bytes), type.bytes == operation.pointee.number else {
                throw MissingLocation("its location is malformed")
            }
            try machine.load(UInt8(type.bytes))
            try machine.narrow(toBytes: type.bytes, isSigned: type.isSigned)
        default: return false
        }
        return true
    }

    private mutating func integerType(
        _ operation: UnsafeMutablePointer<Dwarf_Op>
    ) throws(MissingLocation) -> (bytes: UInt64, isSigned: Bool) {
        var die = Dwarf_Die()
        guard dwarf_getlocation_die(&attribute, operation, &die) == 0 else {
            throw MissingLocation("its location is malformed")
        }
        let type = DwarfEntry(die)
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
