// SPDX-License-Identifier: Apache-2.0
// Where the context of an `async` Swift function is while a part of it runs.

internal import CElfutils
internal import SondeModel

/// The async context at an instruction, by the frame that Swift sets up on x86-64 Linux.
///
/// A part of an `async` function gets a context in `r14` and begins with `push rbp`, `push r14`,
/// `lea rbp, [rsp+8]`: from then on the context is at `[rbp-8]`. A part that runs after an awaited
/// call gets the callee's context, whose first word is its own, and soon stores its own there.
struct AsyncContext {
    typealias Operation = AddressExpression.Operation

    /// The value of `r14` at the entry of the part.
    private(set) var atEntry: [Operation]?
    /// The first word of what `r14` points to at the entry of the part.
    private(set) var firstWordAtEntry: [Operation]?

    private static let slot: [Operation] = [.register(6, plus: -8), .load(bytes: 8)]

    /// The context at an instruction; `nil` when the function is no part of an `async` one.
    ///
    /// - Parameters:
    ///   - address: The instruction.
    ///   - start: Where the part begins.
    ///   - code: The part's machine code from there on, at least as far as `address`.
    ///   - frame: What call frame information says at the instruction.
    ///   - beginsInCallee: Whether the part runs after an awaited call.
    init?(
        at address: UInt64, start: UInt64, code: ArraySlice<UInt8>, frame: FrameAtInstruction?,
        beginsInCallee: Bool
    ) {
        guard let prologue = Self.prologueLength(code), address >= start else { return nil }
        if address - start < UInt64(prologue) {
            // None of the prologue's instructions changes r14.
            set([.register(14, plus: 0)])
            return
        }
        // At the end of the part the frame is gone before the jump to the next one.
        guard let register = frame?.canonicalRegister, register == (6, 16) else { return }
        guard beginsInCallee else {
            set(Self.slot)
            return
        }
        let body = code.dropFirst(prologue)
        guard let store = ContextStore.find(in: body) else { return }
        let place = address - start - UInt64(prologue)
        if place <= UInt64(store.lowerBound) {
            set(Self.slot)
        } else if place >= UInt64(store.upperBound) {
            firstWordAtEntry = Self.slot
        }
    }

    private mutating func set(_ context: [Operation]) {
        atEntry = context
        firstWordAtEntry = context + [.load(bytes: 8)]
    }

    /// How many bytes the prologue takes; `nil` when it is another one.
    private static func prologueLength(_ code: ArraySlice<UInt8>) -> Int? {
        // Some builds mark the frame pointer first: bts rbp, 60.
        let mark: [UInt8] = [0x48, 0x0F, 0xBA, 0xED, 0x3C]
        let isMarked = code.starts(with: mark)
        let rest = isMarked ? code.dropFirst(mark.count) : code
        // push rbp; push r14; lea rbp, [rsp+8]
        let prologue: [UInt8] = [0x55, 0x41, 0x56, 0x48, 0x8D, 0x6C, 0x24, 0x08]
        guard rest.starts(with: prologue) else { return nil }
        return (isMarked ? mark.count : 0) + prologue.count
    }
}

/// Finds the instruction that stores a word at `[rbp-8]` in the straight code of a function's body.
enum ContextStore {
    /// The offsets of the instruction and of the one behind it; `nil` when code that is not
    /// understood comes before.
    static func find(in code: ArraySlice<UInt8>) -> Range<Int>? {
        var reader = CodeReader(code)
        /// Registers that hold rbp plus an offset.
        var offsets: [UInt8: Int64] = [5: 0]
        // The compiler stores the context with the body's first few instructions.
        for _ in 0..<24 {
            let start = reader.offset
            guard let instruction = reader.next() else { return nil }
            if case .memory(let base, let displacement) = instruction.operand,
                let offset = offsets[base], offset &+ displacement == -8, instruction.stores
            {
                return instruction.isFullWord ? start..<reader.offset : nil
            }
            guard let target = instruction.writes else { continue }
            // The stack pointer moves below the frame, and rbp must not change.
            if target == 5 { return nil }
            switch instruction.effect {
            case .address:
                if case .memory(let base, let displacement) = instruction.operand,
                    let offset = offsets[base]
                {
                    offsets[target] = offset &+ displacement
                    continue
                }
            case .copy:
                if case .register(let source) = instruction.operand {
                    offsets[target] = offsets[source]
                    continue
                }
            case .plus(let constant):
                if let offset = offsets[target] { offsets[target] = offset &+ constant }
                continue
            case .other: break
            }
            offsets[target] = nil
        }
        return nil
    }
}
