// SPDX-License-Identifier: Apache-2.0
// The frame of a machine's function at one instruction: what locations are relative to.

internal import CElfutils
internal import SondeModel

/// What locations of one function are relative to, at one instruction.
final class FunctionFrame {
    typealias Operation = AddressExpression.Operation

    let image: ProbeImage
    let address: UInt64
    private let function: DwarfEntry?
    private let linkageName: String
    private lazy var rules = image.frames.frame(at: address)
    private lazy var start = function?.entryAddress ?? address
    private lazy var context = makeContext()
    private lazy var rows = makeRows()
    private lazy var frameBase = makeFrameBase()
    /// How many entries of location lists may still be read for this place.
    private lazy var listEntries = image.limits.entriesPerPlace
    private lazy var isFramePopped = makeIsFramePopped()
    private lazy var isStackPopped = makeIsStackPopped()
    /// Where the function's variables are in the frame from; 0 when they are anywhere else.
    private(set) lazy var bodyStart = makeBodyStart()

    /// The frame of the function with this debug entry.
    init(_ image: ProbeImage, at address: UInt64, function: DwarfEntry?, linkageName: String) {
        self.image = image
        self.address = address
        self.function = function
        self.linkageName = linkageName
    }

    /// Whether Swift's optimizer made the code at the address.
    private(set) lazy var isOptimizedSwift: Bool = {
        guard let number = image.dwarf.unit(at: address) else { return false }
        let unit = image.dwarf.units[Int(number)]
        // 0x1E: Swift, as DWARF numbers languages; 0x3FE1: DW_AT_APPLE_optimized.
        return unit.number(Int(DW_AT_language)) == 0x1E && unit.attribute(0x3FE1) != nil
    }()

    /// The line table's rows from the function's first instruction on.
    private func makeRows() -> ArraySlice<LineRow> {
        guard let function, let unit = image.dwarf.unit(at: address) else { return [] }
        var budget = image.limits.lineRows
        guard
            let offset = image.dwarf.units[Int(unit)].sectionOffset(Int(DW_AT_stmt_list)),
            let table = image.lineTable(at: offset, &budget),
            let range = image.ranges(of: function).first(where: { $0.contains(start) }),
            let rows = table.rows(in: range).first
        else { return [] }
        return table.rows[rows]
    }

    private func makeBodyStart() -> UInt64 {
        function.map { image.bodyStart(of: $0, rows) } ?? 0
    }

    /// Why a register does not hold what debug info relies on although it says so; `nil` when it
    /// does.
    ///
    /// In epilogues locations are often stated on to the function's last instruction.
    func reasonAgainst(_ expression: AddressExpression) -> String? {
        for case .register(let number, _) in expression.operations {
            if number == 6 && isFramePopped || number == 7 && isStackPopped {
                return "the function's frame is gone here"
            }
        }
        return nil
    }

    /// Whether the frame pointer is not, or not any more, this function's.
    private func makeIsFramePopped() -> Bool {
        // Behind the `pop rbp` at the end of a part of an `async` function is a `btr rbp, 60`, and
        // call frame information is one instruction late there.
        let mark: [UInt8] = [0x48, 0x0F, 0xBA, 0xF5, 0x3C]
        if isAsync, let code = image.machineCode(from: address, count: mark.count),
            code.starts(with: mark)
        {
            return true
        }
        guard frameBaseRegister == 6, let register = rules?.canonicalRegister else { return false }
        return register.number != 6
    }

    /// The register that holds the frame's base, when it is simply that.
    private var frameBaseRegister: Int? {
        guard let operations = frameBase, operations.count == 1 else { return nil }
        let atom = operations[0].atom
        return (DW_OP_reg0...DW_OP_reg31).contains(atom) ? atom - DW_OP_reg0 : nil
    }

    private func makeFrameBase() -> [LocationOperation]? {
        guard let attribute = function?.attribute(Int(DW_AT_frame_base)),
            case .operations(let operations) = find(attribute)
        else { return nil }
        return operations
    }

    /// What an attribute that holds a location says here.
    func find(_ attribute: Dwarf_Attribute) -> LocationBytes.Found {
        image.locations.find(attribute, at: address, &listEntries)
    }

    /// Whether the stack pointer is not where it is in the function's body.
    private func makeIsStackPopped() -> Bool {
        guard let end = rows.first(where: { $0.flags.contains(.prologueEnd) })?.address,
            address > end, let here = rules?.canonicalRegister, here.number == 7,
            let there = image.frames.frame(at: end)?.canonicalRegister, there.number == 7
        else { return false }
        return here.offset < there.offset
    }

    /// The canonical frame address.
    func canonicalAddress() throws(MissingLocation) -> [Operation] {
        guard let address = rules?.canonicalAddress else {
            throw MissingLocation("the frame's layout is not known here")
        }
        return address
    }

    /// What `DW_OP_fbreg` adds to.
    func base() throws(MissingLocation) -> [Operation] {
        if address < bodyStart, address >= start {
            throw MissingLocation("not yet in the frame: the function is only being entered")
        }
        if let frameBaseRegister { return try base(inRegister: frameBaseRegister) }
        guard let operations = frameBase, !operations.isEmpty else {
            throw MissingLocation("the frame's layout is not known here")
        }
        var machine = ExpressionMachine()
        for operation in operations {
            if operation.atom == DW_OP_call_frame_cfa {
                try machine.push(canonicalAddress())
            } else if try !machine.apply(operation) {
                throw MissingLocation("the frame's layout is not understood")
            }
        }
        return try machine.pop()
    }

    private func base(inRegister number: Int) throws(MissingLocation) -> [Operation] {
        // The frame pointer holds the frame's address only between prologue and epilogue.
        if number == 6, let register = rules?.canonicalRegister, register.number != 6 {
            throw MissingLocation("the function's frame is not set up here")
        }
        guard number == 6 || number == 7 else {
            return [try ExpressionMachine.register(UInt64(number), plus: 0)]
        }
        // The stack pointer may be lower than at the end of the prologue, by what was pushed since.
        if number == 7, let here = rules?.canonicalRegister, here.number == 7, bodyStart > 0,
            let there = image.frames.frame(at: bodyStart)?.canonicalRegister, there.number == 7
        {
            return [.register(7, plus: here.offset &- there.offset)]
        }
        return [.register(UInt8(number), plus: 0)]
    }

    private func makeContext() -> AsyncContext? {
        // Nothing but an `async` function has the prologue that is looked for.
        guard linkageName.hasPrefix("$s") || linkageName.hasPrefix("$e"), address >= start,
            address - start < 1 << 24,
            let code = image.machineCode(from: start, count: 256)
        else { return nil }
        return AsyncContext(
            at: address, start: start, code: code, frame: rules,
            beginsInCallee: AsyncFunclet.beginsInCallee(linkageName))
    }

    /// Whether the function is a part of an `async` one, by its frame or by its name.
    var isAsync: Bool {
        context != nil || AsyncFunclet.resumed(linkageName) != nil
            || AsyncFunclet.isEntry(linkageName)
    }

    /// The value that a register had when the function was entered.
    func entryValue(ofRegister number: UInt64) throws(MissingLocation) -> [Operation] {
        guard number < 16 else { throw MissingLocation("only known at the function's entry") }
        if address == start { return [.register(UInt8(number), plus: 0)] }
        if number == 14, let context, let value = context.atEntry { return value }
        // What the function saved for its caller is what it found at its entry.
        if let saved = rules?.savedAddress(ofRegister: UInt8(number)) {
            return saved + [.load(bytes: 8)]
        }
        throw MissingLocation("only known at the function's entry")
    }

    /// The word that a register pointed to when the function was entered, where it is known.
    func firstWord(atEntryRegister number: UInt64) -> [Operation]? {
        guard number == 14, address != start else { return nil }
        return context?.firstWordAtEntry
    }
}

extension ProbeImage {
    /// Machine code from the file; `nil` when the file has none there.
    func machineCode(from address: UInt64, count: Int) -> ArraySlice<UInt8>? {
        storedBytes(from: address, count: count, flags: 4)  // SHF_EXECINSTR
    }

    /// The bytes from an address on, as many as the file has of one section; `nil` when it has none.
    ///
    /// The flags are those of the section; by default it is one that is loaded.
    func storedBytes(from address: UInt64, count: Int, flags: UInt64 = 2) -> ArraySlice<UInt8>? {
        for image in images {
            for section in image.sections
            where section.flags & flags != 0 && address >= section.address
                && address - section.address < section.size
            {
                // A file with nothing but debug info keeps the section's header without its bytes.
                guard section.type != 8, let bytes = image.bytes(of: section) else { continue }
                guard let start = Int(exactly: address - section.address), start < bytes.count
                else { continue }
                return ArraySlice(bytes[start..<min(bytes.count, start + count)])
            }
        }
        return nil
    }
}
