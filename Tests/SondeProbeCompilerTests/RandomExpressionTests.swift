// SPDX-License-Identifier: Apache-2.0
// Random expressions over variables of every kind: each is refused in words, or compiles to a
// program that is verified, ends, and costs what was declared.

import SondeProbeCompiler
import SondeProbeProgram
import SondeSymbols
import Testing

/// Numbers that are the same in each run.
struct Random {
    var state: UInt64

    mutating func below(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    mutating func pick(_ choices: [String]) -> String { choices[below(choices.count)] }
}

/// Makes expressions that are mostly well-formed.
struct ExpressionMaker {
    var random: Random

    static let names = [
        "count", "rate", "bet", "user", "some", "none", "note", "noText", "numbers", "bets",
        "grid", "state", "other", "cstring", "node", "letters", "ints", "pair", "paint", "ratio",
        "broken", "suit", "self", "strange", "big", "small", "flag", "signedSmall", "half",
        "price", "split", "constant", "bytes", "gone", "odds", "secret", "boss", "chief", "x",
        "y", "nothing", "RED", ".won", ".hearts",
    ]

    mutating func make(_ depth: Int) -> String {
        if depth == 0 || random.below(6) == 0 { return leaf() }
        switch random.below(12) {
        case 0, 1, 2:
            let op = random.pick([
                "+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "&+", "&-", "&*", "??",
            ])
            return "(\(make(depth - 1)) \(op) \(make(depth - 1)))"
        case 3, 4:
            let op = random.pick(["==", "!=", "<", "<=", ">", ">="])
            return "(\(make(depth - 1)) \(op) \(make(depth - 1)))"
        case 5:
            return "(\(make(depth - 1)) \(random.pick(["&&", "||"])) \(make(depth - 1)))"
        case 6: return random.pick(["-", "!", "~", "+"]) + make(depth - 1)
        case 7:
            return "(\(make(depth - 1)) ? \(make(depth - 1)) : \(make(depth - 1)))"
        case 8: return make(depth - 1) + "[\(make(depth - 1))]"
        case 9:
            return make(depth - 1)
                + random.pick([".hasPrefix", ".hasSuffix", ".contains"])
                + "(\(make(depth - 1)))"
        case 10:
            return random.pick(["Int", "UInt8", "Int32", "UInt", "Double"])
                + "(\(make(depth - 1)))"
        default:
            return make(depth - 1)
                + random.pick([
                    ".name", "?.name", "!.name", ".age", ".boss", "?.boss", "!", ".count",
                    ".isEmpty", ".utf8.count", ".0", ".label", ".user", ".value", ".next", ".won",
                    ".pointee", ".id", ".note", ".x", ".flag", ".rawValue",
                ])
        }
    }

    /// An expression whose types mostly fit.
    mutating func typed(_ depth: Int) -> String {
        switch random.below(4) {
        case 0: number(depth)
        case 1: text(depth)
        default: truth(depth)
        }
    }

    private mutating func number(_ depth: Int) -> String {
        if random.below(25) == 0 { return make(2) }
        if depth == 0 || random.below(5) == 0 {
            return random.pick([
                "count", "some!", "none!", "numbers[1]", "numbers[count + 6]", "numbers[9]",
                "user.age", "user.boss!.age", "bets[1].id", "bet.id", "pair.0", "x", "constant",
                "user.boss?.age ?? 3", "none ?? 4", "numbers.count", "broken.age", "7", "-2",
                "grid[0][2]", "note.utf8.count", "Int(small)", "Int(half)", "Int(node.value)",
                "Int(ints[3])", "Int(big)", "(state == .won ? 1 : 2)",
            ])
        }
        switch random.below(4) {
        case 0: return "(\(truth(depth - 1)) ? \(number(depth - 1)) : \(number(depth - 1)))"
        case 1: return "-" + number(depth - 1)
        default:
            let op = random.pick([
                "+", "-", "*", "/", "%", "&", "|", "^", "&+", "&-", "&*",
            ])
            return "(\(number(depth - 1)) \(op) \(number(depth - 1)))"
        }
    }

    private mutating func text(_ depth: Int) -> String {
        if depth > 0, random.below(3) == 0 {
            return "(\(truth(depth - 1)) ? \(text(depth - 1)) : \(text(depth - 1)))"
        }
        return random.pick([
            "note", "user.name", "user.boss!.name", "bets[0].note", "(noText ?? \"none\")",
            "\"Ada\"", "\"e\"", "broken.name", "cstring", "letters", "node.pointee.name",
            "(user.boss?.boss?.name ?? user.name)",
        ])
    }

    private mutating func truth(_ depth: Int) -> String {
        if depth == 0 || random.below(6) == 0 {
            return random.pick([
                "flag", "pair.label", "note.isEmpty", "numbers.isEmpty", "some == nil",
                "boss != nil", "state == .won", "other != .open", "suit == .hearts",
                "paint == RED", "rate > 1.5", "price == 0.25", "small > count", "true",
                "noText == \"x\"", "user.boss?.age == 50", "chief == user", "state.won != nil",
            ])
        }
        switch random.below(5) {
        case 0: return "!" + truth(depth - 1)
        case 1: return "(\(truth(depth - 1)) && \(truth(depth - 1)))"
        case 2: return "(\(truth(depth - 1)) || \(truth(depth - 1)))"
        case 3:
            let op = random.pick(["==", "!=", "<", "<=", ">", ">="])
            return random.below(3) == 0
                ? "(\(text(depth - 1)) \(op) \(text(depth - 1)))"
                : "(\(number(depth - 1)) \(op) \(number(depth - 1)))"
        default:
            return text(depth - 1)
                + random.pick([".hasPrefix", ".hasSuffix", ".contains"])
                + "(\(text(depth - 1)))"
        }
    }

    private mutating func leaf() -> String {
        switch random.below(5) {
        case 0: "\(random.below(300))"
        case 1: random.pick(["\"Ada\"", "\"a\"", "1.5", "nil", "true", "false", "#line", "-7"])
        default: random.pick(Self.names)
        }
    }
}

@Suite struct RandomExpressions {
    @Test(arguments: 0..<4)
    func eachIsRefusedOrRunsWithinItsCost(seed: Int) throws {
        let scene = Scene()
        // A second address, at which half of the variables are elsewhere.
        scene.image.add(
            42, at: 0x2000, function: "Checkout.other()",
            scene.variables.enumerated().compactMap { index, variable in
                index % 5 == 0
                    ? nil
                    : index % 7 == 0
                        ? missing(variable.name, "Int", "optimized out") : variable
            })
        var maker = ExpressionMaker(random: Random(state: UInt64(seed) &* 0x9E37_79B9_7F4A_7C15))
        var compiled = 0
        for _ in 0..<300 {
            let expression = maker.random.below(3) == 0 ? maker.make(4) : maker.typed(4)
            let isCondition = maker.random.below(2) == 0
            let request = ProbeRequest(
                location: .line(file: "Checkout.swift", line: 42),
                template: isCondition ? "{count}" : "a {\(expression)} b",
                condition: isCondition ? expression : nil)
            do {
                let probe = try ProbeCompiler.compile(request, image: scene.image)
                compiled += 1
                for site in probe.program.sites.indices {
                    var machine = ReferenceMachine(probe.program, scene.subject)
                    let outcome = machine.run(site: site)
                    #expect(machine.steps <= probe.cost.steps, "\(expression)")
                    if case .committed(let record) = outcome {
                        #expect(record.count <= probe.cost.recordBytes, "\(expression)")
                        let text = RecordText.message(probe.program, record)
                        #expect(!text.contains("bytes left"), "\(expression): \(text)")
                    }
                    if case .lost(let kind) = outcome {
                        Issue.record("\(expression): a fault outside of a guard, \(kind)")
                    }
                }
            } catch {
                #expect(error.code != .internalError, "\(expression): \(error)")
                _ = error.description
            }
        }
        #expect(compiled > 100)
    }
}
