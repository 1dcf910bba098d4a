// SPDX-License-Identifier: Apache-2.0
// Finds the guards and loops of a site's code, and checks each instruction for itself.

/// The guards and loops of a site's code, all of which begin and end within each other.
struct CodeNesting {
    /// The instruction that ends what begins at an instruction, counted in the image's code.
    private(set) var ends: [Int: Int] = [:]
    /// Guards and loops within each other.
    private(set) var guardDepth = 0
    private(set) var loopDepth = 0
    /// For each instruction of the code, the instruction that begins what it is in, or -1.
    private var regions: [Int] = []
    private let range: Range<Int>

    /// Where an instruction is: in which guard or loop; their ends count as inside.
    func region(of index: Int) -> Int { regions[index &- range.lowerBound] }

    init(_ image: ImageProgram, _ range: Range<Int>) throws(ProgramError) {
        self.range = range
        regions.reserveCapacity(range.count)
        var open: [Int] = []
        var guards = 0
        for index in range {
            let instruction = image.code[index]
            try Self.check(instruction, index, image)
            try Self.checkDistance(instruction, index, range)
            regions.append(open.last ?? -1)
            switch instruction.op {
            case .guard, .loopBegin:
                open.append(index)
                if instruction.op == .guard { guards &+= 1 }
                guardDepth = max(guardDepth, guards)
                loopDepth = max(loopDepth, open.count &- guards)
            case .endGuard, .loopEnd:
                let begin: Opcode = instruction.op == .endGuard ? .guard : .loopBegin
                guard let last = open.popLast(), image.code[last].op == begin else {
                    throw .invalid(
                        at: index, instruction, "an end",
                        want: "the \(begin) that it ends, innermost first")
                }
                if begin == .guard {
                    guards &-= 1
                    guard last &+ Int(image.code[last].imm) == index else {
                        throw .invalid(
                            at: last, image.code[last],
                            "a distance of \(image.code[last].imm)",
                            want: "\(index &- last), to its endGuard")
                    }
                }
                ends[last] = index
            default: break
            }
            guard guardDepth <= MachineBounds.guardDepth, loopDepth <= MachineBounds.loopDepth
            else {
                throw .tooMany(
                    "levels of guards and loops at instruction \(index)", guardDepth &+ loopDepth,
                    limit: guardDepth > MachineBounds.guardDepth
                        ? MachineBounds.guardDepth : MachineBounds.loopDepth)
            }
        }
        if let last = open.last {
            throw .invalid(
                at: last, image.code[last], "a beginning without an end", want: "an end")
        }
    }

    /// Checks an instruction's operands.
    private static func check(
        _ instruction: Instruction, _ index: Int, _ image: ImageProgram
    ) throws(ProgramError) {
        let form = instruction.op.form
        let operands = [(form.d, instruction.d), (form.a, instruction.a), (form.b, instruction.b)]
        for (operand, value) in operands {
            let limit: ClosedRange<UInt8>
            let name: String
            switch operand {
            case .none: continue
            case .register, .target:
                limit = 0...UInt8(MachineBounds.registers &- 1)
                name = "register"
            case .span, .spanTarget:
                limit = 0...UInt8(MachineBounds.spans &- 1)
                name = "span"
            case .number(let range):
                limit = range
                name = "number"
            }
            guard limit.contains(value) else {
                throw .invalid(
                    at: index, instruction, "\(name) \(value)",
                    want: "\(limit.lowerBound)...\(limit.upperBound)")
            }
        }
        try check(form.immediate, instruction, index, image)
    }

    /// Checks that a distance stays within the site's code, also where no way leads.
    private static func checkDistance(
        _ instruction: Instruction, _ index: Int, _ range: Range<Int>
    ) throws(ProgramError) {
        guard case .distance = instruction.op.form.immediate else { return }
        guard index &+ 1 &+ Int(instruction.imm) <= range.upperBound else {
            throw .invalid(
                at: index, instruction, "a distance of \(instruction.imm)",
                want: "one to instruction \(range.upperBound) or before")
        }
    }

    private static func check(
        _ immediate: InstructionForm.Immediate, _ instruction: Instruction, _ index: Int,
        _ image: ImageProgram
    ) throws(ProgramError) {
        let value = instruction.imm
        let wanted: String
        switch immediate {
        case .none, .any: return
        case .number(let range):
            if range.contains(value) { return }
            wanted = "\(range.lowerBound)...\(range.upperBound)"
        case .constant:
            if value >= 0, value < image.constants.count { return }
            wanted = "one of \(image.constants.count) constants"
        case .string:
            if value >= 0, value < image.strings.count { return }
            wanted = "one of \(image.strings.count) strings"
        case .distance:
            if value > 0 { return }
            wanted = "a way forward"
        case .fault:
            if let number = UInt8(exactly: value), FaultKind(rawValue: number) != nil { return }
            wanted = "a kind of fault"
        }
        throw .invalid(at: index, instruction, "\(value)", want: wanted)
    }
}
