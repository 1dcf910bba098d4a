// SPDX-License-Identifier: Apache-2.0
// What single instructions do, at the edges too.

import CSondeProbe
import SondeProbeProgram
import Testing

extension MachineSuites {
    @Suite struct Instructions {
        init() { TestProbe.start() }

        /// What `op` makes of two words; `nil` for a fault.
        private func result(_ op: Opcode, _ a: UInt64, _ b: UInt64 = 0, imm: Int32 = 0) throws
            -> UInt64?
        {
            var code = try CodeText.code(
                of: """
                    loadConstant r0, c0
                    loadConstant r1, c1
                    move r2, r0
                    accept
                    write64 r2
                    commit
                    """)
            code[2] = Instruction(op, d: 2, a: 0, b: 1, imm: imm)
            var image = TestProbe.image(code)
            image.constants = [a, b]
            let result = try TestProbe(image).run()
            guard result.outcome == SONDE_COMMITTED else {
                #expect(result.outcome == SONDE_CONDITION_ERROR)
                return nil
            }
            return result.body?.reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }

        @Test func divisionFaultsWhereItHasNoAnswer() throws {
            let smallest = UInt64(bitPattern: Int64.min)
            #expect(try result(.divS, UInt64(bitPattern: -7), 2) == UInt64(bitPattern: -3))
            #expect(try result(.remS, UInt64(bitPattern: -7), 2) == UInt64(bitPattern: -1))
            #expect(try result(.divU, .max, 2) == .max / 2)
            #expect(try result(.divS, 1, 0) == nil)
            #expect(try result(.remU, 1, 0) == nil)
            #expect(try result(.divS, smallest, .max) == nil)
            #expect(try result(.remS, smallest, .max) == nil)
        }

        @Test func checkedArithmeticFaultsInsteadOfWrapping() throws {
            let largest = UInt64(Int64.max)
            #expect(try result(.addCheckedS, largest, 1) == nil)
            #expect(try result(.addCheckedU, largest, 1) == largest + 1)
            #expect(try result(.addCheckedU, .max, 1) == nil)
            #expect(try result(.subCheckedU, 1, 2) == nil)
            #expect(try result(.subCheckedS, 1, 2) == .max)
            #expect(try result(.mulCheckedS, largest, 2) == nil)
            #expect(try result(.mulCheckedU, largest, 2) == .max - 1)
            #expect(try result(.add, .max, 1) == 0)
        }

        @Test func narrowingFaultsWhereBitsWouldBeLost() throws {
            #expect(try result(.narrowS, 127, imm: 8) == 127)
            #expect(try result(.narrowS, 128, imm: 8) == nil)
            #expect(
                try result(.narrowS, UInt64(bitPattern: -128), imm: 8) == UInt64(bitPattern: -128))
            #expect(try result(.narrowU, 255, imm: 8) == 255)
            #expect(try result(.narrowU, 256, imm: 8) == nil)
            #expect(try result(.signExtend, 0x80, imm: 8) == UInt64(bitPattern: -128))
            #expect(try result(.zeroExtend, .max, imm: 32) == 0xFFFF_FFFF)
            #expect(try result(.zeroExtend, .max, imm: 64) == .max)
        }

        @Test func shiftsBeyondAWordLeaveNothingOrTheSign() throws {
            #expect(try result(.shl, 1, 63) == 1 << 63)
            #expect(try result(.shl, 1, 64) == 0)
            #expect(try result(.shrU, .max, 200) == 0)
            #expect(try result(.shrS, 1 << 63, 200) == .max)
        }

        @Test func doublesAreComparedAndComputedAsSwiftDoes() throws {
            let nan = Double.nan.bitPattern
            #expect(try result(.fadd, 1.5.bitPattern, 2.25.bitPattern) == 3.75.bitPattern)
            #expect(try result(.fdiv, 1.0.bitPattern, 0.0.bitPattern) == Double.infinity.bitPattern)
            #expect(try result(.feq, nan, nan) == 0)
            #expect(try result(.flt, nan, 1.0.bitPattern) == 0)
            #expect(try result(.fle, 1.0.bitPattern, 1.0.bitPattern) == 1)
            #expect(try result(.feq, 0.0.bitPattern, (-0.0).bitPattern) == 1)
            #expect(try result(.fneg, 2.0.bitPattern) == (-2.0).bitPattern)
            #expect(try result(.uintToFloat, .max) == Double(UInt64.max).bitPattern)
            #expect(try result(.intToFloat, .max) == (-1.0).bitPattern)
            #expect(
                try result(.f32ToF64, UInt64(Float(0.1).bitPattern))
                    == Double(Float(0.1)).bitPattern)
        }

        @Test func registersAndVectorsAreTheInterruptedOnes() throws {
            let probe = try TestProbe(
                """
                    readRegister r0, 0
                    readRegister r1, 15
                    readRegister r2, 16
                    readVector r3, 15, 1
                    accept
                    write64 r0
                    write64 r1
                    write64 r2
                    write64 r3
                    commit
                """)
            var registers = (0..<17).map { UInt64($0) + 100 }
            registers[7] = TestProbe.stackPointer()
            let vectors = (0..<16).map { (UInt64($0) + 200, UInt64($0) + 300) }
            let result = probe.run(registers, vectors: vectors)
            #expect(
                result.body
                    == [100, 115, 116, 59].flatMap { [$0, 0, 0, 0, 0, 0, 0, 0] }.enumerated().map {
                        $0.offset == 25 ? 1 : $0.element
                    })
        }

        @Test func theThreadsContextCanBeRead() throws {
            let probe = try TestProbe(
                """
                    readContext r0, 0
                    readContext r1, 1
                    readContext r2, 2
                    readContext r3, 3
                    accept
                    write32 r0
                    write64 r1
                    write64 r2
                    write64 r3
                    commit
                """)
            var scope = sonde_scope()
            withUnsafeMutableBytes(of: &scope.trace_id) {
                for index in 0..<16 { $0[index] = UInt8(index + 1) }
            }
            var outer = sonde_scope_before()
            sonde_scope_enter(&scope, &outer)
            defer { sonde_scope_leave(&outer) }
            var hit = sonde_hit_registers()
            hit.gpr.7 = TestProbe.stackPointer()
            #expect(sonde_hit_report_program(probe.context, &hit).outcome == SONDE_COMMITTED)
            let record = try #require(TestProbe.drain().first { $0.slot == probe.slot })
            var expected = (0..<4).map { UInt8(truncatingIfNeeded: record.tid >> (8 * $0)) }
            // Not in a Swift task.
            expected += [0, 0, 0, 0, 0, 0, 0, 0]
            expected += (1...16).map { UInt8($0) }
            #expect(record.tid > 0)
            #expect(record.body == expected)
        }

        @Test func aFaultInAGuardSpoilsOnlyItsValue() throws {
            let probe = try TestProbe(
                """
                    loadConstant r0, c0
                    loadImmediate r1, 7
                    accept
                    write8 r1
                    guard L9
                    write8 r1
                    write64 r1
                    load8U r2, r0, 5
                    endGuard
                L9: write8 r1
                    commit
                """, constants: [0x10])
            let result = probe.run()
            #expect(result.body == [7, 1, 0x15, 0, 0, 0, 0, 0, 0, 0, 7])
        }

        @Test func aFaultInALoopInAGuardLeavesBoth() throws {
            let probe = try TestProbe(
                """
                    loadImmediate r0, 9
                    loadImmediate r3, 2
                    accept
                    loopBegin r1, r3, 5
                    guard L10
                    loopBegin r2, r0, 5
                    loopBegin r4, r0, 5
                    fault nilUnwrapped
                    loopEnd
                    loopEnd
                    endGuard
                L10: write8 r1
                    loopEnd
                    commit
                """)
            let fault: [UInt8] = [4, 0, 0, 0, 0, 0, 0, 0, 0]
            #expect(probe.run().body == fault + [0] + fault + [1])
        }

        @Test func loopsCountFromZeroAndStopAtTheirMaximum() throws {
            let probe = try TestProbe(
                """
                    readRegister r0, 0
                    accept
                    loopBegin r1, r0, 3
                    write8 r1
                    loopEnd
                    write8 r1
                    commit
                """)
            let stack = TestProbe.stackPointer()
            func run(_ count: UInt64) -> [UInt8]? {
                probe.run([count, 0, 0, 0, 0, 0, 0, stack]).body
            }
            #expect(run(0) == [0])
            #expect(run(2) == [0, 1, 1])
            #expect(run(1000) == [0, 1, 2, 2])
        }

        @Test func aFaultBeforeAcceptIsAConditionErrorAndAfterwardsALostLine() throws {
            let before = try TestProbe("fault indexOutOfRange\n")
            let result = before.run()
            #expect(result.outcome == SONDE_CONDITION_ERROR && result.detail == 5)
            let after = try TestProbe("accept\nfault overflow")
            #expect(after.run().outcome == SONDE_DROPPED)
            let errors = before.counts
            #expect(errors.condition_errors.5 == 1 && errors.hits == 1 && errors.last_sequence == 0)
            let lost = after.counts
            #expect(lost.lost.2 == 1 && lost.hits == 1 && lost.last_sequence == 1)
            // The ring that was taken is free again.
            #expect(try TestProbe("accept\ncommit").run().outcome == SONDE_COMMITTED)
        }

        @Test func aFalseConditionIsCountedAndNothingElse() throws {
            let probe = try TestProbe("loadImmediate r0, 0\nstopIfZero r0\naccept\ncommit")
            let result = probe.run()
            #expect(result.outcome == SONDE_CONDITION_FALSE && result.body == nil)
            #expect(probe.counts.condition_false == 1 && probe.counts.last_sequence == 0)
        }

        @Test func aProgramThatNoVerifierPassedIsRefusedOrBroken() throws {
            let probe = try TestProbe("accept\ncommit")
            var status = SONDE_MACHINE_OK
            func isRefused(_ code: [Instruction]) -> Bool {
                var cost = ProgramCost()
                cost.steps = 100
                let made = TestProbe.make(probe.probe, TestProbe.image(code), cost, &status)
                defer { sonde_program_free(made) }
                return made == nil && status == SONDE_MACHINE_BAD_PROGRAM
            }
            #expect(isRefused([Instruction(.add, d: 32)]))
            #expect(isRefused([Instruction(.spanLength, d: 0, a: 8)]))
            #expect(isRefused([Instruction(.jump, imm: 5)]))
            #expect(isRefused([Instruction(.jump, imm: -1)]))
            #expect(isRefused([Instruction(.loadConstant, imm: 0)]))
            #expect(isRefused([Instruction(.loopEnd)]))
            #expect(isRefused([Instruction(.loopBegin, imm: 1)]))
            #expect(isRefused([]))
            #expect(!isRefused([Instruction(.endGuard)]))
        }
    }
}
