// SPDX-License-Identifier: Apache-2.0
// Call frame information: where a function's frame is at an instruction.

internal import CElfutils
internal import Glibc

/// The call frame information of an image, from `.debug_frame` and `.eh_frame`.
final class FrameRules {
    // Safety: made by dwarf_getcfi_elf and ours until deinit; `images` keeps what they point into.
    private var owned: [OpaquePointer] = []
    // Safety: belongs to libdw's handle, which `dwarf` keeps.
    private var borrowed: OpaquePointer?
    private let images: [ElfImage]
    private let dwarf: DwarfInfo

    /// The rules of an image's files.
    init(_ images: [ElfImage], _ dwarf: DwarfInfo) {
        self.images = images
        self.dwarf = dwarf
        borrowed = dwarf_getcfi(dwarf.handle)
        for image in images {
            let section = image.sections.first { $0.name == ".eh_frame" }
            // A file with nothing but debug info keeps the section's header without its bytes.
            guard let section, section.type != SHT_NOBITS, section.size > 0 else { continue }
            if let rules = dwarf_getcfi_elf(image.handle) { owned.append(rules) }
        }
    }

    deinit { for rules in owned { dwarf_cfi_end(rules) } }

    /// The frame of the function at an instruction; `nil` when nothing describes it.
    func frame(at address: UInt64) -> FrameAtInstruction? {
        for rules in (borrowed.map { [$0] } ?? []) + owned {
            var frame: OpaquePointer?
            if dwarf_cfi_addrframe(rules, address, &frame) == 0, let frame {
                return FrameAtInstruction(frame)
            }
        }
        return nil
    }
}

/// What call frame information says at one instruction.
final class FrameAtInstruction {
    typealias Operation = AddressExpression.Operation

    // Safety: allocated by malloc in dwarf_cfi_addrframe, ours until deinit.
    private let frame: OpaquePointer

    init(_ frame: OpaquePointer) { self.frame = frame }

    deinit { free(UnsafeMutableRawPointer(frame)) }

    /// The canonical frame address: the caller's stack pointer before the call.
    var canonicalAddress: [Operation]? {
        var operations: UnsafeMutablePointer<Dwarf_Op>?
        var count = 0
        guard dwarf_frame_cfa(frame, &operations, &count) == 0 else { return nil }
        return Self.expression(operations, count)
    }

    /// The canonical frame address as a register and an offset, when it is that.
    var canonicalRegister: (number: UInt8, offset: Int64)? {
        guard let operations = canonicalAddress, operations.count == 1,
            case .register(let number, let offset) = operations[0]
        else { return nil }
        return (number, offset)
    }

    /// The address at which the function saved its caller's value of a register, when it did.
    func savedAddress(ofRegister number: UInt8) -> [Operation]? {
        var memory = (Dwarf_Op(), Dwarf_Op(), Dwarf_Op())
        return withUnsafeMutablePointer(to: &memory) { memory in
            var operations: UnsafeMutablePointer<Dwarf_Op>?
            var count = 0
            // Safety: the tuple is laid out as three operations, which is what libdw may write.
            let scratch = UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Dwarf_Op.self)
            guard
                dwarf_frame_register(frame, Int32(number), scratch, &operations, &count) == 0,
                let operations, count > 0,
                Int(operations[count - 1].atom) != DW_OP_stack_value
            else { return nil }
            return Self.expression(operations, count, canonicalAddress)
        }
    }

    private static func expression(
        _ operations: UnsafeMutablePointer<Dwarf_Op>?, _ count: Int,
        _ canonicalAddress: [Operation]? = nil
    ) -> [Operation]? {
        guard let operations, (1...64).contains(count) else { return nil }
        var machine = ExpressionMachine()
        // Safety: libdw keeps `count` operations as long as the frame lives.
        for operation in UnsafeBufferPointer(start: operations, count: count) {
            let operation = LocationOperation(operation)
            do {
                if operation.atom == DW_OP_call_frame_cfa, let canonicalAddress {
                    try machine.push(canonicalAddress)
                } else if try !machine.apply(operation) {
                    return nil
                }
            } catch {
                return nil
            }
        }
        return machine.stack.last
    }
}
