// SPDX-License-Identifier: Apache-2.0
// One instruction of the probe machine: what it does, and its eight bytes.

/// One instruction of the probe machine; eight bytes, little endian, the same in C.
///
/// The machine has 32 registers of 64 bits (a float is the bits of a `Double`), 8 spans (byte
/// strings somewhere in memory), a cursor into the record, and a stack of guards.
package struct Instruction: Hashable, Sendable {
    /// What to do.
    package var op: Opcode
    /// The register or span that is written.
    package var d: UInt8
    /// The first operand's register or span.
    package var a: UInt8
    /// The second operand's.
    package var b: UInt8
    /// A constant, an index or a distance, as the opcode says.
    package var imm: Int32

    /// An instruction from its parts.
    package init(_ op: Opcode, d: UInt8 = 0, a: UInt8 = 0, b: UInt8 = 0, imm: Int32 = 0) {
        self.op = op
        self.d = d
        self.a = a
        self.b = b
        self.imm = imm
    }
}

/// What an instruction does; the numbers are part of the encoding and are never used anew.
package enum Opcode: UInt8, Hashable, Sendable, CaseIterable {
    // Words.
    /// d = imm, sign-extended.
    case loadImmediate = 1
    /// d = constants[imm].
    case loadConstant = 2
    /// d = a.
    case move = 3
    /// d = the interrupted thread's register imm: DWARF numbers 0...15, 16 is the address.
    case readRegister = 4
    /// d = word b (0 or 1) of the interrupted thread's XMM register a.
    case readVector = 5
    /// d = word imm of what the thread carries: 0 its number, 1 its task's, 2 and 3 its trace id,
    /// the low byte first; 0 for what it does not have.
    case readContext = 6

    // Memory: d = what lies at a + imm. A fault when it cannot be read.
    case load8U = 10
    case load8S = 11
    case load16U = 12
    case load16S = 13
    case load32U = 14
    case load32S = 15
    case load64 = 16

    // Whole numbers: d = a op b.
    case add = 20
    case sub = 21
    case mul = 22
    /// Faults with `overflow`; signed and unsigned, 64 bits.
    case addCheckedS = 23
    case addCheckedU = 24
    case subCheckedS = 25
    case subCheckedU = 26
    case mulCheckedS = 27
    case mulCheckedU = 28
    /// Fault with `divisionByZero`, and with `overflow` for the smallest number by -1.
    case divS = 29
    case divU = 30
    case remS = 31
    case remU = 32
    case and = 33
    case or = 34
    case xor = 35
    /// Shifts by b; by 64 and more the result is 0, or the sign everywhere for `shrS`.
    case shl = 36
    case shrU = 37
    case shrS = 38
    /// d = -a and d = ~a, wrapping.
    case neg = 39
    case not = 40
    /// d = a + imm, wrapping.
    case addImmediate = 41
    /// d = a, or a fault with `overflow` where a does not fit into imm bits (8, 16, 32).
    case narrowS = 42
    case narrowU = 43
    /// d = the low imm bits (1...64) of a, widened.
    case signExtend = 44
    case zeroExtend = 45

    // Doubles.
    case fadd = 50
    case fsub = 51
    case fmul = 52
    case fdiv = 53
    /// d = -a.
    case fneg = 54
    /// d = the double of the float in a's low 32 bits.
    case f32ToF64 = 55
    /// d = the double nearest to a.
    case intToFloat = 56
    case uintToFloat = 57
    /// d = 1 or 0; comparisons with NaN are 0.
    case feq = 58
    case flt = 59
    case fle = 60

    // Comparisons: d = 1 or 0.
    case eq = 70
    case ne = 71
    case ltS = 72
    case leS = 73
    case ltU = 74
    case leU = 75

    // Control. Jumps go forward: imm > 0 instructions are skipped, counted from the next.
    case jump = 80
    case jumpIfZero = 81
    case jumpIfNotZero = 82
    /// Runs the body min(a, imm) times, d counting from 0; the body ends at the matching `loopEnd`.
    case loopBegin = 83
    case loopEnd = 84

    // Spans.
    /// Span d = strings[imm].
    case spanConstant = 90
    /// Span d = the Swift string whose two words are in a and b. Faults with `bridgedString`.
    case spanSwiftString = 91
    /// Span d = b bytes at address a, of which imm may be read.
    case spanMemory = 92
    /// Span d = the bytes at address a up to a zero, imm at most.
    case spanCString = 93
    /// d = 1 or 0 for the spans a and b.
    case spanEqual = 94
    case spanLess = 95
    case spanHasPrefix = 96
    case spanHasSuffix = 97
    case spanContains = 98
    /// d = the whole length of span a in bytes.
    case spanLength = 99
    /// d = 1 when span a has no bytes.
    case spanIsEmpty = 100

    // Faults.
    /// From here to the matching `endGuard` a fault spoils only this value: its status byte says so
    /// and the machine goes on behind the `endGuard`, which is imm instructions on.
    case `guard` = 110
    case endGuard = 111
    /// Raises the fault imm, a ``FaultKind``.
    case fault = 112

    // The course of a hit.
    /// Ends the hit, counted as "condition false", when a is 0.
    case stopIfZero = 120
    /// Passes the limits and takes a record, or ends the hit, counted by reason.
    case accept = 121
    /// Publishes the record and ends the hit.
    case commit = 122

    // Into the record.
    /// The low bytes of a.
    case write8 = 130
    case write16 = 131
    case write32 = 132
    case write64 = 133
    /// u32 whole length, u32 captured length, and min(length, imm) bytes of span a.
    case writeSpan = 134
    /// min(b, imm) bytes at address a, as they are.
    case writeMemory = 135
}

/// What can go wrong with one value; the numbers stand in records.
package enum FaultKind: UInt8, Hashable, Sendable, CaseIterable {
    /// Memory that is not there.
    case unreadable = 1
    /// A result that its type cannot hold.
    case overflow = 2
    /// A division by zero.
    case divisionByZero = 3
    /// `!` on `nil`.
    case nilUnwrapped = 4
    /// An index beyond a collection.
    case indexOutOfRange = 5
    /// No more room in the record.
    case recordFull = 6
    /// A value that the debug info does not have at this place.
    case unavailable = 7
    /// A string that is kept by somebody else than Swift.
    case bridgedString = 8
    /// Bytes that are no case of their enum.
    case unknownEnumCase = 9
    /// A comparison that is not decided within the bytes that may be read.
    case tooLong = 10
}
