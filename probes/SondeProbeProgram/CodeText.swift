// SPDX-License-Identifier: Apache-2.0
// Code as text, one instruction a line, and back: for people and for readable tests.

/// Code as text, one instruction a line.
///
///             readRegister r0, 7
///             load64 r1, r0, 16
///             jumpIfZero r1, L4
///             fault overflow
///     L4:     accept
///
/// Operands stand in the order d, a, b, imm, as far as the opcode has them: `r` and `s` are
/// registers and spans, `c` constants, `t` strings, `L` the instruction with that number.
package enum CodeText {
    /// The text of code; what it says can be read again.
    package static func text(of code: [Instruction]) -> String {
        var targets: Set<Int> = []
        for (index, instruction) in code.enumerated() {
            if case .distance = instruction.op.form.immediate {
                targets.insert(index &+ 1 &+ Int(instruction.imm))
            }
        }
        var text = ""
        for (index, instruction) in code.enumerated() {
            let label = targets.contains(index) ? "L\(index):" : ""
            text += label + String(repeating: " ", count: max(1, 8 &- label.utf8.count))
            text += line(instruction, index) + "\n"
        }
        return text
    }

    private static func line(_ instruction: Instruction, _ index: Int) -> String {
        let form = instruction.op.form
        var operands: [String] = []
        for (operand, value) in [
            (form.d, instruction.d), (form.a, instruction.a), (form.b, instruction.b),
        ] {
            switch operand {
            case .none: continue
            case .register, .target: operands.append("r\(value)")
            case .span, .spanTarget: operands.append("s\(value)")
            case .number: operands.append("\(value)")
            }
        }
        let value = instruction.imm
        switch form.immediate {
        case .none: break
        case .any, .number: operands.append("\(value)")
        case .constant: operands.append("c\(value)")
        case .string: operands.append("t\(value)")
        case .distance: operands.append("L\(index &+ 1 &+ Int(value))")
        case .fault:
            let kind = UInt8(exactly: value).flatMap(FaultKind.init(rawValue:))
            operands.append(kind.map { "\($0)" } ?? "\(value)")
        }
        let name = "\(instruction.op)"
        return operands.isEmpty ? name : name + " " + operands.joined(separator: ", ")
    }

    /// The code that a text stands for.
    ///
    /// Labels are any words with a colon behind; a `;` begins a comment.
    ///
    /// - Throws: ``ProgramError`` that names the line.
    package static func code(of text: String) throws(ProgramError) -> [Instruction] {
        var assembler = CodeAssembler()
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
            .enumerated()
        {
            try assembler.add(line, number &+ 1)
        }
        return try assembler.finish()
    }
}

/// Puts code together from lines.
private struct CodeAssembler {
    private static let opcodes = Dictionary(
        Opcode.allCases.map { ("\($0)", $0) }, uniquingKeysWith: { first, _ in first })
    private static let faults = Dictionary(
        FaultKind.allCases.map { ("\($0)", $0) }, uniquingKeysWith: { first, _ in first })

    private var code: [Instruction] = []
    private var labels: [Substring: Int] = [:]
    private var jumps: [(index: Int, label: Substring, line: Int)] = []

    mutating func add(_ line: Substring, _ number: Int) throws(ProgramError) {
        var rest = line.prefix { $0 != ";" }
        if let colon = rest.firstIndex(of: ":") {
            let label = rest[..<colon].filter { $0 != " " }
            labels[Substring(label)] = code.count
            rest = rest[rest.index(after: colon)...]
        }
        let words = rest.split { $0 == " " || $0 == "," }
        guard let name = words.first else { return }
        guard let op = Self.opcodes[String(name)] else {
            throw Self.mistake(number, "\(name)", want: "an opcode")
        }
        var instruction = Instruction(op)
        var operands = words.dropFirst()
        let form = op.form
        instruction.d = try Self.operand(form.d, &operands, number)
        instruction.a = try Self.operand(form.a, &operands, number)
        instruction.b = try Self.operand(form.b, &operands, number)
        if case .none = form.immediate {
        } else {
            guard let word = operands.popFirst() else {
                throw Self.mistake(number, "an operand too few", want: "one more")
            }
            instruction.imm = try immediate(form.immediate, word, number)
        }
        if let more = operands.first { throw Self.mistake(number, "\(more)", want: "no more") }
        code.append(instruction)
    }

    func finish() throws(ProgramError) -> [Instruction] {
        var code = code
        for jump in jumps {
            guard let target = labels[jump.label] else {
                throw Self.mistake(jump.line, "\(jump.label)", want: "a label of the text")
            }
            code[jump.index].imm = Int32(clamping: target &- jump.index &- 1)
        }
        return code
    }

    private static func operand(
        _ operand: InstructionForm.Operand, _ words: inout ArraySlice<Substring>, _ line: Int
    ) throws(ProgramError) -> UInt8 {
        let prefix: String
        switch operand {
        case .none: return 0
        case .register, .target: prefix = "r"
        case .span, .spanTarget: prefix = "s"
        case .number: prefix = ""
        }
        guard let word = words.popFirst(), word.hasPrefix(prefix),
            let number = UInt8(word.dropFirst(prefix.utf8.count))
        else { throw mistake(line, "no \(prefix)…", want: "\(prefix)0 and up") }
        return number
    }

    private mutating func immediate(
        _ immediate: InstructionForm.Immediate, _ word: Substring, _ line: Int
    ) throws(ProgramError) -> Int32 {
        var digits = word
        switch immediate {
        case .none: return 0
        case .distance:
            jumps.append((code.count, word, line))
            return 0
        case .fault:
            if let kind = Self.faults[String(word)] { return Int32(kind.rawValue) }
        case .constant where word.hasPrefix("c"), .string where word.hasPrefix("t"):
            digits = word.dropFirst()
        case .any, .number, .constant, .string: break
        }
        guard let value = Int32(digits) else {
            throw Self.mistake(line, "\(word)", want: "a number")
        }
        return value
    }

    private static func mistake(_ line: Int, _ found: String, want: String) -> ProgramError {
        ProgramError(
            .malformed, "cannot read line \(line) of the code: got \(found); want \(want)")
    }
}
