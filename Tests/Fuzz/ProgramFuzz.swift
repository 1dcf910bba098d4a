// SPDX-License-Identifier: Apache-2.0
// Fuzzes a probe's program on its way: decoded, verified, run.

import CSondeProbe
import Foundation
import SondeModel
import SondeProbeProgram

/// Decodes a program; what was decoded can be written, and says the same.
enum ProgramFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        },
        seeds: { [sample.encode()] })

    static func check(_ bytes: [UInt8]) {
        do {
            let program = try ProbeProgram(decoding: bytes)
            let again = try ProbeProgram(decoding: program.encode())
            precondition(again == program, "BUG: a program changes when it is written")
            _ = try ProgramVerifier.verify(program)
        } catch {
            precondition(!error.message.isEmpty, "BUG: a refusal has no words")
        }
    }

    static var sample: ProbeProgram {
        var program = ProbeProgram(
            probe: "p-a", limits: ProbeLimits(expiresUnixNanos: 5), file: "a.swift", line: 7)
        guard let buildID = BuildID(bytes: [1, 2]) else { return program }
        var image = ImageProgram(buildID: buildID)
        image.sites = [
            ProbeSite(
                address: ImageAddress(16), entry: 0, function: "f()",
                functionStart: ImageAddress(16), functionEnd: ImageAddress(32),
                unavailable: [UnavailableValue(expression: "x", reason: "optimized out")])
        ]
        image.code = (try? CodeText.code(of: MachineFuzz.sample)) ?? []
        image.constants = [1, 1 << 40]
        image.relocations = [1]
        image.strings = [[65, 66]]
        image.shapes = [
            .signed(bits: 64), .string(quotedWhenNested: true), .guarded(1),
            .structure(
                typeName: "Bet",
                fields: [ShapeField(name: "id", shape: 0), ShapeField(name: "name", shape: 2)]),
            .enumeration(typeName: "E", cases: [ShapeCase(name: "won", payload: 3)]),
            .array(element: 4, typeName: "[E]"),
        ]
        image.template = [
            .text("order "),
            .value(
                expression: "x", shape: 5, format: ValueFormat(width: 10, notation: .hex)),
        ]
        program.images = [image]
        return program
    }
}

/// Runs whatever instructions the verifier passes, and holds the machine to what it promised.
enum MachineFuzz {
    static let target = FuzzTarget(
        test: { data, size in
            check(bytes(data, size))
            return 0
        },
        seeds: { [try CodeText.code(of: sample).flatMap(\.bytes)] })

    static let sample = """
            readRegister r0, 7
            load64 r1, r0, 16
            loadConstant r2, c1
            ltS r3, r1, r2
            stopIfZero r3
            accept
            loopBegin r4, r3, 3
            guard after
            spanConstant s0, t0
            spanCString s1, r0, 64
            spanContains r5, s1, s0
            writeSpan s1, 32
            write8 r5
            endGuard
        after:  loopEnd
            jumpIfZero r1, none
            readVector r6, 3, 1
            fadd r6, r6, r6
            write64 r6
            jump end
        none:   fault overflow
        end:    commit
        """

    /// Limits that let all pass: what is fuzzed is the code.
    private nonisolated(unsafe) static let probe: OpaquePointer? = {
        var machine = sonde_machine_settings(
            ring_bytes: 1 << 20, rings: 1, lines_per_second: .max, burst: .max,
            cpu_millionths: 1_000_000_000, reads_memory: 1)
        guard sonde_machine_start(&machine) == SONDE_MACHINE_OK else { return nil }
        var settings = sonde_probe_settings(
            slot: 1, hits: .max, first_sequence: 0, lines_per_second: .max, burst: .max,
            bytes_per_second: .max, cpu_millionths: 1_000_000_000)
        return sonde_probe_make(&settings)
    }()

    static func check(_ bytes: [UInt8]) {
        guard let buildID = BuildID(bytes: [1]) else { return }
        var image = ImageProgram(buildID: buildID)
        for start in stride(from: 0, to: bytes.count - 7, by: 8) {
            guard let op = Opcode(rawValue: bytes[start]) else { continue }
            let imm = (0..<4).reduce(UInt32(0)) {
                $0 | UInt32(bytes[start + 4 + $1]) << UInt32($1 * 8)
            }
            image.code.append(
                Instruction(
                    op, d: bytes[start + 1], a: bytes[start + 2], b: bytes[start + 3],
                    imm: Int32(bitPattern: imm)))
        }
        image.constants = [1, 1 << 40]
        image.strings = [[65, 66]]
        image.sites = [
            ProbeSite(
                address: ImageAddress(16), entry: 0, function: "f", functionStart: ImageAddress(16),
                functionEnd: ImageAddress(32))
        ]
        let program = ProbeProgram(
            probe: "p", limits: ProbeLimits(expiresUnixNanos: 0), file: "a", line: 1,
            images: [image])
        guard let cost = try? ProgramVerifier.verify(program) else { return }
        run(image, cost)
    }

    private static func run(_ image: ImageProgram, _ cost: ProgramCost) {
        let words = image.code.map {
            $0.bytes.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        var status = SONDE_MACHINE_OK
        let starts: [UInt32] = [0, 2], entries: [UInt32] = [0]
        // Safety: the arrays live until the call returns, which copies them.
        let made = words.withUnsafeBufferPointer { words in
            image.constants.withUnsafeBufferPointer { constants in
                image.strings[0].withUnsafeBufferPointer { string in
                    starts.withUnsafeBufferPointer { starts in
                        entries.withUnsafeBufferPointer { entries in
                            var parts = sonde_program_parts(
                                words: words.baseAddress, constants: constants.baseAddress,
                                string_bytes: string.baseAddress,
                                string_starts: starts.baseAddress, entries: entries.baseAddress,
                                word_count: UInt32(words.count), constant_count: 2,
                                string_count: 1, entry_count: 1, steps: UInt32(cost.steps),
                                record_bytes: UInt32(cost.recordBytes))
                            return sonde_program_make(probe, &parts, &status)
                        }
                    }
                }
            }
        }
        guard let made else { preconditionFailure("BUG: C refuses what was verified") }
        defer { sonde_program_free(made) }
        var registers = sonde_hit_registers()
        withUnsafeMutableBytes(of: &registers) { bytes in
            let here = UInt64(UInt(bitPattern: bytes.baseAddress))
            registersFill(bytes, here)
        }
        let report = sonde_hit_report_program(sonde_program_context(made, 0), &registers)
        precondition(report.outcome != SONDE_BROKEN, "BUG: a verified program broke")
        precondition(
            report.outcome != SONDE_DROPPED || report.detail != SONDE_LOST_BROKEN.rawValue,
            "BUG: a verified program broke")
        precondition(report.steps <= cost.steps, "BUG: more steps than were promised")
        precondition(report.bytes_read <= cost.bytesRead, "BUG: more bytes read than promised")
        precondition(report.record_bytes <= cost.recordBytes, "BUG: more recorded than promised")
        while sonde_record_peek(0) != nil { sonde_record_consume(0) }
    }

    /// Registers that point to themselves, so that loads find something.
    private static func registersFill(_ bytes: UnsafeMutableRawBufferPointer, _ here: UInt64) {
        for index in 0..<16 {
            bytes.storeBytes(of: here + UInt64(index * 8), toByteOffset: index * 8, as: UInt64.self)
        }
    }
}
