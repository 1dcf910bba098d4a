// SPDX-License-Identifier: Apache-2.0
// One line of a betting service, hand-made: variables, the memory behind them, and what a probe says.

import SondeModel
import SondeProbeCompiler
import SondeProbeProgram
import SondeSymbols

/// One line with variables of every kind, and a thread that stands on it.
struct Scene {
    let image = FakeImage()
    var subject = Subject()

    static let stack: UInt64 = 0x7FFF_0000
    static let heap: UInt64 = 0x10_0000

    init() {
        subject.registers[6] = Self.stack
        let name = subject.string("Ada")
        let long = subject.string("a note of more than fifteen bytes", at: 0x20_0000)
        // User at heap, whose boss is at heap + 0x100.
        subject.put([0, 0] + name + [36, Self.heap + 0x100], at: Self.heap)
        subject.put([0, 0] + subject.string("Eve") + [50, 0], at: Self.heap + 0x100)
        // [Int] with 3 elements, [Bet] with 2.
        subject.put([0, 0, 3, 6, 10, 20, 30], at: Self.heap + 0x200)
        let bet: [UInt64] = [7, (2.5).bitPattern, Self.heap] + long
        let broken: [UInt64] = [8, (1.5).bitPattern, 0x66] + long
        subject.put([0, 0, 2, 4] + bet + broken, at: Self.heap + 0x300)
        subject.put([0, 0, 2, 4, Self.heap + 0x200, Self.heap + 0x200], at: Self.heap + 0x500)
        subject.memory[0x30_0000] = Array("hello".utf8) + [0]
        subject.put([(5 << 3 | 3) << 32 | 42, 0x40_0018, 0x30_0000], at: 0x40_0000)
        subject.put([43, 0, 0], at: 0x40_0018)

        var words: [Int64: UInt64] = [:]
        func put(_ offset: Int64, _ values: [UInt64]) {
            for (index, value) in values.enumerated() { words[offset + Int64(index) * 8] = value }
        }
        put(-8, [UInt64(bitPattern: -5)])
        put(-304, [(1.25).bitPattern])
        put(-48, bet)
        put(-56, [Self.heap])
        put(-72, [9, 0])
        put(-88, [9, 1])
        put(-104, long)
        put(-120, [0, 0])
        put(-128, [Self.heap + 0x200])
        put(-136, [Self.heap + 0x300])
        put(-144, [Self.heap + 0x500])
        put(-160, [(3.5).bitPattern, 0])
        put(-176, [1, 1])
        put(-184, [0x30_0000])
        put(-192, [0x40_0000])
        put(-200, [UInt64(0x64636261)])
        put(-216, [2 << 32 | 1, 4 << 32 | 3])
        put(-232, [3, 1])
        put(-240, [UInt64(UInt32(bitPattern: -5))])
        put(-248, [UInt64(Float(0.5).bitPattern)])
        put(-312, [UInt64(Float(0.1).bitPattern)])
        put(-256, [0x66])
        put(-264, [1])
        put(-280, [1, 2])
        put(-288, [0xFF])
        for (offset, word) in words {
            subject.memory[UInt64(Int64(Self.stack) + offset)] = Subject.bytes(word)
        }
        joinStack()
        subject.registers[0] = UInt64.max
        subject.registers[1] = 200
        subject.registers[2] = 1
        subject.vectors[1] = [(0.25).bitPattern, 0]

        image.add(42, at: 0x1000, variables)
    }

    /// One block of memory instead of many words.
    private mutating func joinStack() {
        let low = Self.stack - 320
        var bytes = [UInt8](repeating: 0, count: 320)
        for (start, word) in subject.memory where start >= low && start < Self.stack {
            bytes.replaceSubrange(Int(start - low)..<Int(start - low) + 8, with: word)
            subject.memory[start] = nil
        }
        subject.memory[low] = bytes
    }

    var variables: [VisibleVariable] {
        [
            onStack("count", "Int", -8), onStack("rate", "Double", -304),
            onStack("bet", "Bet", -48), onStack("user", "User", -56),
            onStack("some", "Int?", -72), onStack("none", "Int?", -88),
            onStack("note", "String", -104), onStack("noText", "String?", -120),
            onStack("numbers", "[Int]", -128), onStack("bets", "[Bet]", -136),
            onStack("grid", "[[Int]]", -144), onStack("state", "State", -160),
            onStack("other", "State", -176), onStack("cstring", "char *", -184),
            onStack("node", "node *", -192), onStack("letters", "char[8]", -200),
            onStack("ints", "int[4]", -216), onStack("pair", "(Int, label: Bool)", -232),
            onStack("paint", "color", -240), onStack("ratio", "Float", -248),
            onStack("tenth", "Float", -312),
            onStack("broken", "User", -256), onStack("suit", "Suit", -264),
            onStack("self", "Point", -280), onStack("strange", "Suit", -288),
            inRegister("big", "UInt", 0), inRegister("small", "UInt8", 1),
            inRegister("flag", "Bool", 2), inRegister("signedSmall", "Int8", 1),
            inRegister("half", "Int32", 0),
            variable("price", "Double", [.init(sizeBytes: 8, source: .vector(1))]),
            variable(
                "split", "Point",
                [
                    .init(sizeBytes: 8, source: .register(1)),
                    .init(sizeBytes: 8, source: .missing("optimized out")),
                ]),
            variable(
                "constant", "Int",
                [.init(sizeBytes: 8, source: .value(AddressExpression([.constant(77)])))]),
            variable("bytes", "Int32", [.init(sizeBytes: 4, source: .implicit([1, 2, 0, 0]))]),
            missing("gone", "Int", "optimized out"),
            onStack("odds", "any Odds", -8), onStack("secret", "Secret", -8),
            onStack("boss", "User?", -120), onStack("chief", "User?", -56),
        ]
    }

    /// What a template says on the line, or why it says nothing.
    func say(_ template: String, if condition: String? = nil) throws -> String {
        let compiled = try ProbeCompiler.compile(
            ProbeRequest(
                location: .line(file: "Checkout.swift", line: 42), template: template,
                condition: condition), image: image)
        return Self.text(compiled.program, subject)
    }

    static func text(_ program: ImageProgram, _ subject: Subject, site: Int = 0) -> String {
        var machine = ReferenceMachine(program, subject)
        switch machine.run(site: site) {
        case .committed(let record): return RecordText.message(program, record)
        case .conditionFalse: return "<condition false>"
        case .conditionError(let kind): return "<condition error: \(kind)>"
        case .lost(let kind): return "<lost: \(kind)>"
        }
    }

    /// Whether a condition holds on the line; an error in words.
    func test(_ condition: String) throws -> String {
        let text = try say("fired", if: condition)
        return text == "fired" ? "true" : text == "<condition false>" ? "false" : text
    }

    /// The refusal of a template.
    func refusal(_ template: String, if condition: String? = nil) throws -> ProbeCompileError {
        do {
            _ = try say(template, if: condition)
        } catch let error as ProbeCompileError {
            return error
        }
        throw NotRefused(template: template, condition: condition)
    }

    struct NotRefused: Error {
        var template: String
        var condition: String?
    }
}
