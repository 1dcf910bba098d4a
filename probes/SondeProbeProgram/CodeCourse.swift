// SPDX-License-Identifier: Apache-2.0
// Follows all ways through a site's code at once, front to back, and adds up the worst of them.

/// All ways through a site's code.
///
/// Jumps lead forward and stay within their guard or loop, so one pass in the order of the
/// instructions sees every way into an instruction before the instruction itself. What ways have in
/// common is kept: the registers that are set on all of them, the costs of the worst.
struct CodeCourse {
    /// What is true before an instruction, whichever way led there.
    private struct State {
        var registers: UInt32 = 0
        var spans: UInt8 = 0
        var isAccepted = false
        /// Costs since the begin of the innermost guard or loop, of the worst way.
        var steps = 0
        var bytesRead = 0
        var recordBytes = 0
    }

    /// A guard or loop that is being followed.
    private struct Region {
        var begin: Int
        /// The state before its first instruction.
        var entry: State
        /// The worst costs anywhere in it, since its begin.
        var peak = State()
    }

    private let image: ImageProgram
    private let range: Range<Int>
    private let nesting: CodeNesting
    /// States that jumps carried to instructions ahead.
    private var pending: [Int: State] = [:]
    private var regions: [Region] = []

    init(_ image: ImageProgram, _ range: Range<Int>, _ nesting: CodeNesting) {
        self.image = image
        self.range = range
        self.nesting = nesting
    }

    /// The worst costs of a hit.
    mutating func follow() throws(ProgramError) -> ProgramCost {
        regions = [Region(begin: -1, entry: State())]
        var state: State? = State()
        var index = range.lowerBound
        while index < range.upperBound {
            if let arriving = pending.removeValue(forKey: index) {
                state =
                    try state.map { now throws(ProgramError) in
                        try merge(now, arriving, at: index)
                    } ?? arriving
            }
            let instruction = image.code[index]
            guard let now = state else {
                // Nothing leads here, and nothing leads into a guard or loop but its begin.
                index = (nesting.ends[index] ?? index) &+ 1
                continue
            }
            state = try step(instruction, index, now)
            index &+= 1
        }
        if state != nil {
            throw .invalid(
                "a way past instruction \(range.upperBound &- 1), the program's last",
                want: "an end by commit or fault")
        }
        var cost = ProgramCost()
        let peak = regions.first?.peak ?? State()
        cost.steps = peak.steps
        cost.bytesRead = peak.bytesRead
        cost.recordBytes = peak.recordBytes
        cost.guardDepth = nesting.guardDepth
        cost.loopDepth = nesting.loopDepth
        return cost
    }

    /// The state after an instruction, or `nil` when nothing goes on to the next.
    private mutating func step(
        _ instruction: Instruction, _ index: Int, _ before: State
    ) throws(ProgramError) -> State? {
        var state = before
        try readOperands(instruction, index, state)
        try checkOrder(instruction, index, state)
        state.steps &+= instruction.steps
        state.bytesRead &+= instruction.bytesRead
        state.recordBytes &+= instruction.recordBytes
        writeOperands(instruction, &state)
        if instruction.op == .accept { state.isAccepted = true }
        try note(state)
        switch instruction.op {
        case .jump:
            try jump(instruction, index, state)
            return nil
        case .jumpIfZero, .jumpIfNotZero:
            try jump(instruction, index, state)
            return state
        case .guard, .loopBegin:
            if instruction.op == .guard, state.isAccepted { state.recordBytes &+= 1 }
            try note(state)
            regions.append(Region(begin: index, entry: state))
            state.steps = 0
            state.bytesRead = 0
            state.recordBytes = 0
            return state
        case .endGuard, .loopEnd:
            return try leave(state)
        case .commit:
            return nil
        case .fault:
            // Inside a guard the machine goes on behind it, as after any other fault.
            return try skipRest(of: index)
        default:
            return state
        }
    }

    /// Makes sure that what ends a guard or loop is seen although no way leads to it.
    private mutating func skipRest(of index: Int) throws(ProgramError) -> State? {
        guard let region = regions.last, region.begin >= 0, let end = nesting.ends[region.begin]
        else { return nil }
        // The end is followed with the state of the begin, which every way has in common, and with
        // no costs: the worst ones are in the peak.
        var state = region.entry
        state.steps = 0
        state.bytesRead = 0
        state.recordBytes = 0
        pending[end] =
            try pending[end].map { now throws(ProgramError) in
                try merge(now, state, at: end)
            } ?? state
        return nil
    }

    /// The state behind a guard or loop.
    private mutating func leave(_ end: State) throws(ProgramError) -> State? {
        guard let region = regions.popLast() else { return nil }
        let begin = image.code[region.begin]
        var state = region.entry
        let rounds = begin.op == .guard ? 1 : max(1, Int(begin.imm))
        state.steps = add(state.steps, rounds, region.peak.steps)
        state.bytesRead = add(state.bytesRead, rounds, region.peak.bytesRead)
        // A loop's last round may have been given up further on than its end.
        var most = state
        most.recordBytes = add(
            add(state.recordBytes, rounds &- 1, end.recordBytes), 1, region.peak.recordBytes)
        state.recordBytes = add(state.recordBytes, rounds, end.recordBytes)
        if begin.op == .guard, state.isAccepted {
            let faulted = region.entry.recordBytes &+ Instruction.faultBytes &- 1
            state.recordBytes = max(state.recordBytes, faulted)
            most.recordBytes = max(most.recordBytes, faulted)
        }
        try note(most)
        try note(state)
        return state
    }

    /// Keeps the worst costs of the innermost region, and refuses what is over the budget.
    private mutating func note(_ state: State) throws(ProgramError) {
        guard let last = regions.indices.last else { return }
        regions[last].peak.steps = max(regions[last].peak.steps, state.steps)
        regions[last].peak.bytesRead = max(regions[last].peak.bytesRead, state.bytesRead)
        regions[last].peak.recordBytes = max(regions[last].peak.recordBytes, state.recordBytes)
        try Self.bound(state.steps, "steps", MachineBounds.steps)
        try Self.bound(state.bytesRead, "bytes read", MachineBounds.bytesRead)
        try Self.bound(state.recordBytes, "bytes recorded", MachineBounds.recordBytes)
    }

    private static func bound(_ value: Int, _ name: String, _ limit: Int) throws(ProgramError) {
        guard value <= limit else {
            throw ProgramError(
                .tooLarge,
                "cannot use the probe program: got up to \(value) \(name) a hit; want at most "
                    + "\(limit)")
        }
    }

    /// `base + count * each`, which cannot overflow: each factor was within its budget.
    private func add(_ base: Int, _ count: Int, _ each: Int) -> Int { base &+ count &* each }

    private mutating func jump(
        _ instruction: Instruction, _ index: Int, _ state: State
    ) throws(ProgramError) {
        let target = index &+ 1 &+ Int(instruction.imm)
        guard target < range.upperBound else {
            throw .invalid(
                at: index, instruction, "a jump to instruction \(target)",
                want: "one before \(range.upperBound)")
        }
        guard nesting.region(of: target) == nesting.region(of: index) else {
            throw .invalid(
                at: index, instruction,
                "a jump into or out of a guard or loop, to instruction \(target)",
                want: "one within it")
        }
        pending[target] =
            try pending[target].map { now throws(ProgramError) in
                try merge(now, state, at: target)
            } ?? state
    }

    private func merge(
        _ one: State, _ other: State, at index: Int
    ) throws(ProgramError) -> State {
        guard one.isAccepted == other.isAccepted else {
            throw .invalid(
                "instruction \(index) reached both before and after accept", want: "one of them")
        }
        var state = one
        state.registers &= other.registers
        state.spans &= other.spans
        state.steps = max(one.steps, other.steps)
        state.bytesRead = max(one.bytesRead, other.bytesRead)
        state.recordBytes = max(one.recordBytes, other.recordBytes)
        return state
    }

    private func readOperands(
        _ instruction: Instruction, _ index: Int, _ state: State
    ) throws(ProgramError) {
        // A move of a register to itself does nothing; compilers fill gaps with it.
        if instruction.op == .move, instruction.d == instruction.a { return }
        let form = instruction.op.form
        for (operand, value) in [(form.a, instruction.a), (form.b, instruction.b)] {
            switch operand {
            case .register:
                guard state.registers & 1 << UInt32(value) != 0 else {
                    throw .invalid(
                        at: index, instruction, "register \(value) unset", want: "a value in it")
                }
            case .span:
                guard state.spans & 1 << value != 0 else {
                    throw .invalid(
                        at: index, instruction, "span \(value) unset", want: "bytes in it")
                }
            case .none, .target, .spanTarget, .number: continue
            }
        }
    }

    private func writeOperands(_ instruction: Instruction, _ state: inout State) {
        if instruction.op == .move, instruction.d == instruction.a { return }
        switch instruction.op.form.d {
        case .target: state.registers |= 1 << UInt32(instruction.d)
        case .spanTarget: state.spans |= 1 << instruction.d
        case .none, .register, .span, .number: break
        }
    }

    private func checkOrder(
        _ instruction: Instruction, _ index: Int, _ state: State
    ) throws(ProgramError) {
        let op = instruction.op
        if op.writes || op == .commit, !state.isAccepted {
            throw .invalid(at: index, instruction, "no accept before", want: "one")
        }
        if op == .accept || op == .stopIfZero, state.isAccepted {
            throw .invalid(at: index, instruction, "an accept before", want: "none")
        }
        if op == .accept || op == .commit, nesting.region(of: index) >= 0 {
            throw .invalid(at: index, instruction, "a guard or loop around", want: "none")
        }
    }
}
