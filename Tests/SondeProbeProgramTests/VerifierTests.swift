// SPDX-License-Identifier: Apache-2.0
// What may run, what it costs at most, and what is refused with which words.

import SondeModel
import SondeProbeProgram
import Testing

@Suite struct Verifying {
    // MARK: - What may run

    @Test func aLineWithoutValuesCostsItsInstructions() throws {
        let cost = try verify("accept\ncommit")
        #expect(cost.steps == 2 && cost.recordBytes == 0 && cost.bytesRead == 0)
    }

    @Test func theWorseWayCounts() throws {
        let cost = try verify(
            """
                    readRegister r0, 5
                    accept
                    jumpIfZero r0, short
                    write64 r0
                    write64 r0
                    jump end
            short:  write8 r0
            end:    commit
            """)
        #expect(cost.recordBytes == 16)
        #expect(cost.steps == 7)
    }

    @Test func loopsMultiplyWhatIsInThem() throws {
        let cost = try verify(
            """
                    loadImmediate r0, 3
                    accept
                    loopBegin r1, r0, 10
                    loopBegin r2, r1, 5
                    load64 r3, r0, 8
                    write64 r3
                    loopEnd
                    write8 r1
                    loopEnd
                    commit
            """)
        #expect(cost.recordBytes == 10 * (5 * 8 + 1))
        #expect(cost.bytesRead == 10 * 5 * 8)
        #expect(cost.steps == 3 + 10 * (1 + 5 * 3 + 2) + 1)
        #expect(cost.loopDepth == 2)
    }

    @Test func aGuardCostsItsStatusAndAtLeastADetail() throws {
        let cost = try verify(
            """
                    readRegister r0, 7
                    accept
                    guard after
                    load8U r1, r0, 0
                    write8 r1
                    endGuard
            after:  commit
            """)
        #expect(cost.recordBytes == 9)
        #expect(cost.guardDepth == 1)
    }

    @Test func aFaultThatIsGuardedGoesOnBehindTheGuard() throws {
        let cost = try verify(
            """
                    accept
                    guard after
                    fault unavailable
                    endGuard
            after:  loadImmediate r0, 1
                    write64 r0
                    commit
            """)
        #expect(cost.recordBytes == 17)
    }

    @Test func spansCostWhatTheyMayLookAt() throws {
        let cost = try verify(
            """
                    readRegister r0, 5
                    spanCString s0, r0, 100
                    spanConstant s1, t0
                    spanEqual r1, s0, s1
                    stopIfZero r1
                    accept
                    writeSpan s0, 256
                    commit
            """)
        #expect(cost.bytesRead == 100 + 2 * 4096 + 256)
        #expect(cost.recordBytes == 256 + 8)
        #expect(cost.steps == 8 + 100 / 16 + 8192 / 16 + 256 / 16)
    }

    @Test func whatNoWayLeadsToIsPassedOver() throws {
        let cost = try verify(
            """
                    accept
                    jump end
                    guard dead
                    write64 r9
                    endGuard
            dead:   write64 r9
            end:    commit
            """)
        #expect(cost.recordBytes == 0)
    }

    // MARK: - What is refused

    struct Refusal: Sendable {
        var code: String
        var words: String
    }

    static let refusals: [Refusal] = [
        Refusal(
            code: "accept",
            words: "a way past instruction 0, the program's last; want an end by commit or fault"),
        Refusal(
            code: "accept\nwrite8 r4\ncommit",
            words: "register 4 unset at instruction 1, write8; want a value in it"),
        Refusal(
            code: "accept\nwriteSpan s1, 8\ncommit",
            words: "span 1 unset at instruction 1, writeSpan; want bytes in it"),
        Refusal(
            code: "loadImmediate r0, 1\nwrite8 r0\naccept\ncommit",
            words: "no accept before at instruction 1, write8; want one"),
        Refusal(
            code: "commit", words: "no accept before at instruction 0, commit; want one"),
        Refusal(
            code: "accept\naccept\ncommit",
            words: "an accept before at instruction 1, accept; want none"),
        Refusal(
            code: "loadImmediate r0, 1\naccept\nstopIfZero r0\ncommit",
            words: "an accept before at instruction 2, stopIfZero; want none"),
        Refusal(
            code: "guard e\naccept\nendGuard\ne: commit",
            words: "a guard or loop around at instruction 1, accept; want none"),
        Refusal(
            code: "a: accept\njump a\ncommit",
            words: "-2 at instruction 1, jump; want a way forward"),
        Refusal(
            code: "fault overflow\njump far\nfar:\n",
            words: "0 at instruction 1, jump; want a way forward"),
        Refusal(
            code: "accept\njump e\ncommit\ne:",
            words: "a jump to instruction 3 at instruction 1, jump; want one before 3"),
        Refusal(
            code: "accept\njump i\nguard e\ni: loadImmediate r0, 1\nendGuard\ne: commit",
            words:
                "a jump into or out of a guard or loop, to instruction 3 at instruction 1, jump; "
                + "want one within it"),
        Refusal(
            code: "accept\nguard e\njump e\nendGuard\ne: commit",
            words:
                "a jump into or out of a guard or loop, to instruction 4 at instruction 2, jump; "
                + "want one within it"),
        Refusal(
            code: "accept\nendGuard\ncommit",
            words: "an end at instruction 1, endGuard; want the guard that it ends, innermost "
                + "first"),
        Refusal(
            code: "loadImmediate r0, 1\nloopBegin r1, r0, 2\nguard e\nloopEnd\nendGuard\ne: fault "
                + "overflow",
            words: "an end at instruction 3, loopEnd; want the loopBegin that it ends, innermost "
                + "first"),
        Refusal(
            code: "accept\nguard e\ncommit\ne: commit",
            words: "a beginning without an end at instruction 1, guard; want an end"),
        Refusal(
            code: "accept\nguard w\nloadImmediate r0, 1\nendGuard\nloadImmediate r0, 1\nw: commit",
            words: "a distance of 3 at instruction 1, guard; want 2, to its endGuard"),
        Refusal(
            code: "readRegister r0, 17\naccept\ncommit",
            words: "17 at instruction 0, readRegister; want 0...16"),
        Refusal(
            code: "readVector r0, 16, 0\naccept\ncommit",
            words: "number 16 at instruction 0, readVector; want 0...15"),
        Refusal(
            code: "loadImmediate r32, 1\naccept\ncommit",
            words: "register 32 at instruction 0, loadImmediate; want 0...31"),
        Refusal(
            code: "spanConstant s8, t0\naccept\ncommit",
            words: "span 8 at instruction 0, spanConstant; want 0...7"),
        Refusal(
            code: "loadConstant r0, c1\naccept\ncommit",
            words: "1 at instruction 0, loadConstant; want one of 1 constants"),
        Refusal(
            code: "spanConstant s0, t-1\naccept\ncommit",
            words: "-1 at instruction 0, spanConstant; want one of 1 strings"),
        Refusal(code: "fault 11", words: "11 at instruction 0, fault; want a kind of fault"),
        Refusal(
            code: "loadImmediate r0, 1\nloopBegin r1, r0, 0\nloopEnd\naccept\ncommit",
            words: "0 at instruction 1, loopBegin; want 1...65536"),
        Refusal(
            code: "loadImmediate r0, 1\njumpIfZero r0, x\naccept\nx: commit",
            words: "instruction 3 reached both before and after accept; want one of them"),
        Refusal(
            code: "loadImmediate r0, 1\njumpIfZero r0, x\nloadImmediate r1, 1\nx: accept\n"
                + "write8 r1\ncommit",
            words: "register 1 unset at instruction 4, write8; want a value in it"),
        Refusal(
            code: "accept\nguard e\nloadImmediate r1, 1\nendGuard\ne: write8 r1\ncommit",
            words: "register 1 unset at instruction 4, write8; want a value in it"),
        Refusal(
            code: "loadImmediate r0, 1\nloopBegin r1, r0, 60000\nadd r0, r0, r0\nloopEnd\naccept\n"
                + "commit",
            words: "up to 120002 steps a hit; want at most 65536"),
        Refusal(
            code: "loadImmediate r0, 1\naccept\nloopBegin r1, r0, 9000\nwrite64 r0\nloopEnd\n"
                + "commit",
            words: "up to 72000 bytes recorded a hit; want at most 65536"),
        Refusal(
            code: "loadImmediate r0, 1\nloopBegin r1, r0, 40\nspanCString s0, r0, 9000\nloopEnd\n"
                + "accept\ncommit",
            words: "up to 360000 bytes read a hit; want at most 262144"),
    ]

    @Test(arguments: refusals)
    func aWrongProgramIsRefusedWithTheReason(_ refusal: Refusal) {
        #expect(words(refusal.code) == "cannot use the probe program: got \(refusal.words)")
    }

    @Test func nestingIsBounded() {
        let deep =
            (0..<17).map { _ in "guard x" }.joined(separator: "\n")
            + "\ncommit\nx: commit"
        #expect(words(deep).contains("levels of guards and loops"))
        let loops = "loadImmediate r0, 1\n" + String(repeating: "loopBegin r0, r0, 1\n", count: 5)
        #expect(words(loops).contains("levels of guards and loops at instruction 5"))
    }

    @Test func sitesHaveCodeOfTheirOwnThatEnds() throws {
        var program = try program("accept\ncommit\naccept\ncommit")
        let site = program.images[0].sites[0]
        program.images[0].sites.append(site)
        program.images[0].sites[1].entry = 2
        _ = try ProgramVerifier.verify(program)
        program.images[0].sites[1].entry = 1
        #expect(refusal(program).contains("a way past instruction 0"))
        program.images[0].sites[1].entry = 2
        program.images[0].sites[0].entry = 2
        #expect(refusal(program).contains("2 instructions before the first site's; want none"))
        program.images[0].sites[0].entry = 0
        program.images[0].sites[1].entry = 4
        #expect(refusal(program).contains("a site at instruction 4; want one of 4 instructions"))
        program.images[0].sites[1] = site
        program.images[0].sites[1].address = ImageAddress(32)
        #expect(refusal(program).contains("a site at 32 outside of its function; want one in 16"))
    }

    @Test func whereNoWayLeadsJumpsStayInTheCodeToo() throws {
        var program = try program("accept\ncommit")
        program.images[0].code.append(Instruction(.jump, imm: 3))
        #expect(
            refusal(program).contains(
                "a distance of 3 at instruction 2, jump; want one to instruction 3 or before"))
    }

    @Test func relocationsNameConstantsOnce() throws {
        var program = try program("accept\ncommit")
        program.images[0].relocations = [0, 0]
        #expect(refusal(program).contains("two relocations of constant 0; want one"))
        program.images[0].relocations = [1]
        #expect(refusal(program).contains("a relocation of constant 1; want one of 1 constants"))
    }

    @Test func shapesContainOnlyWhatComesBeforeThem() throws {
        var program = try program("accept\ncommit")
        program.images[0].shapes = [.optional(0)]
        #expect(refusal(program).contains("shape 0 with part 0; want a part that comes before it"))
        program.images[0].shapes = [.signed(bits: 9)]
        #expect(refusal(program).contains("shape 0, a number of 9 bits; want 8, 16, 32 or 64"))
        program.images[0].shapes = [.boolean]
        program.images[0].template = [.value(expression: "x", shape: 1, format: nil)]
        #expect(refusal(program).contains("shape 1 of {x}; want one of 1"))
    }

    @Test func aSmallPoolThatUnfoldsToManyValuesIsRefused() throws {
        var program = try program("accept\ncommit")
        program.images[0].shapes = [.boolean]
        for index in 0..<20 {
            let part = ShapeField(name: "a", shape: index)
            program.images[0].shapes.append(.tuple([part, part]))
        }
        #expect(refusal(program).contains("levels and 131071 values; want at most 32 and 65536"))
        program.images[0].shapes = [.boolean] + (0..<40).map { .optional($0) }
        #expect(refusal(program).contains("33 levels"))
    }

    @Test func aHostileProgramIsDecidedOnInTimeThatItsSizeBounds() throws {
        var random = SeededRandom(3)
        var program = try program("accept\ncommit")
        for _ in 0..<65_000 {
            let bits = random.next()
            program.images[0].code.insert(
                Instruction(
                    .jumpIfZero, a: 0, imm: Int32(1 + bits % 60_000)), at: 0)
        }
        program.images[0].code.insert(Instruction(.loadImmediate), at: 0)
        let clock = ContinuousClock()
        let took = clock.measure { _ = refusal(program) }
        // Quadratic work would take many minutes.
        #expect(took < .seconds(60))
    }

    // MARK: - The text form

    @Test func codeComesBackFromItsText() throws {
        var random = SeededRandom(4)
        for _ in 0..<300 {
            let program = SampleProgram.random(&random)
            for image in program.images {
                let text = CodeText.text(of: image.code)
                let again = try? CodeText.code(of: text)
                guard let again else { continue }
                #expect(CodeText.text(of: again) == text)
            }
        }
        let text = """
                    readRegister r0, 7
                    guard L3
                    endGuard
            L3:     fault overflow

            """
        #expect(CodeText.text(of: try CodeText.code(of: text)) == text)
    }

    @Test func aMistakeInTheTextNamesItsLine() {
        #expect(
            words("accept\nnonsense")
                == "cannot read line 2 of the code: got nonsense; want an opcode")
        #expect(
            words("jump x") == "cannot read line 1 of the code: got x; want a label of the text")
        #expect(words("add r0, r1") == "cannot read line 1 of the code: got no r…; want r0 and up")
    }

    // MARK: - Making programs

    private func verify(_ code: String) throws -> ProgramCost {
        try ProgramVerifier.verify(program(code))
    }

    private func program(_ code: String) throws -> ProbeProgram {
        var image = ImageProgram(buildID: SampleProgram.buildID)
        image.code = try CodeText.code(of: code)
        image.constants = [1]
        image.strings = [[65]]
        image.sites = [
            ProbeSite(
                address: ImageAddress(16), entry: 0, function: "f", functionStart: ImageAddress(16),
                functionEnd: ImageAddress(32))
        ]
        return ProbeProgram(
            probe: "p-a", limits: ProbeLimits(expiresUnixNanos: 1), file: "a.swift", line: 1,
            images: [image])
    }

    private func words(_ code: String) -> String {
        do {
            _ = try verify(code)
            return "it was verified"
        } catch {
            return "\(error)"
        }
    }

    private func refusal(_ program: ProbeProgram) -> String {
        do {
            _ = try ProgramVerifier.verify(program)
            return "it was verified"
        } catch {
            return "\(error)"
        }
    }
}
