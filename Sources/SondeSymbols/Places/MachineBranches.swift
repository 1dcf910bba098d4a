// SPDX-License-Identifier: Apache-2.0
// The instructions of a function that matter to its paths: branches, returns, calls.

internal import CZydis

/// An instruction after which it does not simply go on.
struct MachineBranch {
    enum Way {
        /// Jumps to a known address.
        case jump
        /// Leaves the function, by returning or by calling another one in its last place.
        case leaves
        /// Is not run past: the process ends there.
        case traps
        /// Jumps to one of the places in a table of distances from the table, which is at the
        /// target.
        case table
    }

    var start: UInt64
    /// Where the next instruction is.
    var end: UInt64
    var way: Way
    var target: UInt64?
    /// Whether the next instruction may follow.
    var goesOn: Bool
}

/// What a function's machine code is read for.
struct MachineBranches {
    private(set) var branches: [MachineBranch] = []
    /// Where calls are, sorted within each range.
    private(set) var calls: [UInt64] = []
    /// Where instructions begin.
    private(set) var starts: Set<UInt64> = []
    /// Instructions that do nothing: what is not run fills gaps.
    private(set) var fillers: Set<UInt64> = []
    /// Every address that is taken; where a table ends at the latest.
    private(set) var addresses: Set<UInt64> = []
    private var decoder = ZydisDecoder()
    /// The address behind a `pop rbp`, or a `btr rbp, 60` behind it.
    private var framePopped: UInt64 = 0
    /// Addresses that were taken since the last place that is not run past, by register.
    private var taken: [UInt8: UInt64] = [:]
    /// The table from which a distance was loaded last since then.
    private var table: UInt64?

    /// `nil` when the decoder does not start.
    init?() {
        let status = ZydisDecoderInit(
            &decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)
        guard status & 0x8000_0000 == 0 else { return nil }
    }

    /// Reads all instructions of a range.
    ///
    /// - Parameters:
    ///   - bytes: The code.
    ///   - start: The address of the first byte.
    /// - Returns: Whether they were all understood.
    mutating func read(_ bytes: ArraySlice<UInt8>, at start: UInt64) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                var instruction = ZydisDecodedInstruction()
                // Safety: the pointer and the count are those of the rest of the bytes.
                let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                guard
                    ZydisDecoderDecodeInstruction(
                        &decoder, nil, rest.baseAddress, ZyanUSize(rest.count), &instruction)
                        & 0x8000_0000 == 0, instruction.length > 0
                else { return false }
                let address = start + UInt64(offset)
                starts.insert(address)
                offset += Int(instruction.length)
                guard add(instruction, at: address, lastByte: bytes[offset - 1]) else {
                    return false
                }
            }
            return true
        }
    }

    /// Notes an instruction; answers whether it is known where it leads.
    private mutating func add(
        _ instruction: ZydisDecodedInstruction, at address: UInt64, lastByte: UInt8
    ) -> Bool {
        let end = address + UInt64(instruction.length)
        func branch(_ way: MachineBranch.Way, to target: UInt64? = nil, goesOn: Bool = false) {
            branches.append(
                MachineBranch(
                    start: address, end: end, way: way, target: target, goesOn: goesOn))
        }
        switch instruction.meta.category {
        case ZYDIS_CATEGORY_COND_BR, ZYDIS_CATEGORY_UNCOND_BR:
            guard instruction.raw.imm.0.is_relative != 0 else {
                // When the frame is gone it is a call in the function's last place.
                if framePopped == address {
                    branch(.leaves)
                    return true
                }
                guard let table else { return false }
                branch(.table, to: table)
                forgetTables()
                return true
            }
            branch(
                .jump, to: end &+ UInt64(bitPattern: instruction.raw.imm.0.value.s),
                goesOn: instruction.meta.category == ZYDIS_CATEGORY_COND_BR)
            if instruction.meta.category == ZYDIS_CATEGORY_UNCOND_BR { forgetTables() }
        case ZYDIS_CATEGORY_NOP, ZYDIS_CATEGORY_WIDENOP: fillers.insert(address)
        case ZYDIS_CATEGORY_RET: branch(.leaves)
        case ZYDIS_CATEGORY_CALL: calls.append(address)
        case ZYDIS_CATEGORY_POP where lastByte == 0x5D: framePopped = end  // rbp
        case ZYDIS_CATEGORY_BITBYTE where framePopped == address: framePopped = end
        default:
            noteTable(instruction, end)
            let ends = [ZYDIS_MNEMONIC_UD2, ZYDIS_MNEMONIC_INT3, ZYDIS_MNEMONIC_HLT]
            if ends.contains(instruction.mnemonic) { branch(.traps) }
        }
        return true
    }

    /// `lea base, [rip + table]`, then `movsxd distance, [base + index * 4]`: so compilers begin a
    /// jump by a table.
    private mutating func noteTable(_ instruction: ZydisDecodedInstruction, _ end: UInt64) {
        let modrm = instruction.raw.modrm
        let high = instruction.raw.rex
        if instruction.mnemonic == ZYDIS_MNEMONIC_LEA {
            let register = modrm.reg | high.R << 3
            taken[register] = nil
            guard modrm.mod == 0, modrm.rm == 5 else { return }
            let address = end &+ UInt64(bitPattern: instruction.raw.disp.value)
            taken[register] = address
            addresses.insert(address)
        } else if instruction.mnemonic == ZYDIS_MNEMONIC_MOVSXD, modrm.mod == 0, modrm.rm == 4 {
            table = taken[instruction.raw.sib.base | high.B << 3]
        }
    }

    private mutating func forgetTables() {
        taken = [:]
        table = nil
    }
}
